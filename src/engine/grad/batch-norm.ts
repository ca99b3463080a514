import * as tf from '../tf.ts';
import type { Affine } from './layer-norm.ts';
import { withGradient } from './with-gradient.ts';

/** Of the rows of a batch, `[C]` each. */
interface Moments {
  readonly mean: tf.Tensor;
  /** Biased: what the batch is divided by. */
  readonly variance: tf.Tensor;
}

/**
 * Batch normalisation in training, of each channel over all rows: `(x - mean) / sqrt(var + eps) * weight + bias` (`nn.BatchNorm2d`).
 * @param x `[R, C]`
 * @param moments is given those of the batch, for its running averages; it must keep (`tf.keep`) what it makes of them
 */
export function batchNorm(x: tf.Tensor2D, eps: number, { weight, bias }: Affine, moments: (of: Moments) => void): tf.Tensor2D {
  return withGradient<tf.Tensor2D>([x, weight, bias], save => {
    const mean = tf.mean(x, 0);
    const centred = tf.sub<tf.Tensor2D>(x, mean);
    const variance = tf.mean(tf.square(centred), 0);
    moments({ mean, variance });
    const rstd = tf.rsqrt(tf.add(variance, eps));
    const normal = tf.mul<tf.Tensor2D>(centred, rstd);
    save([normal, rstd, weight]);
    return {
      value: tf.add<tf.Tensor2D>(tf.mul(normal, weight), bias),
      gradient: (dy, [normal, rstd, weight]) => {
        const toBias = tf.sum(dy, 0),
          toWeight = tf.sum(tf.mul(dy, normal!), 0);
        const rows = dy.shape[0];
        const left = tf.sub(tf.sub(dy, tf.div(toBias, rows)), tf.mul(normal!, tf.div(toWeight, rows)));
        return [tf.mul(left, tf.mul(weight!, rstd!)), toWeight, toBias];
      },
    };
  });
}
