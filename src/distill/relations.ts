/**
 * Relation distillation (TinyMIM, section 3.3, equations 4 and 9; `forward_kd_loss` of the released `models_tinymim.py`).
 * A relation XY of head m is `X_m Y_m^T / sqrt(D / M)`, with the width D / M of the network's own heads.
 */
import { ModelError } from '../nn/errors.ts';
import type { Qkv } from '../nn/block.ts';
import type { Params } from '../nn/params.ts';
import { extractFeatures, featureOf, type EncodeOptions, type Features, type Tap } from '../nn/vit.ts';
import { headsOf, type ViTConfig } from '../nn/config.ts';
import { meanSquaredError } from '../tensor/grad/squared-error.ts';
import { softmaxKl } from '../tensor/grad/softmax-kl.ts';
import * as tf from '../tensor/tf.ts';

/** Ordered pairs of queries, keys and values: `qk` relates queries to keys. */
export type RelationPair = 'qq' | 'qk' | 'qv' | 'kq' | 'kk' | 'kv' | 'vq' | 'vk' | 'vv';

/** Scaled products by pair, `[B, M, N, N]`: relations before any softmax. */
export type Relations = Readonly<Partial<Record<RelationPair, tf.Tensor4D>>>;

/** Which relations are taken from which block. */
export interface RelationTap {
  /** Counted from 1. */
  readonly block: number;
  readonly pairs: readonly RelationPair[];
}

/** The features that a tap needs. */
export function featuresOf({ block, pairs }: RelationTap): Tap {
  return { block, features: [...new Set(pairs.flatMap(members))] };
}

/** Relations of features that were extracted with `featuresOf(tap)`. */
export function relationsOf(features: Features, { block, pairs }: RelationTap): Relations {
  return Object.fromEntries(pairs.map(pair => {
    const [x, y] = members(pair);
    const take = (name: keyof Qkv) => featureOf(features, block, name) as tf.Tensor4D;
    return [pair, relationLogits(take(x), take(y))];
  }));
}

/**
 * Relations of one network, run as deep as needed.
 * @param images `[B, C, H, W]` float32, normalised
 */
export function relations(params: Params, images: tf.Tensor, config: ViTConfig, tap: RelationTap, options: EncodeOptions = {}): Relations {
  return relationsOf(extractFeatures(params, images, config, [featuresOf(tap)], options), tap);
}

/**
 * Relations that several students learn from one teacher, which runs once, to the deepest block that any needs. Call it
 * outside the gradient tape: nothing flows back to a teacher.
 * @returns in the order of the taps
 */
export function teacherRelations(params: Params, images: tf.Tensor, config: ViTConfig, taps: readonly RelationTap[]): Relations[] {
  const features = extractFeatures(params, images, config, taps.map(featuresOf));
  return taps.map(tap => relationsOf(features, tap));
}

/** `X Y^T / sqrt(D / M)`. @param x `[B, M, N, D / M]` @param y like x @returns `[B, M, N, N]` */
export function relationLogits(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  return tf.matMul(tf.mul<tf.Tensor4D>(x, x.shape[3] ** -0.5), y, false, true);
}

export interface RelationLoss {
  readonly loss: tf.Scalar;
  /** The loss is the sum of these. */
  readonly terms: Readonly<Partial<Record<RelationPair, tf.Scalar>>>;
}

/**
 * Sum over the teacher's pairs. With softmax, KL(teacher || student) of the softmax over the keys, averaged over batch,
 * heads and queries, class token included (as the released code does; the paper's equation averages over heads). Without,
 * the mean squared difference of the scaled products: the paper defines no loss for that case.
 * @throws ModelError when the networks have different numbers of heads or tokens, or the student lacks a pair
 */
export function relationLoss(student: Relations, teacher: Relations, softmax: boolean): RelationLoss {
  const divergence = softmax ? softmaxKl : meanSquaredError;
  const terms = Object.entries(teacher).map(([pair, target]) => {
    const relation = student[pair as RelationPair];
    if (relation === undefined) throw new ModelError('FEATURE', `Expected the student's relations to contain "${pair}", got ${Object.keys(student).join(', ')}. Tap the same pairs of both networks.`);
    expectAligned(relation, target);
    return [pair, divergence(target, relation)] as const;
  });
  if (terms.length === 0) throw new ModelError('FEATURE', 'Expected at least one relation of the teacher, got none.');
  return { loss: terms.map(([, term]) => term).reduce((sum, term) => tf.add(sum, term)), terms: Object.fromEntries(terms) };
}

/**
 * The student's configuration with its last block split into the heads of the teacher's block, so that relations can be
 * compared head by head (the paper's adaptive block).
 */
export function alignHeads(student: ViTConfig, teacher: ViTConfig, teacherBlock: number): ViTConfig {
  const heads = headsOf(teacher, teacherBlock);
  if (student.embed_dim % heads !== 0) {
    throw new ModelError('CONFIG', `Expected a student width that the teacher's ${heads} heads divide, got ${student.embed_dim}. Change the student's embed_dim or take another teacher.`);
  }
  return { ...student, last_block_heads: heads };
}

function expectAligned(student: tf.Tensor4D, teacher: tf.Tensor4D): void {
  const [, studentHeads, studentTokens] = student.shape, [, heads, tokens] = teacher.shape;
  if (studentHeads !== heads) {
    throw new ModelError('FEATURE', `Expected the student's relations to have the teacher's ${heads} heads, got ${studentHeads}. Set last_block_heads of the student (alignHeads) and tap its last block.`);
  }
  if (studentTokens !== tokens) {
    throw new ModelError('FEATURE', `Expected relations of ${tokens} tokens as the teacher has, got ${studentTokens}. Student and teacher need the same patch grid and the same visible patches.`);
  }
}

function members(pair: RelationPair): [keyof Qkv, keyof Qkv] {
  return [pair.charAt(0) as keyof Qkv, pair.charAt(1) as keyof Qkv];
}
