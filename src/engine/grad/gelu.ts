import { GELU } from '../compile/bfloat16.ts';
import { composite } from '../compile/record.ts';
import * as tf from '../tf.ts';
import { withGradient } from './with-gradient.ts';

const INVERSE_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/** Exact GELU, `x * Phi(x)` with the normal distribution function by `erf` (Hendrycks and Gimpel 2016; PyTorch's default). */
export function gelu<T extends tf.Tensor>(x: T): T {
  return withGradient<T>([x], save => {
    const [value] = composite(GELU, [x], () => {
      const cdf = tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
      save([x, cdf]);
      return [tf.mul<T>(x, cdf)] as const;
    });
    return {
      value,
      gradient: (dy, [x, cdf]) => {
        const pdf = tf.mul(tf.exp(tf.mul(tf.square(x!), -0.5)), INVERSE_SQRT_2PI);
        return [tf.mul(dy, tf.add(cdf!, tf.mul(x!, pdf)))];
      },
    };
  });
}
