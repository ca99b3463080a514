/**
 * How much a teacher's targets vary over images. A student of targets that are the same for every image can satisfy its loss without
 * looking at the image, and learns nothing: its loss alone, near 0 from the start, looks like success.
 */
import { comparedTargets, termsOf, type Target } from '../distill/target.ts';
import * as tf from '../../engine/tf.ts';
import type { ImageSet } from '../data/image-set.ts';
import { createEvaluator } from './evaluator.ts';
import { heldOutBatches } from './held-out.ts';
import type { EngineRecipe } from './recipes.ts';
import { graphSignature } from './signature.ts';
import { alignedInputs, forwardTeacher, type Student } from './students.ts';
import type { Teacher } from './teacher.ts';
import { upload, type Inputs } from './train-step.ts';

/**
 * Of each student's targets of the first held-out batch, without drop path, and with one mask for all images. None where the batch has a single image. Whoever
 * is beside a student, its number has the same bits.
 */
export function targetSpreads<S extends Student>(students: readonly S[], teacher: Teacher, set: ImageSet): Map<S, number> {
  const [first] = heldOutBatches(set, students[0]!.schedule);
  if (first === undefined || first.labels.length < 2) return new Map();
  const inputs = upload(alignedInputs(students, set, first.images));
  const spreads = new Map<S, number>();
  try {
    forwardTeacher(teacher, inputs, students, (student, own) => {
      spreads.set(student, targetSpread(student.context.recipe.target, own, student.engine));
    });
  } finally {
    tf.dispose(inputs);
  }
  return spreads;
}

/**
 * `sqrt(mean |t - mean t|^2 / mean |t|^2)` over images, where t is the target of an image as the loss compares it: 0 where it is the same for all of
 * them, 1 where its mean is 0. Of several terms that which varies most: the loss is their sum, so a student learns from it however large
 * and constant the others are.
 * @param targets of a batch of at least two images, as `teacherTargets` gives them; may hold other tensors, too
 * @internal
 */
export function targetSpread(target: Target, targets: Inputs, engine: EngineRecipe): number {
  const evaluator = createEvaluator((_, given) => energies(comparedTargets(target, given)), { engine, signature: graphSignature('target-spread', { target, engine }) });
  try {
    evaluator.use({});
    const sums = evaluator.runArrays(termsOf(target, targets));
    const terms = Object.keys(sums).flatMap(name => (name.startsWith(VARYING) ? [name.slice(VARYING.length)] : []));
    return Math.max(...terms.map(term => Math.sqrt(sumOf(sums[VARYING + term]!) / (sumOf(sums[WHOLE + term]!) || 1))));
  } finally {
    evaluator.dispose();
  }
}

const VARYING = 'varying/',
  WHOLE = 'whole/';

/** Of each image `|t - mean t|^2` and `|t|^2`, `[B]`: sums along rows have the same bits with any number of threads. */
function energies(targets: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(targets).flatMap(([term, target]) => {
      const rows = tf.reshape(target, [target.shape[0], -1]);
      return [
        [VARYING + term, tf.sum(tf.square(tf.sub(rows, tf.mean(rows, 0, true))), 1)],
        [WHOLE + term, tf.sum(tf.square(rows), 1)],
      ] as const;
    }),
  );
}

const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
