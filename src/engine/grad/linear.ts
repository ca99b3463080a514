import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

/**
 * `x W^T + b`, as PyTorch's `nn.Linear`.
 * @param x `[R, in]`; tokens `[B, N, in]` are reshaped by the caller, as the gradient of a product of ranks 3 and 2 is wrong in tfjs
 * @param weight `[out, in]`
 * @param bias `[out]`
 * @returns `[R, out]`
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, weight, bias], save => {
    save([x, weight]);
    const value = tf.add<tf.Tensor2D>(tf.matMul(x, weight, false, true), bias);
    return {
      value,
      gradient: (dy, [x, weight]) => [tf.matMul(dy, weight!), tf.matMul(dy, x!, true, false), tf.sum(dy, 0)],
    };
  });
}
