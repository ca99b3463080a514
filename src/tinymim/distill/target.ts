/**
 * What a student learns from a teacher: which tensors of the two networks, which extra parameters of the student, and the
 * loss. The teacher runs outside the gradient tape, each network once.
 */
import type { ViTConfig } from '../nn/config.ts';
import { ModelError } from '../nn/errors.ts';
import { gatherTokens } from '../nn/gather-tokens.ts';
import { linearSpec, type ModelSpec } from '../nn/spec.ts';
import { featureOf, type Features, type Tap } from '../nn/vit.ts';
import type { Params } from '../../engine/formats/weights.ts';
import type * as tf from '../../engine/tf.ts';
import { classTokenMatcher, type ClassTokenTarget } from './class-token.ts';
import { featureMatcher, type FeatureTarget } from './feature.ts';
import { projectionName, type Matcher, type TargetLoss } from './matcher.ts';
import { relationMatcher, type RelationTarget } from './relations.ts';

export type Target = RelationTarget | FeatureTarget | ClassTokenTarget;

function matcherOf(target: Target): Matcher {
  switch (target.family) {
    case 'relation':
      return relationMatcher(target);
    case 'feature':
      return featureMatcher(target);
    case 'class-token':
      return classTokenMatcher(target);
  }
}

/** What the target needs of a block; the same of both networks. */
export function tapOf(target: Target, block: number): Tap {
  return { block, features: matcherOf(target).features };
}

/** Parameters that the student has for the sake of the target alone: linear layers to the teacher's width. */
export function projectionSpec(target: Target, student: ViTConfig, teacher: ViTConfig): ModelSpec {
  const { terms, projects } = matcherOf(target);
  const layers = terms.map(term => linearSpec(projectionName(term), student.embed_dim, teacher.embed_dim));
  return projects ? (Object.assign({}, ...layers) as ModelSpec) : {};
}

/** A network that has been run: `features` hold those of `tapOf(target, block)`. */
export interface Tapped {
  readonly params: Params;
  readonly features: Features;
  readonly block: number;
}

/**
 * What the student is to match, by the names of the loss's terms.
 * @param visible patches that a masked student sees of those that the teacher saw, `[B, K]` int32 in the student's order:
 *   the others are left out before anything is computed, so that softmaxes run over the student's tokens
 */
export function teacherTargets(target: Target, { params, features, block }: Tapped, visible?: tf.Tensor2D): Record<string, tf.Tensor> {
  return matcherOf(target).teacherTargets({
    params,
    take: name => (visible ? gatherTokens(featureOf(features, block, name), visible) : featureOf(features, block, name)),
  });
}

/**
 * How far the student is from the targets, and the terms of that.
 * @param targets from `teacherTargets`; may hold other tensors, too
 * @throws ModelError when heads, tokens or widths do not fit
 */
export function targetLoss(target: Target, { params, features, block }: Tapped, targets: Readonly<Record<string, tf.Tensor>>): TargetLoss {
  return matcherOf(target).loss({ params, take: name => featureOf(features, block, name) }, termsOf(target, targets));
}

/** The teacher's tensors as the loss compares them with the student's. @param targets by term */
export function comparedTargets(target: Target, targets: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  const { compared } = matcherOf(target);
  return Object.fromEntries(Object.entries(targets).map(([term, tensor]) => [term, compared(tensor)]));
}

/** Those that the loss is computed from, by term. @param targets from `teacherTargets`; may hold other tensors, too */
export function termsOf(target: Target, targets: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> {
  return Object.fromEntries(
    matcherOf(target).terms.map(term => {
      const tensor = targets[term];
      if (tensor === undefined) throw new ModelError('FEATURE', `Expected the teacher's "${term}" among the targets, got ${Object.keys(targets).join(', ')}. Take both from the same target.`);
      return [term, tensor];
    }),
  );
}
