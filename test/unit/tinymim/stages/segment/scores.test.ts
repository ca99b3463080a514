/** What a segmenter is scored by: windows that see every pixel, and counts over a whole set. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IGNORED } from '../../../../../src/tinymim/data/scenes/spec.ts';
import { Confusion } from '../../../../../src/tinymim/stages/segment/confusion.ts';
import { windowCorners } from '../../../../../src/tinymim/stages/segment/windows.ts';
import { polynomialRate } from '../../../../../src/tinymim/optim/schedule.ts';

describe('windows', () => {
  it('are those of mmsegmentation: 512 of 683 x 512 by strides of 341 are two, the second moved back', () => {
    expect(windowCorners([683, 512], [512, 512], [341, 341])).toEqual([
      [0, 0],
      [171, 0],
    ]);
    expect(windowCorners([84, 84], [56, 56], [37, 37])).toEqual([
      [0, 0],
      [0, 28],
      [28, 0],
      [28, 28],
    ]);
    expect(windowCorners([56, 56], [56, 56], [37, 37])).toEqual([[0, 0]]);
  });

  it('see each pixel, and nothing beyond the image', () => {
    const side = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(side, fc.integer({ min: 0, max: 40 }), side, (window, more, stride) => {
        fc.pre(stride <= window);
        const length = window + more,
          starts = windowCorners([length, 5], [window, 5], [stride, 5]).map(([top]) => top);
        const seen = new Set(starts.flatMap(top => Array.from({ length: window }, (_, i) => top + i)));
        expect(seen.size).toBe(length);
        expect(Math.max(...seen)).toBe(length - 1);
      }),
    );
  });
});

const scored = (classes: number, ...scenes: readonly (readonly [labels: readonly number[], predicted: readonly number[]])[]) => {
  const confusion = new Confusion(classes);
  for (const [labels, predicted] of scenes) confusion.add(Uint8Array.from(labels), Uint8Array.from(predicted));
  return confusion.scores();
};

describe('scores', () => {
  it('by hand: unions over all scenes together, not scene by scene', () => {
    // Class 0: 3 right of 4 labelled, 4 predicted: 3 / 5. Class 1: 2 of 3, 3 predicted: 2 / 4. Class 2: 1 of 1, 1 predicted: 1.
    const { miou, macc, aacc } = scored(
      3,
      [
        [0, 0, 0, 1],
        [0, 0, 1, 1],
      ],
      [
        [0, 1, 1, 2],
        [0, 1, 0, 2],
      ],
    );
    expect(miou).toBeCloseTo((3 / 5 + 2 / 4 + 1) / 3, 12);
    expect(macc).toBeCloseTo((3 / 4 + 2 / 3 + 1) / 3, 12);
    expect(aacc).toBe(6 / 8);
  });

  it('leave out ignored pixels, and classes that are neither there nor predicted', () => {
    expect(
      scored(4, [
        [0, 0, IGNORED, 1],
        [0, 0, 3, 1],
      ]),
    ).toMatchObject({ miou: 1, macc: 1, aacc: 1 });
    expect(
      scored(4, [
        [0, 0, 0, 1],
        [0, 0, 3, 1],
      ]).miou,
    ).toBeCloseTo((2 / 3 + 1 + 0) / 3, 12); // class 3 is predicted
  });

  it('are between 0 and 1, and 1 for what is right throughout', () => {
    const label = fc.constantFrom(0, 1, 2, IGNORED),
      map = fc.array(fc.tuple(label, fc.integer({ min: 0, max: 2 })), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(map, { minLength: 1, maxLength: 5 }), scenes => {
        fc.pre(scenes.some(pixels => pixels.some(([l]) => l !== IGNORED)));
        const scores = scored(3, ...scenes.map(pixels => [pixels.map(([l]) => l), pixels.map(([, p]) => p)] as const));
        for (const score of [scores.miou, scores.macc, scores.aacc]) expect(score >= 0 && score <= 1).toBe(true);
        const right = scored(3, ...scenes.map(pixels => [pixels.map(([l]) => l), pixels.map(([l, p]) => (l === IGNORED ? p : l))] as const));
        expect([right.miou, right.macc, right.aacc]).toEqual([1, 1, 1]);
      }),
    );
  });

  it('have a standard error: none of equal scenes, and that of a mean where the score is one', () => {
    const scene = [
      [0, 1, 1, 0],
      [0, 1, 0, 0],
    ] as const;
    expect(scored(2, scene, scene, scene).miou_se).toBeCloseTo(0, 12);
    // One class of one pixel a scene, and another that is always right and large: the score is half a mean of 0 and 1, nearly.
    const [hit, miss] = [[0], [1]].map(
      ([p]) =>
        [
          [0, 1],
          [p!, 1],
        ] as const,
    );
    const { miou_se } = scored(2, hit!, hit!, hit!, miss!);
    expect(miou_se).toBeGreaterThan(0.1);
    expect(miou_se).toBeLessThan(0.4);
    expect(scored(2, scene).miou_se).toBe(0);
  });
});

describe('the schedule', () => {
  const schedule = { lr: 1e-4, min_lr: 0, power: 1, steps: 160_000, warmup_steps: 1500, warmup_ratio: 1e-6 };
  it('rises in a line from the ratio to the rate, and falls by the power to the least rate', () => {
    expect(polynomialRate(schedule, 0)).toBeCloseTo(1e-10, 18);
    expect(polynomialRate(schedule, 750)).toBeCloseTo(1e-4 * (1 - 750 / 160_000) * 0.5, 9);
    expect(polynomialRate(schedule, 1500)).toBeCloseTo(1e-4 * (1 - 1500 / 160_000), 15);
    expect(polynomialRate(schedule, 80_000)).toBeCloseTo(0.5e-4, 15);
    expect(polynomialRate({ ...schedule, min_lr: 1e-6, power: 2 }, 120_000)).toBeCloseTo(1e-6 + (1e-4 - 1e-6) / 16, 15);
    expect(polynomialRate({ ...schedule, warmup_steps: 0 }, 0)).toBe(1e-4);
  });
});
