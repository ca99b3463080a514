/** A running average of the weights, as timm keeps one (`timm.utils.ModelEma`): beside the training, which it does not touch. */
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';

/**
 * `decay * average + (1 - decay) * params`, of each parameter that has an average. It starts as the initial weights, without correction for that.
 * Pure; the results are the caller's.
 */
export function updatedAverage(average: Params, params: Params, decay: number): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const kept = tf.scalar(decay),
      taken = tf.scalar(1 - decay);
    return Object.fromEntries(Object.entries(average).map(([name, mean]) => [name, tf.add<tf.Tensor>(tf.mul(mean, kept), tf.mul(params[name]!, taken))]));
  });
}
