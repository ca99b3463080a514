/** Class-token distillation (TinyMIM, section 3.2, equation 6), in the readings that the paper leaves open. */
import { norm } from '../nn/block.ts';
import { distributions, softmaxKl } from '../../engine/grad/softmax-kl.ts';
import { meanSquaredError } from '../../engine/grad/squared-error.ts';
import * as tf from '../../engine/tf.ts';
import { expectSameShape, project, sumOfTerms, type Matcher, type NetworkFeatures } from './matcher.ts';

export interface ClassTokenTarget {
  readonly family: 'class-token';
  readonly loss: 'kl' | 'mse';
  /** Divides the features of both networks before the softmax of `kl`. */
  readonly temperature: number;
  /** Both networks' tokens pass through their own final norm first. */
  readonly final_norm: boolean;
}

const TERM = 'class_token';

/** The student's class token is projected to the teacher's width. */
export function classTokenMatcher(target: ClassTokenTarget): Matcher {
  const classToken = ({ params, take }: NetworkFeatures): tf.Tensor2D => {
    const tokens = take('block') as tf.Tensor3D;
    const [batch, , dim] = tokens.shape;
    const first: tf.Tensor2D = tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, dim]), [batch, dim]);
    return target.final_norm ? norm(params, 'norm', first) : first;
  };
  return {
    features: ['block'],
    terms: [TERM],
    projects: true,
    teacherTargets: side => ({ [TERM]: classToken(side) }),
    compared: token => (target.loss === 'kl' ? distributions(tf.div(token, target.temperature)) : token),
    loss: (side, targets) =>
      sumOfTerms(targets, (term, token) => {
        const prediction = project(side.params, term, classToken(side));
        expectSameShape(term, prediction, token);
        return classTokenLoss(token, prediction, target);
      }),
  };
}

/**
 * `kl`: softmax over the features of both, KL(teacher || student), mean over the batch. `mse`: mean over all elements.
 * @param teacher `[B, D]`
 * @param student `[B, D]`
 * @internal
 */
export function classTokenLoss(teacher: tf.Tensor, student: tf.Tensor, { loss, temperature }: Pick<ClassTokenTarget, 'loss' | 'temperature'>): tf.Scalar {
  if (loss === 'mse') return meanSquaredError(teacher, student);
  return softmaxKl(tf.div(teacher, temperature), tf.div(student, temperature));
}
