import * as tf from '../tf.ts';
import { shapeError } from '../shape.ts';
import { withGradient } from './with-gradient.ts';

/**
 * Kullback-Leibler divergence of softmax distributions, KL(teacher || student) = `sum t (log t - log s)` over the last
 * axis, averaged over all other axes. Logarithms are taken of the logits, so a probability that underflows stays finite.
 * The gradient reaches the student only.
 * @param teacherLogits `[..., C]`
 * @param studentLogits `[..., C]`
 * @returns scalar
 */
export function softmaxKl(teacherLogits: tf.Tensor, studentLogits: tf.Tensor): tf.Scalar {
  if (!tf.util.arraysEqual(teacherLogits.shape, studentLogits.shape)) {
    throw shapeError('student logits', teacherLogits.shape, studentLogits.shape, 'Teacher and student must be compared element by element.');
  }
  const rows = studentLogits.size / studentLogits.shape.at(-1)!;
  return withGradient<tf.Scalar>([studentLogits], save => {
    const teacher = exponentials(teacherLogits);
    const student = exponentials(studentLogits);
    const target = tf.div(teacher.exp, teacher.sum);
    const logRatio = tf.sub(tf.sub(teacher.shifted, student.shifted), tf.log(tf.div(teacher.sum, student.sum)));
    save([tf.div(tf.sub(tf.div(student.exp, student.sum), target), rows)]);
    return {
      value: tf.div<tf.Scalar>(tf.sum(tf.mul(target, logRatio)), rows),
      gradient: (dy, [difference]) => [tf.mul(dy, difference!)],
    };
  });
}

/** The distributions that `softmaxKl` compares. @param logits `[..., C]` @returns the same shape, sums of 1 over the last axis */
export function distributions(logits: tf.Tensor): tf.Tensor {
  const { exp, sum } = exponentials(logits);
  return tf.div(exp, sum);
}

/** Parts of a softmax over the last axis: `exp / sum` are the probabilities, `shifted - log(sum)` their logarithms. */
function exponentials(logits: tf.Tensor): { shifted: tf.Tensor; exp: tf.Tensor; sum: tf.Tensor } {
  const shifted = tf.sub(logits, tf.max(logits, -1, true));
  const exp = tf.exp(shifted);
  return { shifted, exp, sum: tf.sum(exp, -1, true) };
}
