/** The mean corruption error by hand, and its standard error against what it says of. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/engine/random/rng.ts';
import { IMAGENET_C } from '../../../../src/tinymim/data/corruption-names.ts';
import { addScores, ALEXNET_ERRORS, errorShares, meanCorruptionError, meanError, noScores, type CorruptedScores } from '../../../../src/tinymim/stages/corruption-error.ts';

/** Of two images at five severities; `x` is wrong. @param wrong by corruption, one severity after the other: `x. .. xx .. ..` */
function scores(wrong: Readonly<Record<string, string>>): CorruptedScores {
  const made = noScores(Object.keys(wrong), 2);
  for (const [corruption, text] of Object.entries(wrong)) {
    addScores(
      made,
      corruption,
      Array.from(text.replaceAll(' ', ''), mark => mark === '.'),
    );
  }
  return made;
}

const classifier = scores({ fog: 'x. x. xx xx xx', shear: '.. .. .. .x .x' });
const reference = scores({ fog: '.. .. x. xx xx', shear: '.. .. .. .. .x' });

describe('the mean corruption error', () => {
  it('is the mean over corruptions of errors divided by those of the reference', () => {
    // Fog 8 errors of 10 against 5, shear 2 against 1.
    expect(meanCorruptionError(classifier, reference)?.value).toBeCloseTo((8 / 5 + 2 / 1) / 2, 12);
    expect(meanCorruptionError(classifier, { fog: 0.4, shear: 0.8 })?.value).toBeCloseTo((0.8 / 0.4 + 0.2 / 0.8) / 2, 12);
    expect(meanError(classifier).value).toBeCloseTo(0.5, 12);
  });

  it('is 1 of the reference, exactly', () => {
    expect(meanCorruptionError(reference, reference)).toEqual({ value: 1, error: 0 });
  });

  it('does not exist where the reference makes no error under a corruption', () => {
    expect(meanCorruptionError(classifier, scores({ fog: '.. .. x. xx xx', shear: '.. .. .. .. ..' }))).toBeUndefined();
  });

  it('has a standard error by image: of two images half their difference', () => {
    // Against exact shares: image 1 has 5 and 0 wrong of 5, image 2 has 3 and 2.
    const [one, two] = [(1 / 0.5 + 0) / 2, (0.6 / 0.5 + 0.4 / 0.25) / 2];
    expect(meanCorruptionError(classifier, { fog: 0.5, shear: 0.25 })?.error).toBeCloseTo(Math.abs(one - two) / 2, 12);
    expect(meanError(classifier).error).toBeCloseTo(Math.abs(5 / 10 - 5 / 10) / 2, 12);
  });

  it('tells the errors of each corruption and severity', () => {
    expect(errorShares(classifier)).toEqual({ fog_1: 0.5, fog_2: 0.5, fog_3: 1, fog_4: 1, fog_5: 1, shear_1: 0, shear_2: 0, shear_3: 0, shear_4: 0.5, shear_5: 0.5 });
  });
});

describe('the standard error', () => {
  /** Classifiers of one world: an image is hard for both of them, and in all sets. */
  function world(number: number, images: number): readonly [CorruptedScores, CorruptedScores] {
    const draws = stream(number, 'world', 0);
    const hardness = Array.from({ length: images }, () => draws.uniform());
    const tested = (skill: number): CorruptedScores => {
      const made = noScores(['fog', 'shear', 'scale'], images);
      for (const corruption of made.corruptions) {
        addScores(
          made,
          corruption,
          Array.from({ length: 5 * images }, (_, i) => draws.uniform() > hardness[i % images]! ** skill),
        );
      }
      return made;
    };
    return [tested(2), tested(1)];
  }

  it('is how far the number spreads over samples of images, with the reference on the same ones and without', () => {
    const worlds = Array.from({ length: 400 }, (_, number) => world(number, 150));
    for (const errors of [
      worlds.map(([one, other]) => meanCorruptionError(one, other)!),
      worlds.map(([one]) => meanCorruptionError(one, { fog: 0.5, shear: 0.5, scale: 0.5 })!),
      worlds.map(([one]) => meanError(one)),
    ]) {
      const mean = errors.reduce((sum, { value }) => sum + value, 0) / errors.length;
      const spread = Math.sqrt(errors.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (errors.length - 1));
      const told = errors.reduce((sum, { error }) => sum + error, 0) / errors.length;
      expect(told / spread).toBeGreaterThan(0.88); // of 400 worlds the spread itself is known to 3.5 %
      expect(told / spread).toBeLessThan(1.12);
    }
  });
});

describe("AlexNet's errors", () => {
  it('are there for each corruption of ImageNet-C', () => {
    expect(Object.keys(ALEXNET_ERRORS)).toEqual([...IMAGENET_C]);
    expect(meanCorruptionError({ ...noScores([...IMAGENET_C], 4), wrong: new Uint8Array(60).fill(5) }, ALEXNET_ERRORS)!.value).toBeGreaterThan(1);
  });
});
