import * as tf from '../tf.ts';
import { shapeError } from '../shape.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Cross entropy with soft targets, `mean_b sum_c -target log softmax(logits)` (timm's `SoftTargetCrossEntropy`).
 * The gradient reaches the logits only.
 * @param targets `[B, C]` distributions
 * @param logits `[B, C]`
 * @returns scalar
 */
export function softmaxCrossEntropy(targets: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  if (!tf.util.arraysEqual(targets.shape, logits.shape)) {
    throw shapeError('targets', logits.shape, targets.shape, 'Give one target distribution over the classes for each row of logits.');
  }
  const rows = logits.shape[0];
  return withGradient<tf.Scalar>([logits], save => {
    const shifted = tf.sub(logits, tf.max(logits, -1, true));
    const exp = tf.exp(shifted);
    const sum = tf.sum(exp, -1, true);
    const mass = tf.sum(targets, -1, true); // 1 up to rounding
    save([tf.div(tf.sub(tf.mul(tf.div(exp, sum), mass), targets), rows)]);
    return {
      value: tf.div<tf.Scalar>(tf.sum(tf.mul(targets, tf.sub(tf.log(sum), shifted))), rows),
      gradient: (dy, [difference]) => [tf.mul(dy, difference!)],
    };
  });
}
