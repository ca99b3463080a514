/** Measures on held-out images: on the first of them, so that they cost little of a short training. */
import { evalBatches, inMemory, takeImages, type EvalBatch, type ImageSet } from '../data/image-set.ts';
import type { ScheduleRecipe } from './recipes.ts';

export const HELD_OUT_IMAGES = 1024;

/** In memory, as they are looked at more than once. */
export function heldOutImages(set: ImageSet): ImageSet {
  if (set.count <= HELD_OUT_IMAGES) return inMemory(set);
  const first = takeImages(
    set,
    Uint32Array.from({ length: HELD_OUT_IMAGES }, (_, i) => i),
    `${set.name}, first ${HELD_OUT_IMAGES}`,
  );
  return inMemory(first);
}

/** The same in batches of the size of a micro-batch, or all in one where there are fewer; what is left over is left out. */
export function heldOutBatches(set: ImageSet, { batch_size, accumulation_steps }: Pick<ScheduleRecipe, 'batch_size' | 'accumulation_steps'>): EvalBatch[] {
  const images = heldOutImages(set);
  const batchSize = Math.min(Math.floor(batch_size / accumulation_steps), images.count);
  return [...evalBatches(images, batchSize)].filter(({ labels }) => labels.length === batchSize);
}
