import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Mean over the tokens from number `first` on (the gradient of `tf.mean` would upload a tensor of ones each time).
 * @param x `[B, N, D]`
 * @returns `[B, D]`
 */
export function meanTokens(x: tf.Tensor3D, first: number): tf.Tensor2D {
  const [batch, tokens, dim] = x.shape;
  const counted = tokens - first;
  return withGradient<tf.Tensor2D>([x], () => ({
    value: tf.mean<tf.Tensor2D>(tf.slice(x, [0, first, 0], [batch, counted, dim]), 1),
    gradient: dy => {
      const share = tf.tensor([...Array<number>(first).fill(0), ...Array<number>(counted).fill(1 / counted)], [1, tokens, 1]);
      return [tf.mul(tf.reshape(dy, [batch, 1, dim]), share)];
    },
  }));
}
