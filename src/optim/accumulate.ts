/** Gradient accumulation: an optimizer step over more images than fit into memory at once. */
import * as tf from '../tensor/tf.ts';
import { disposeReplaced, type Params } from '../tensor/weights.ts';

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

/** What one micro-batch gives; values such as the loss are averaged like the gradients. */
export interface MicroStep {
  readonly values: Params;
  readonly grads: Params;
}

/**
 * Runs all micro-batches of one optimizer step and gives the means of their values and gradients, which are the caller's.
 * Micro-batches must be of equal size: then the mean is that of the whole batch.
 * @param microStep forward and backward of micro-batch `index`; its tensors are taken over
 */
export function overMicroBatches(microBatches: number, microStep: (index: number) => MicroStep): MicroStep {
  if (!Number.isInteger(microBatches) || microBatches < 1) {
    throw new RangeError(`Expected at least one micro-batch, got ${microBatches}.`);
  }
  let mean: MicroStep | undefined;
  for (let index = 0; index < microBatches; index++) {
    const one = microStep(index);
    const before = mean;
    const after = {
      values: accumulateGrads(before?.values, one.values, microBatches),
      grads: accumulateGrads(before?.grads, one.grads, microBatches),
    };
    for (const part of ['values', 'grads'] as const) {
      disposeReplaced(one[part], after[part]);
      if (before) disposeReplaced(before[part], after[part]);
    }
    mean = after;
  }
  return mean!;
}
