/** Losses and accuracy over a whole set of images, in order and without augmentation. */
import { evalBatches, type ImageSet } from '../data/image-set.ts';
import { classify } from '../nn/classifier.ts';
import type { ViTConfig } from '../nn/config.ts';
import { softTargets } from '../nn/mixup.ts';
import { softmaxCrossEntropy } from '../tensor/grad/cross-entropy.ts';
import * as tf from '../tensor/tf.ts';
import type { Params } from '../tensor/weights.ts';
import { normalise, pixels, type Normalisation } from './images.ts';
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

export interface Score {
  readonly correct: number;
  readonly count: number;
  /** Mean cross entropy with the labels, no smoothing. */
  readonly loss: number;
}

/** Top-1 of a classifier with global pooling. */
export function score(params: Params, config: ViTConfig, set: ImageSet, normalisation: Normalisation, batchSize: number): Score {
  let correct = 0, loss = 0;
  for (const { images, labels } of evalBatches(set, batchSize)) {
    const { data, shape } = pixels(images, shapeOf(set));
    const { predicted, entropy } = tf.tidy(() => {
      const logits = classify(params, normalise(tf.tensor(data, [...shape]), normalisation), config);
      const targets = tf.tensor2d(softTargets(labels, set.classes.length, 0), [labels.length, set.classes.length]);
      return { predicted: tf.argMax(logits, 1), entropy: softmaxCrossEntropy(targets, logits) };
    });
    const best = predicted.dataSync();
    labels.forEach((label, i) => { if (best[i] === label) correct += 1; });
    loss += entropy.dataSync()[0]! * labels.length;
    tf.dispose([predicted, entropy]);
  }
  return { correct, count: set.count, loss: loss / set.count };
}
