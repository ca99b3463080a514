/** What the strong augmentation of classifiers does to an image after crop and flip: RandAugment, then random erasing. */
import { stream } from '../../engine/random/rng.ts';
import { drawErased, erase } from './erase.ts';
import { applyRandAugment, drawRandAugment, type RandAugmentOptions } from './rand-augment.ts';
import type { Box, Pixels } from './resize.ts';

export interface StrongAugment {
  /** `fill`: level of each channel for what comes from outside an image. */
  readonly randAugment?: (RandAugmentOptions & { readonly fill: readonly number[] }) | null;
  /** Probability of random erasing. */
  readonly randomErase?: number;
}

/** Where an image stands: what is drawn for it is drawn for it alone, whoever draws for the others. */
export interface Place {
  readonly seed: number;
  readonly step: number;
  /** In the batch, from 0. */
  readonly place: number;
}

/** Changes the image in place. @returns the rectangle that was erased, whose bytes are noise now (see `erase.ts`) */
export function augmentStrongly(image: Pixels, { randAugment, randomErase }: StrongAugment, { seed, step, place }: Place): Box | undefined {
  if (randAugment) applyRandAugment(image, drawRandAugment(stream(seed, `data/rand-augment ${place}`, step), randAugment), randAugment.fill);
  if (!randomErase) return undefined;
  const draws = stream(seed, `data/erase ${place}`, step),
    box = drawErased(draws, randomErase, image.height, image.width);
  if (box) erase(image, box, draws);
  return box;
}

/** As half-open rows and columns: top, bottom, left, right. */
export const rectangleOf = ({ top, left, height, width }: Box): [number, number, number, number] => [top, top + height, left, left + width];
