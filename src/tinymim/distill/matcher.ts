/** What the three families of targets have in common: the features of each network, and how the two are compared. */
import { dense } from '../nn/block.ts';
import { ModelError } from '../nn/errors.ts';
import type { Feature } from '../nn/vit.ts';
import type { Params } from '../../engine/formats/weights.ts';
import { float32Products } from '../../engine/compile/float32-products.ts';
import * as tf from '../../engine/tf.ts';

/** One network, and what was taken from its block. */
export interface NetworkFeatures {
  readonly params: Params;
  /** Features as `extractFeatures` gives them; of the teacher, the tokens that the student sees. */
  readonly take: (name: Feature) => tf.Tensor;
}

export interface TargetLoss {
  readonly loss: tf.Scalar;
  /** The loss is the sum of these. */
  readonly terms: Readonly<Record<string, tf.Scalar>>;
}

/** How one target is taken from both networks and compared. */
export interface Matcher {
  /** What to take from the block of each network. */
  readonly features: readonly Feature[];
  /** Names of the terms of the loss, and of the teacher's tensors that they are computed from. */
  readonly terms: readonly string[];
  /** Whether the student's features pass through a linear layer to the teacher's width, one for each term: see `project`. */
  readonly projects: boolean;
  /** What the student is to match, by term. Call it outside the gradient tape: nothing flows back to a teacher. */
  teacherTargets(teacher: NetworkFeatures): Record<string, tf.Tensor>;
  /** One of these as the loss compares it with the student's: of a Kullback-Leibler divergence the distributions. */
  readonly compared: (target: tf.Tensor) => tf.Tensor;
  /** @throws ModelError when the student's tensors do not fit the targets */
  loss(student: NetworkFeatures, targets: Readonly<Record<string, tf.Tensor>>): TargetLoss;
}

/** Name of the student's linear layer for a term. */
export const projectionName = (term: string): string => `projection.${term}`;

/**
 * The student's features at the teacher's width.
 * @param x `[..., Ds]`
 * @returns `[..., Dt]`
 */
export function project(params: Params, term: string, x: tf.Tensor): tf.Tensor {
  const width = x.shape.at(-1)!;
  const rows = float32Products(() => dense(params, projectionName(term), tf.reshape(x, [-1, width])));
  return tf.reshape(rows, [...x.shape.slice(0, -1), rows.shape[1]]);
}

/** Sum of the terms of the targets. @param term loss of one term, given its target */
export function sumOfTerms(targets: Readonly<Record<string, tf.Tensor>>, term: (name: string, target: tf.Tensor) => tf.Scalar): TargetLoss {
  const terms = Object.entries(targets).map(([name, target]) => [name, term(name, target)] as const);
  if (terms.length === 0) throw new ModelError('FEATURE', 'Expected at least one tensor of the teacher to match, got none.');
  return { loss: terms.map(([, loss]) => loss).reduce((sum, loss) => tf.add(sum, loss)), terms: Object.fromEntries(terms) };
}

/** @throws ModelError unless a prediction `[..., N, D]` or `[B, D]` has the shape of its target */
export function expectSameShape(term: string, prediction: tf.Tensor, target: tf.Tensor): void {
  if (tf.util.arraysEqual(prediction.shape, target.shape)) return;
  throw new ModelError(
    'FEATURE',
    `Expected the student's "${term}" of the shape of the teacher's, [${target.shape.join(', ')}], got [${prediction.shape.join(', ')}]. ` +
      "Student and teacher need the same patch grid and the same visible patches, and the projection has to end at the teacher's width.",
  );
}
