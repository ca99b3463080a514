/** Losses over a whole set of images, in order and without augmentation. */
import { evalBatches, type ImageSet } from '../data/image-set.ts';
import type { Params } from '../tensor/weights.ts';
import { evaluateLosses, type HostInputs, type Objective } from './train-step.ts';

export const shapeOf = ({ height, width, channels }: ImageSet): [number, number, number] => [height, width, channels];

/**
 * Mean of the losses over the images of a set.
 * @param inputs what the objective reads for one batch; `index` counts the batches
 */
export function meanLosses(
  objective: Objective, params: Params, set: ImageSet, batchSize: number, inputs: (images: Uint8Array, index: number) => HostInputs,
): Record<string, number> {
  const totals: Record<string, number> = {};
  let index = 0;
  for (const { images, labels } of evalBatches(set, batchSize)) {
    for (const [name, value] of Object.entries(evaluateLosses(objective, params, inputs(images, index)))) {
      totals[name] = (totals[name] ?? 0) + value * labels.length;
    }
    index += 1;
  }
  return Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / set.count]));
}
