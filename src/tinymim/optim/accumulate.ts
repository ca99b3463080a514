/** Gradient accumulation: an optimizer step over more images than fit into memory at once. */
import * as tf from '../../engine/tf.ts';
import type { Params } from '../../engine/formats/weights.ts';

/**
 * Adds one micro-batch's share to the sum, so that after all of them the sum is the gradient of the mean loss:
 * sum + grads / microBatches. Pure; the results are the caller's. A parameter that a micro-batch has no gradient for
 * counts as zero there, as PyTorch's `.grad` does. With one micro-batch the gradients are handed through without an op.
 * @param sum of the micro-batches before this one; undefined for the first
 */
export function accumulateGrads(sum: Params | undefined, grads: Params, microBatches: number): Record<string, tf.Tensor> {
  if (microBatches === 1) return { ...grads };
  return tf.tidy(() => {
    const share = tf.scalar(1 / microBatches);
    const next = { ...sum };
    for (const [name, grad] of Object.entries(grads)) {
      const scaled = tf.mul(grad, share);
      next[name] = next[name] === undefined ? scaled : tf.add(next[name], scaled);
    }
    return next;
  });
}
