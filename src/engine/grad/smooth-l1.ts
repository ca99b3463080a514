import * as tf from '../tf.ts';
import { shapeError } from '../shape.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Mean over all elements of smooth L1, `d^2 / (2 beta)` where `|d| <= beta`, else `|d| - beta / 2`, with d the difference
 * (PyTorch's `smooth_l1_loss`). With c, d clipped to [-beta, beta], both cases are `c (d - c / 2) / beta` and the
 * derivative is `c / beta`. The gradient reaches the prediction only.
 * @returns scalar
 */
export function smoothL1(target: tf.Tensor, prediction: tf.Tensor, beta: number): tf.Scalar {
  if (!tf.util.arraysEqual(target.shape, prediction.shape)) {
    throw shapeError('prediction', target.shape, prediction.shape, 'Target and prediction must be compared element by element.');
  }
  return withGradient<tf.Scalar>([prediction], save => {
    const difference = tf.sub(prediction, target);
    const clipped = tf.clipByValue(difference, -beta, beta);
    save([clipped]);
    return {
      value: tf.div<tf.Scalar>(tf.mean(tf.mul(clipped, tf.sub(difference, tf.mul(clipped, 0.5)))), beta),
      gradient: (dy, [clipped]) => [tf.mul(clipped!, tf.mul(dy, 1 / (beta * prediction.size)))],
    };
  });
}
