/**
 * Feature distillation (TinyMIM, section 3.2, equations 7 and 8; the loss of SwinTransformer/Feature-Distillation): smooth
 * L1 between the student's features, projected to the teacher's width, and the teacher's, whitened by a LayerNorm without
 * affine parameters.
 */
import { mergeHeads, norm } from '../nn/block.ts';
import { layerNorm } from '../../engine/grad/layer-norm.ts';
import { smoothL1 } from '../../engine/grad/smooth-l1.ts';
import * as tf from '../../engine/tf.ts';
import { expectSameShape, project, sumOfTerms, type Matcher, type NetworkFeatures } from './matcher.ts';

export interface FeatureTarget {
  readonly family: 'feature';
  /** Names as in `BlockTensors`; `qkv` is three terms, each with its heads concatenated. */
  readonly feature: 'block' | 'ffn' | 'attention' | 'attention_residual' | 'qkv';
  /** Both networks' `block` passes through their own final norm first. */
  readonly final_norm: boolean;
  readonly class_token: boolean;
}

/** Of the smooth L1 (equation 8). */
export const BETA = 2;

/** Of the whitening: PyTorch's default, not that of the ViT. */
const WHITENING_EPS = 1e-5;

/** Removes mean and scale of each token. @param x `[..., D]` @internal */
export const whiten = (x: tf.Tensor): tf.Tensor => layerNorm(x, WHITENING_EPS);

export function featureMatcher(target: FeatureTarget): Matcher {
  const features = target.feature === 'qkv' ? (['q', 'k', 'v'] as const) : ([target.feature] as const);
  const tokensOf = ({ params, take }: NetworkFeatures, name: (typeof features)[number]): tf.Tensor => {
    const taken = take(name);
    const tokens = taken.rank === 4 ? concatenateHeads(taken as tf.Tensor4D) : (taken as tf.Tensor3D);
    const compared = target.class_token ? tokens : tf.slice(tokens, [0, 1, 0]);
    return target.final_norm ? norm(params, 'norm', compared) : compared;
  };
  return {
    features,
    terms: features,
    projects: true,
    teacherTargets: side => Object.fromEntries(features.map(name => [name, whiten(tokensOf(side, name))])),
    compared: whitened => whitened,
    loss: (side, targets) =>
      sumOfTerms(targets, (name, whitened) => {
        const prediction = project(side.params, name, tokensOf(side, name as (typeof features)[number]));
        expectSameShape(name, prediction, whitened);
        return smoothL1(whitened, prediction, BETA);
      }),
  };
}

/** `[B, H, N, D / H]` to `[B, N, D]`. */
function concatenateHeads(x: tf.Tensor4D): tf.Tensor3D {
  const [batch, heads, tokens, headDim] = x.shape;
  return tf.reshape(mergeHeads(x), [batch, tokens, heads * headDim]);
}
