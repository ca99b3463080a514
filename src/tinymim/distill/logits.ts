/** What a student learns of a teacher that classifies: DeiT's distillation through the logits (Touvron et al. 2021, equations 2 and 3). */
import { softmaxCrossEntropy } from '../../engine/grad/cross-entropy.ts';
import { softmaxKl } from '../../engine/grad/softmax-kl.ts';
import * as tf from '../../engine/tf.ts';

/** `hard`: the class that the teacher would choose is a label. `soft`: its distribution is to be matched, both at temperature `tau`. */
export type LogitTarget = { readonly type: 'hard' } | { readonly type: 'soft'; readonly tau: number };

/**
 * `hard`: cross entropy with the teacher's class. `soft`: `tau^2 / (B C) sum KL(teacher || student)` of softmaxes of logits over tau; that the
 * sum is divided by the number of classes, too, is the released code's (`facebookresearch/deit`, `losses.py`), not the paper's. The gradient
 * reaches the student only.
 * @param teacher `[B, C]`
 * @param student `[B, C]`
 * @returns scalar
 */
export function logitLoss(target: LogitTarget, teacher: tf.Tensor, student: tf.Tensor2D): tf.Scalar {
  const classes = student.shape[1];
  // Cast, as tfjs-backend-wasm writes integers into a one-hot tensor of whatever type.
  if (target.type === 'hard') return softmaxCrossEntropy(tf.cast(tf.oneHot(tf.argMax(teacher, 1), classes), 'float32'), student);
  const { tau } = target;
  const cooled = (logits: tf.Tensor): tf.Tensor => (tau === 1 ? logits : tf.mul(logits, 1 / tau));
  return tf.mul(softmaxKl(cooled(teacher), cooled(student)), tau ** 2 / classes);
}
