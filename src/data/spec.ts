/** Which images a stage sees, as plain data: part of its recipe. Light, since planning parses it; `dataset.ts` opens it. */
import { z } from 'zod';

const positive = z.int().positive();

/** One shape for each class of the procedural images; see `procedural.ts`. */
export const SHAPES = [
  'disc', 'square', 'triangle', 'ring', 'plus', 'diamond', 'horizontal bars', 'vertical bars', 'chevron', 'hourglass',
] as const;

export const dataSpec = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('fashion-mnist') }),
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

export function imageCount(spec: DataSpec, split: Split): number {
  return spec.name === 'fashion-mnist' ? FASHION_MNIST[split] : spec[split];
}

export function dataTitle(spec: DataSpec): string {
  return spec.name === 'fashion-mnist' ? 'Fashion-MNIST' : `Procedural images (seed ${spec.seed})`;
}
