/** Which images a stage sees, as plain data: part of its recipe. Light, since planning parses it; `dataset.ts` opens it. */
import { z } from 'zod';
import { asBefore } from '../../core/ablation/as-before.ts';

const positive = z.int().positive();
const count = z.int().min(0);

/** ILSVRC 2012. As in the paper nothing is held out of the training images, and its validation split is the test. */
const IMAGENET_1K = { classes: 1000, train: 1_281_167, validation: 0, test: 50_000 } as const;

/** What torchvision and timm normalise photographs with; of the training images of ImageNet. */
export const IMAGENET_STATISTICS = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 of 64 hexadecimal digits')
  .nullable();

/**
 * Which files a folder holds, whatever it is called and wherever it lies. `fingerprint` is of classes, names and sizes, which listing tells in
 * minutes. `contents` is of all bytes, where the folder was verified (`ablate setup --data <name> --verify`): files of the same sizes with
 * other bytes have another one. Absent: whatever has the name on this machine, which then fills both in. So stages that were run with a folder
 * that nobody had verified keep their keys as long as nobody does, and are not those of a verified one: of their images less is known. Set-up
 * says so when it verifies. Both ways lead back: to verify again, or to index without it. A profile that names a fingerprint means the same
 * stages on every machine, verified or not, unless it names `contents`, too.
 */
export const identity = { fingerprint: asBefore(sha256, null), contents: asBefore(sha256, null) };

/** Of red, green and blue. */
export const channels = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

/** One shape for each class of the procedural images; see `procedural.ts`. */
export const SHAPES = ['disc', 'square', 'triangle', 'ring', 'plus', 'diamond', 'horizontal bars', 'vertical bars', 'chevron', 'hourglass'] as const;

/** Names of folders stand in profiles, on command lines and in names of variables. */
export const folderName = z.string().regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, "expected lower-case words joined by '-', '_' or '.'");

export const dataSpec = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('fashion-mnist') }),
  /**
   * A folder of class folders, with the counts of ILSVRC 2012 unless others are named. Fields as in the next one, but that without a `train`
   * all images are trained on that are not held out.
   */
  z.strictObject({
    name: z.literal('imagenet1k'),
    classes: asBefore(positive, IMAGENET_1K.classes),
    train: asBefore(positive, IMAGENET_1K.train),
    validation: asBefore(count, IMAGENET_1K.validation),
    test: asBefore(positive, IMAGENET_1K.test),
    ...identity,
  }),
  /** Photographs in any folder of class folders. Where it lies is told to each machine (`ablate setup --data <folder>=/path`), and is no part of a recipe. */
  z.strictObject({
    name: z.literal('folder'),
    /** Name that machines know it by. */
    folder: folderName,
    classes: positive,
    /** Images that are trained on. */
    train: positive,
    /** Held out of the training images, unless the folder has a split for it beside its test. */
    validation: count,
    test: positive,
    /** Of each channel, in units where 255 is 1: what inputs are normalised with. */
    mean: channels.default([...IMAGENET_STATISTICS.mean]),
    std: channels.default([...IMAGENET_STATISTICS.std]),
    ...identity,
  }),
  /** Seeded procedural images, for tests. */
  z.strictObject({
    name: z.literal('procedural'),
    classes: positive.max(SHAPES.length),
    image_size: z.tuple([positive, positive]),
    channels: positive,
    train: positive,
    validation: positive,
    test: positive,
    seed: z.int().min(0),
  }),
]);

export type DataSpec = z.infer<typeof dataSpec>;
export type Split = 'train' | 'validation' | 'test';

/** Of Fashion-MNIST, as in the publisher's README, by label. */
export const FASHION_CLASSES = ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'] as const;

/** Fashion-MNIST has 60,000 training images, of which 5,000 are held out for choosing anything, and 10,000 for the test. */
const FASHION_MNIST: Readonly<Record<Split, number>> = { train: 55_000, validation: 5_000, test: 10_000 };

export function imageCount(spec: DataSpec, split: Split): number {
  switch (spec.name) {
    case 'fashion-mnist':
      return FASHION_MNIST[split];
    case 'imagenet1k':
      // What is held out is no longer trained on, and need not be taken off by hand.
      return spec[split] ?? IMAGENET_1K[split] - (split === 'train' ? (spec.validation ?? 0) : 0);
    case 'folder':
    case 'procedural':
      return spec[split];
  }
}

export function classCount(spec: DataSpec): number {
  switch (spec.name) {
    case 'fashion-mnist':
      return 10;
    case 'imagenet1k':
      return spec.classes ?? IMAGENET_1K.classes;
    case 'folder':
    case 'procedural':
      return spec.classes;
  }
}

/** Channels of the images, and their [H, W]; files have sizes of their own, and are resized to any. */
export function imageShape(spec: DataSpec): { readonly channels: number; readonly size?: readonly [number, number] } {
  switch (spec.name) {
    case 'fashion-mnist':
      return { channels: 1, size: [28, 28] };
    case 'imagenet1k':
    case 'folder':
      return { channels: 3 };
    case 'procedural':
      return { channels: spec.channels, size: spec.image_size };
  }
}

/** Of the pixels of all splits. */
export function pixelBytes(spec: DataSpec): number {
  const { channels, size: [height, width] = [0, 0] } = imageShape(spec);
  return (['train', 'validation', 'test'] as const).reduce((images, split) => images + imageCount(spec, split), 0) * height * width * channels;
}

export function dataTitle(spec: DataSpec): string {
  switch (spec.name) {
    case 'fashion-mnist':
      return 'Fashion-MNIST';
    case 'imagenet1k':
      return 'ImageNet-1K';
    case 'folder':
      return spec.folder;
    case 'procedural':
      return `Procedural images (seed ${spec.seed})`;
  }
}

export type FolderSpec = Extract<DataSpec, { name: 'imagenet1k' | 'folder' }>;

export const isFolder = (spec: DataSpec): spec is FolderSpec => spec.name === 'imagenet1k' || spec.name === 'folder';

/** The name that machines know the folder by. */
export const folderOf = (spec: FolderSpec): string => (spec.name === 'folder' ? spec.folder : spec.name);

/** What inputs are normalised with, where it is not computed from the images. */
export function folderStatistics(spec: FolderSpec): { readonly mean: readonly number[]; readonly std: readonly number[] } {
  const { mean, std } = spec.name === 'folder' ? spec : IMAGENET_STATISTICS;
  return { mean, std };
}
