/** What the strong augmentation of classifiers does to an image after crop and flip: RandAugment, then random erasing. */
import { stream, type Stream } from '../../engine/random/rng.ts';
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

const eraseDraws = ({ seed, step, place }: Place): Stream => stream(seed, `data/erase ${place}`, step);

/** The rectangle of an image of this size that will be erased, if one will be. */
export const erasedBox = ({ height, width }: Pick<Pixels, 'height' | 'width'>, { randomErase = 0 }: StrongAugment, at: Place): Box | undefined =>
  drawErased(eraseDraws(at), randomErase, height, width);

/** Changes the image in place; bytes of the rectangle that is erased are noise then (see `erase.ts`). */
export function augmentStrongly(image: Pixels, { randAugment, randomErase }: StrongAugment, at: Place): void {
  if (randAugment) applyRandAugment(image, drawRandAugment(stream(at.seed, `data/rand-augment ${at.place}`, at.step), randAugment), randAugment.fill);
  if (!randomErase) return;
  const draws = eraseDraws(at),
    box = drawErased(draws, randomErase, image.height, image.width);
  if (box) erase(image, box, draws);
}

/** As half-open rows and columns: top, bottom, left, right. */
export const rectangleOf = ({ top, left, height, width }: Box): [number, number, number, number] => [top, top + height, left, left + width];
