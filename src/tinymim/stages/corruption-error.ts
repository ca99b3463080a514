/**
 * The mean corruption error (mCE) of a classifier, and how far it may be off. Source: Hendrycks & Dietterich, arXiv:1903.12261, section 3: the errors of a
 * corruption over its severities, divided by those of a reference, and of that the mean over corruptions.
 */
import { SEVERITIES, type IMAGENET_C } from '../data/corruption-names.ts';

/** What a classifier made of images that were each corrupted in every way. */
export interface CorruptedScores {
  readonly corruptions: readonly string[];
  /** How many images. */
  readonly count: number;
  /** `[corruptions, 5]`: images that were taken for another class. */
  readonly errors: Uint32Array;
  /** `[corruptions, count]`: of each image at how many of the severities. */
  readonly wrong: Uint8Array;
}

/** By its name in a result: the share of errors of a corruption at a severity. */
export const errorName = (corruption: string, severity: number): string => `${corruption}_${severity}`;

/** Scores of nothing yet. */
export const noScores = (corruptions: readonly string[], count: number): CorruptedScores => ({
  corruptions,
  count,
  errors: new Uint32Array(corruptions.length * SEVERITIES.length),
  wrong: new Uint8Array(corruptions.length * count),
});

/** Takes in a corruption. @param right of each image of each severity, one severity after the other */
export function addScores({ corruptions, count, errors, wrong }: CorruptedScores, corruption: string, right: readonly boolean[]): void {
  const at = corruptions.indexOf(corruption);
  right.forEach((isRight, i) => {
    if (isRight) return;
    errors[at * SEVERITIES.length + Math.floor(i / count)]!++;
    wrong[at * count + (i % count)]!++;
  });
}

interface Estimate {
  readonly value: number;
  /** Standard error over the images, which are the same in all sets. */
  readonly error: number;
}

/** Share of errors over all corruptions and severities. */
export function meanError(scores: CorruptedScores): Estimate {
  const { corruptions, count, wrong } = scores;
  const ofImage = new Float64Array(count);
  const all = corruptions.length * SEVERITIES.length;
  wrong.forEach((n, i) => (ofImage[i % count]! += n / all));
  return { value: ofImage.reduce((a, b) => a + b, 0) / count, error: clusteredError(ofImage) };
}

/**
 * mCE as a share: 1 is the reference's own. Its standard error clusters by image: an image that is hard is wrong in many sets, and hard for the
 * reference, too, whose errors on the same images are estimates as well (the linearised variance of a ratio; Cochran, Sampling techniques, 2.11 and 6.4).
 * @param reference its scores on the same images, or shares of errors by corruption, which are taken as exact
 * @returns undefined where the reference makes no error under some corruption
 */
export function meanCorruptionError(scores: CorruptedScores, reference: CorruptedScores | Readonly<Record<string, number>>): Estimate | undefined {
  const { corruptions, count, wrong } = scores;
  const measured = isScores(reference) ? reference : undefined;
  const ofImage = new Float64Array(count);
  let sum = 0;
  for (const [c, corruption] of corruptions.entries()) {
    const denominator = isScores(reference) ? shareOf(reference, c) : reference[corruption]!;
    if (denominator === 0) return undefined;
    const ratio = shareOf(scores, c) / denominator;
    sum += ratio;
    for (let i = 0; i < count; i++) {
      const expected = measured ? ratio * measured.wrong[c * count + i]! : 0;
      ofImage[i]! += (wrong[c * count + i]! - expected) / (SEVERITIES.length * denominator * corruptions.length);
    }
  }
  return { value: sum / corruptions.length, error: clusteredError(ofImage) };
}

const isScores = (reference: CorruptedScores | Readonly<Record<string, number>>): reference is CorruptedScores => 'wrong' in reference;

/** Errors of a corruption over its severities. */
function shareOf({ count, wrong }: CorruptedScores, corruption: number): number {
  let sum = 0;
  for (let i = corruption * count; i < (corruption + 1) * count; i++) sum += wrong[i]!;
  return sum / (SEVERITIES.length * count);
}

/** Of a mean of independent numbers. */
function clusteredError(values: Float64Array): number {
  const n = values.length,
    mean = values.reduce((a, b) => a + b, 0) / n;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n * (n - 1)));
}

/** Shares of errors at each severity, by their names in a result. */
export const errorShares = ({ corruptions, count, errors }: CorruptedScores): Record<string, number> =>
  Object.fromEntries(corruptions.flatMap((corruption, c) => SEVERITIES.map((severity, s) => [errorName(corruption, severity), errors[c * SEVERITIES.length + s]! / count] as const)));

/**
 * Of AlexNet on ImageNet-C, the mean over severities. Source: google-research/augmix, imagenet.py (at commit 202cf4c), which takes them from
 * hendrycks/robustness.
 */
export const ALEXNET_ERRORS: Readonly<Record<(typeof IMAGENET_C)[number], number>> = {
  gaussian_noise: 0.886428,
  shot_noise: 0.894468,
  impulse_noise: 0.92264,
  defocus_blur: 0.81988,
  glass_blur: 0.826268,
  motion_blur: 0.785948,
  zoom_blur: 0.79836,
  snow: 0.866816,
  frost: 0.826572,
  fog: 0.819324,
  brightness: 0.564592,
  contrast: 0.853204,
  elastic_transform: 0.646056,
  pixelate: 0.71784,
  jpeg_compression: 0.6065,
};
