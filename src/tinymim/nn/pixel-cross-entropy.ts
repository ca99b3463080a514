import { softmaxCrossEntropy } from '../../engine/grad/cross-entropy.ts';
import * as tf from '../../engine/tf.ts';

/**
 * Cross entropy of the classes of pixels. Pixels with a label beyond the classes (`IGNORED`, 255) add nothing, and the mean is over all pixels with
 * them, as mmsegmentation 0.11 has it (mmseg/models/losses/cross_entropy_loss.py).
 * @param labels `[B, H, W]` int32
 * @param logits `[B, H, W, C]`
 * @returns scalar
 */
export function pixelCrossEntropy(labels: tf.Tensor, logits: tf.Tensor4D): tf.Scalar {
  const classes = logits.shape[3];
  const numbers = tf.tensor2d(
    Array.from({ length: classes }, (_, i) => i),
    [1, classes],
  );
  const targets = tf.cast(tf.equal(tf.reshape(tf.cast(labels, 'float32'), [-1, 1]), numbers), 'float32');
  return softmaxCrossEntropy(targets, tf.reshape(logits, [-1, classes]));
}
