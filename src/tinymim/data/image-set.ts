/** Labelled images, in memory or in files, and fixed subsets of them. */
import { stream } from '../../engine/random/rng.ts';
import { centralImage } from './augment.ts';
import { DataError } from './errors.ts';
import { imagePath, readImage, type ImageFiles } from './folder/read.ts';
import type { Pixels } from './resize.ts';

export interface ImageSet {
  readonly name: string;
  /** `[N, H, W, C]`, on a SharedArrayBuffer: loader threads read it without a copy. Empty where the images are in files. */
  readonly images: Uint8Array;
  /** Where they are decoded from whenever they are needed, each of a size of its own. */
  readonly files?: ImageFiles;
  /** Of scenes the class of each pixel, `[N, H, W]`, shared likewise; see `scenes/`. */
  readonly maps?: Uint8Array;
  /** Where their classes are read from whenever they are needed, of scenes in files. */
  readonly mapFiles?: MapFiles;
  /** `[N]` indices into `classes`, shared likewise. */
  readonly labels: Uint8Array | Uint16Array;
  readonly count: number;
  /** Of the images as models take them. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classes: readonly string[];
}

/** Grey images whose levels tell classes. */
export interface MapFiles extends ImageFiles {
  /** `[256]`: the class of each level, 255 for none, 254 for one that the data have not. */
  readonly classOf: Uint8Array;
}

export type ImageSetSize = Omit<ImageSet, 'images' | 'labels' | 'files' | 'maps' | 'mapFiles'>;

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

/** One image as it is stored, without a copy where it is in memory. @throws DataError `DATA_DAMAGED` for a file that cannot be read */
export function imageAt(set: ImageSet, index: number): Pixels {
  if (set.files) return readImage(set.files, index);
  const { height, width, channels } = set;
  return { data: set.images, offset: index * imageBytes(set), height, width, channels };
}

/** The classes of one scene's pixels, `[H, W]`, without a copy where they are in memory. */
export function mapAt({ maps, mapFiles, height, width }: ImageSet, index: number): Uint8Array {
  return mapFiles ? readMap(mapFiles, index) : maps!.subarray(index * height * width, (index + 1) * height * width);
}

/** @throws DataError `DATA_DAMAGED` for what is no map of these classes */
function readMap(files: MapFiles, index: number): Uint8Array {
  const { data, offset, height, width, channels } = readImage(files, index);
  const refuse = (what: string): never => {
    throw new DataError('DATA_DAMAGED', `${imagePath(files, index)}: ${what}. To look at the folder again: npx ablate setup --data ${files.name}`);
  };
  return Uint8Array.from({ length: height * width }, (_, i) => {
    const at = offset + i * channels,
      level = data[at]!;
    if (data[at + 1] !== level || data[at + 2] !== level) refuse('Expected a grey image whose levels are labels, got one with colours');
    const label = files.classOf[level]!;
    return label === UNKNOWN_CLASS ? refuse(`Expected labels of the classes that the data have, got ${level}`) : label;
  });
}

/** In `MapFiles.classOf`. */
export const UNKNOWN_CLASS = 254;

/** The images with the given indices, in their order: copied where they are in memory. */
export function takeImages(set: ImageSet, indices: ArrayLike<number>, name: string): ImageSet {
  const { height, width, channels, classes } = set;
  if (set.files) {
    const { files, labels } = set;
    const share = <A extends Uint32Array | Uint16Array>(array: A, from: ArrayLike<number>): A => {
      for (let i = 0; i < indices.length; i++) array[i] = from[indices[i]!]!;
      return array;
    };
    const rows = share(new Uint32Array(new SharedArrayBuffer(4 * indices.length)), files.rows);
    return { ...set, name, count: indices.length, files: { ...files, rows }, labels: share(new Uint16Array(new SharedArrayBuffer(2 * indices.length)), labels) };
  }
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

/** The same images as `evalBatches` gives them, decoded once. */
export function inMemory(set: ImageSet): ImageSet {
  if (!set.files) return set;
  const { name, count, height, width, channels, classes, labels } = set;
  const images = new Uint8Array(new SharedArrayBuffer(count * imageBytes(set)));
  images.set(evalImages(set, 0, count));
  return { name, count, height, width, channels, classes, labels, images };
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
 * @param resize of the shorter side, before the centre is cut out; default: images in memory as they are, of those in files as little as is cut off so
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
  const bytes = imageBytes(set);
  if (!set.files && resize === undefined) return set.images.slice(start * bytes, end * bytes);
  const { height, width, channels } = set;
  const images = new Uint8Array((end - start) * bytes);
  for (let i = start; i < end; i++) centralImage(imageAt(set, i), { data: images, offset: (i - start) * bytes, height, width, channels }, resize);
  return images;
}
