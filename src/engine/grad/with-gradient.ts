import * as tf from '../tf.ts';

/** Value of a function and its gradient with respect to each input, in the order of the inputs. */
export interface Differentiable<T extends tf.Tensor> {
  readonly value: T;
  /** `saved`: the tensors given to `save`, in their order. Tensors of the forward pass may be gone by now: use only these. */
  readonly gradient: (dy: T, saved: tf.Tensor[]) => tf.Tensor[];
}

/**
 * Typed `tf.customGrad`: the ops within `forward` are not recorded, `gradient` replaces their derivatives.
 * @param forward calls `save` once at most (a second call forgets, and leaks, the tensors of the first)
 */
export function withGradient<T extends tf.Tensor>(inputs: readonly tf.Tensor[], forward: (save: (tensors: tf.Tensor[]) => void) => Differentiable<T>): T {
  return tf.customGrad<T>((...inputsAndSave) => {
    const { value, gradient } = forward(inputsAndSave.at(-1) as (tensors: tf.Tensor[]) => void);
    return { value, gradFunc: gradient };
  })(...inputs);
}
