/** Which images a stage sees, as plain data: part of its recipe. Light, since planning parses it; `dataset.ts` opens it. */
import { z } from 'zod';

const positive = z.int().positive();

/** One shape for each class of the procedural images; see `procedural.ts`. */
export const SHAPES = ['disc', 'square', 'triangle', 'ring', 'plus', 'diamond', 'horizontal bars', 'vertical bars', 'chevron', 'hourglass'] as const;

export const dataSpec = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('fashion-mnist') }),
  /** Can be planned, not opened yet. */
  z.strictObject({ name: z.literal('imagenet1k') }),
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

/** Fashion-MNIST has 60,000 training images, of which 5,000 are held out for choosing anything, and 10,000 for the test. */
const FASHION_MNIST: Readonly<Record<Split, number>> = { train: 55_000, validation: 5_000, test: 10_000 };

/** ILSVRC 2012. As in the paper nothing is held out of the training images, and its validation split is the test. */
const IMAGENET_1K: Readonly<Record<Split, number>> = { train: 1_281_167, validation: 0, test: 50_000 };

export function imageCount(spec: DataSpec, split: Split): number {
  switch (spec.name) {
    case 'fashion-mnist':
      return FASHION_MNIST[split];
    case 'imagenet1k':
      return IMAGENET_1K[split];
    case 'procedural':
      return spec[split];
  }
}

export function classCount(spec: DataSpec): number {
  switch (spec.name) {
    case 'fashion-mnist':
      return 10;
    case 'imagenet1k':
      return 1000;
    case 'procedural':
      return spec.classes;
  }
}

/** Channels of the images, and their [H, W]; those of ImageNet have sizes of their own, and are cropped to any. */
export function imageShape(spec: DataSpec): { readonly channels: number; readonly size?: readonly [number, number] } {
  switch (spec.name) {
    case 'fashion-mnist':
      return { channels: 1, size: [28, 28] };
    case 'imagenet1k':
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
    case 'procedural':
      return `Procedural images (seed ${spec.seed})`;
  }
}

/** Why these images cannot be read, or undefined. */
export function unavailable(spec: DataSpec): string | undefined {
  return spec.name === 'imagenet1k' ? 'ImageNet-1K has no image pipeline here yet; it can be planned, not run' : undefined;
}
