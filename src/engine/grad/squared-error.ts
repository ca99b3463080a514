import * as tf from '../tf.ts';
import { shapeError } from '../shape.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Mean squared difference over all elements. The gradient reaches the prediction only.
 * @returns scalar
 */
export function meanSquaredError(target: tf.Tensor, prediction: tf.Tensor): tf.Scalar {
  expectSameShape(target, prediction);
  return withGradient<tf.Scalar>([prediction], save => {
    const difference = tf.sub(prediction, target);
    save([difference]);
    return {
      value: tf.mean<tf.Scalar>(tf.square(difference)),
      gradient: (dy, [difference]) => [tf.mul(difference!, tf.mul(dy, 2 / prediction.size))],
    };
  });
}

/**
 * Weighted sum of the rows' mean squared differences: `sum_r weight_r mean_c (prediction - target)^2`.
 * The gradient reaches prediction and target, not the weights.
 * @param target `[R, C]`
 * @param prediction `[R, C]`
 * @param weight `[R, 1]`
 * @returns scalar
 */
export function weightedSquaredError(target: tf.Tensor2D, prediction: tf.Tensor2D, weight: tf.Tensor2D): tf.Scalar {
  expectSameShape(target, prediction);
  const columns = prediction.shape[1];
  return withGradient<tf.Scalar>([target, prediction], save => {
    const difference = tf.sub(prediction, target);
    const weighted = tf.mul(difference, weight);
    save([weighted]);
    return {
      value: tf.div<tf.Scalar>(tf.sum(tf.mul(difference, weighted)), columns),
      gradient: (dy, [weighted]) => {
        const toPrediction = tf.mul(weighted!, tf.mul(dy, 2 / columns));
        return [tf.neg(toPrediction), toPrediction];
      },
    };
  });
}

function expectSameShape(target: tf.Tensor, prediction: tf.Tensor): void {
  if (!tf.util.arraysEqual(target.shape, prediction.shape)) {
    throw shapeError('prediction', target.shape, prediction.shape, 'Target and prediction must be compared element by element.');
  }
}
