/**
 * Relation distillation (TinyMIM, section 3.3, equations 4 and 9; `forward_kd_loss` of the released `models_tinymim.py`).
 * A relation XY of head m is `X_m Y_m^T / sqrt(D / M)`, with the width D / M of the network's own heads.
 */
import { ModelError } from '../nn/errors.ts';
import { mergeHeads, type Qkv } from '../nn/block.ts';
import { float32Products } from '../../engine/compile/float32-products.ts';
import { smoothL1 } from '../../engine/grad/smooth-l1.ts';
import { meanSquaredError } from '../../engine/grad/squared-error.ts';
import { distributions, softmaxKl } from '../../engine/grad/softmax-kl.ts';
import * as tf from '../../engine/tf.ts';
import { BETA } from './feature.ts';
import { sumOfTerms, type Matcher, type NetworkFeatures, type TargetLoss } from './matcher.ts';

/** Ordered pairs of queries, keys and values: `qk` relates queries to keys. @internal */
export type RelationPair = 'qq' | 'qk' | 'qv' | 'kq' | 'kk' | 'kv' | 'vq' | 'vk' | 'vv';

export interface RelationTarget {
  readonly family: 'relation';
  readonly pairs: readonly RelationPair[];
  /** `kl` passes the relations through a softmax; without one, the paper defines no loss. */
  readonly loss: 'kl' | 'mse' | 'smooth_l1';
  /** Compared head by head, or as means over the heads of each network. */
  readonly heads: 'aligned' | 'averaged';
}

/** Scaled products by pair, `[B, M, N, N]`: relations before any softmax. Averaged over the heads, M is 1. @internal */
export type Relations = Readonly<Partial<Record<RelationPair, tf.Tensor4D>>>;

export function relationMatcher(target: RelationTarget): Matcher {
  const features = [...new Set(target.pairs.flatMap(members))];
  const relations = ({ take }: NetworkFeatures): Relations => relationsOf(Object.fromEntries(features.map(name => [name, take(name) as tf.Tensor4D])), target.pairs, target.heads);
  return {
    features,
    terms: target.pairs,
    projects: false,
    teacherTargets: side => relations(side),
    compared: relation => (target.loss === 'kl' ? distributions(relation) : relation),
    loss: (side, targets) => relationLoss(relations(side), targets, target.loss),
  };
}

/** Relations of queries, keys and values, as far as the pairs need them. */
function relationsOf(qkv: Readonly<Partial<Qkv>>, pairs: readonly RelationPair[], heads: RelationTarget['heads']): Relations {
  return Object.fromEntries(
    pairs.map(pair => {
      const [x, y] = members(pair);
      return [pair, (heads === 'aligned' ? relationLogits : averagedRelationLogits)(qkv[x]!, qkv[y]!)];
    }),
  );
}

/** `X Y^T / sqrt(D / M)`. @param x `[B, M, N, D / M]` @param y like x @returns `[B, M, N, N]` @internal */
export function relationLogits(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  return float32Products(() => tf.matMul<tf.Tensor4D>(tf.mul(x, x.shape[3] ** -0.5), y, false, true));
}

/**
 * Mean over the heads of `relationLogits`, as one product: the products of the heads sum to that of the concatenated heads.
 * @returns `[B, 1, N, N]`
 * @internal
 */
export function averagedRelationLogits(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  const [batch, heads, tokens, headDim] = x.shape;
  const joined = (t: tf.Tensor4D): tf.Tensor4D => tf.reshape(mergeHeads(t), [batch, 1, tokens, heads * headDim]);
  return float32Products(() => tf.matMul<tf.Tensor4D>(tf.mul(joined(x), headDim ** -0.5 / heads), joined(y), false, true));
}

const LOSSES = {
  kl: softmaxKl,
  mse: meanSquaredError,
  smooth_l1: (target: tf.Tensor, prediction: tf.Tensor) => smoothL1(target, prediction, BETA),
} as const satisfies Record<RelationTarget['loss'], (target: tf.Tensor, prediction: tf.Tensor) => tf.Scalar>;

/**
 * Sum over the teacher's pairs. `kl`: KL(teacher || student) of the softmax over the keys, averaged over batch, heads and
 * queries, class token included (as the released code does; the paper's equation averages over heads). Else the mean over
 * all elements of the scaled products' squared difference, or of their smooth L1 with the beta of the features.
 * @throws ModelError when the networks have different numbers of heads or tokens, or the student lacks a pair
 * @internal
 */
export function relationLoss(student: Relations, teacher: Readonly<Record<string, tf.Tensor>>, loss: RelationTarget['loss']): TargetLoss {
  return sumOfTerms(teacher, (pair, target) => {
    const relation = student[pair as RelationPair];
    if (relation === undefined) throw new ModelError('FEATURE', `Expected the student's relations to contain "${pair}", got ${Object.keys(student).join(', ')}. Tap the same pairs of both networks.`);
    expectAligned(relation, target);
    return LOSSES[loss](target, relation);
  });
}

function expectAligned(student: tf.Tensor, teacher: tf.Tensor): void {
  const [, studentHeads, studentTokens] = student.shape,
    [, heads, tokens] = teacher.shape;
  if (studentHeads !== heads) throw headsError(studentHeads!, heads!);
  if (studentTokens !== tokens) {
    throw new ModelError('FEATURE', `Expected relations of ${tokens} tokens as the teacher has, got ${studentTokens}. Student and teacher need the same patch grid and the same visible patches.`);
  }
}

function headsError(student: number, teacher: number): ModelError {
  return new ModelError(
    'FEATURE',
    `Expected the student's relations to have the teacher's ${teacher} heads, got ${student}. Set last_block_heads of the student's model to ${teacher}, or compare heads: 'averaged'.`,
  );
}

function members(pair: RelationPair): [keyof Qkv, keyof Qkv] {
  return [pair.charAt(0) as keyof Qkv, pair.charAt(1) as keyof Qkv];
}
