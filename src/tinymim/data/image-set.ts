/** Labelled images in memory, and fixed subsets of them. */
import { stream } from '../../engine/random/rng.ts';
import { centralImage } from './augment.ts';
import { DataError } from './errors.ts';
import type { Pixels } from './resize.ts';

export interface ImageSet {
  readonly name: string;
  /** `[N, H, W, C]`, on a SharedArrayBuffer: loader threads read it without a copy. */
  readonly images: Uint8Array;
  /** `[N]` indices into `classes`, shared likewise. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: readonly string[];
}

export type ImageSetSize = Omit<ImageSet, 'images' | 'labels'>;

/** A set of black images with label 0, to be filled. */
export function allocateImageSet(size: ImageSetSize): ImageSet {
  return {
    ...size,
    images: new Uint8Array(new SharedArrayBuffer(size.count * imageBytes(size))),
    labels: new Uint8Array(new SharedArrayBuffer(size.count)),
  };
}

export function imageBytes({ height, width, channels }: Pick<ImageSet, 'height' | 'width' | 'channels'>): number {
  return height * width * channels;
}

/** A copy of the images with the given indices, in their order. */
export function takeImages(set: ImageSet, indices: ArrayLike<number>, name: string): ImageSet {
  const { height, width, channels, classes } = set;
  const taken = allocateImageSet({ name, count: indices.length, height, width, channels, classes });
  const bytes = imageBytes(set);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]!;
    taken.images.set(set.images.subarray(from * bytes, (from + 1) * bytes), i * bytes);
    taken.labels[i] = set.labels[from]!;
  }
  return taken;
}

/**
 * A fixed subset of `n` images with balanced classes: class sizes differ by at most one. It does not depend on a
 * replicate's seed, so that all replicates learn from the same labels; a smaller subset is part of every larger one.
 * @throws DataError `DATA_INVALID` where a class has too few images
 */
export function labelledSubset(set: ImageSet, n: number, seed = 0): ImageSet {
  expectCount(set, n);
  const order = stream(seed, 'data/labelled-subset', 0).permutation(set.count);
  return takeImages(set, balancedIndices(set, n, order), `${set.name}, ${n} labelled`);
}

/** A fixed subset of `n` images, chosen without looking at labels; a smaller subset is part of every larger one. */
export function unlabelledSubset(set: ImageSet, n: number, seed = 0): ImageSet {
  expectCount(set, n);
  const order = stream(seed, 'data/unlabelled-subset', 0).permutation(set.count);
  return takeImages(set, order.slice(0, n).sort(), `${set.name}, ${n} unlabelled`);
}

/**
 * Indices of `n` images with balanced classes, rising: of each class the first ones in `order`. Where `n` is no multiple
 * of the number of classes, the first classes have one more.
 */
export function balancedIndices(set: ImageSet, n: number, order: Uint32Array): Uint32Array {
  const classes = set.classes.length;
  const wanted = Array.from({ length: classes }, (_, label) => Math.floor(n / classes) + (label < n % classes ? 1 : 0));
  const taken = order.filter(index => wanted[set.labels[index]!]!-- > 0);
  const short = wanted.findIndex(left => left > 0);
  if (short >= 0) {
    throw new DataError(
      'DATA_INVALID',
      `Expected ${set.name} to have enough images of every class for ${n} with balanced classes, ` + `got ${wanted[short]} too few of "${set.classes[short]}". Ask for fewer.`,
    );
  }
  return taken.sort();
}

function expectCount(set: ImageSet, n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > set.count) {
    throw new DataError('DATA_INVALID', `Expected a subset of 1 to ${set.count} images of ${set.name}, got ${n}.`);
  }
}

/** Consecutive images and their labels. */
export interface EvalBatch {
  /** Index of its first image in the set. */
  readonly start: number;
  /** `[B, H, W, C]`, a copy that is not shared. */
  readonly images: Uint8Array;
  /** `[B]` */
  readonly labels: Int32Array;
}

/**
 * All images of the set in their order; the last batch may be smaller.
 * @param resize of the shorter side, before the centre of the set's size is cut out; default: images as they are
 */
export function* evalBatches(set: ImageSet, batchSize: number, resize?: number): Generator<EvalBatch, void> {
  for (let start = 0; start < set.count; start += batchSize) {
    const end = Math.min(start + batchSize, set.count);
    yield {
      start,
      images: evalImages(set, start, end, resize),
      labels: Int32Array.from(set.labels.subarray(start, end)),
    };
  }
}

function evalImages(set: ImageSet, start: number, end: number, resize?: number): Uint8Array {
  const { height, width, channels } = set,
    bytes = imageBytes(set);
  if (resize === undefined) return set.images.slice(start * bytes, end * bytes);
  const images = new Uint8Array((end - start) * bytes);
  const at = (data: Uint8Array, index: number): Pixels => ({ data, offset: index * bytes, height, width, channels });
  for (let i = start; i < end; i++) centralImage(at(set.images, i), at(images, i - start), resize);
  return images;
}
