/** Labelled images in memory, and fixed subsets of them. */
import { stream } from '../../engine/random/rng.ts';
import { resizeAndCrop } from './augment.ts';
import { DataError } from './errors.ts';

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

/** The shorter side resized to `resize`, then the centre of [H, W] `size`. */
export interface EvaluationCrop {
  readonly resize: number;
  readonly size: readonly [height: number, width: number];
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

/** All images of the set in their order, each resized and cropped where that is asked for; the last batch may be smaller. */
export function* evalBatches(set: ImageSet, batchSize: number, crop?: EvaluationCrop): Generator<EvalBatch, void> {
  const bytes = imageBytes(set);
  for (let start = 0; start < set.count; start += batchSize) {
    const end = Math.min(start + batchSize, set.count);
    const images = set.images.slice(start * bytes, end * bytes);
    yield {
      start,
      images: crop ? cropped(set, images, crop) : images,
      labels: Int32Array.from(set.labels.subarray(start, end)),
    };
  }
}

function cropped(set: ImageSet, images: Uint8Array, { resize, size: [height, width] }: EvaluationCrop): Uint8Array {
  const { channels } = set,
    bytes = imageBytes(set),
    croppedBytes = height * width * channels,
    count = images.length / bytes;
  const result = new Uint8Array(count * croppedBytes);
  for (let i = 0; i < count; i++) {
    const source = { data: images, offset: i * bytes, height: set.height, width: set.width, channels };
    resizeAndCrop(source, resize, { data: result, offset: i * croppedBytes, height, width, channels });
  }
  return result;
}
