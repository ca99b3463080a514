/** The ViT as a classifier (`models_vit.py` of MAE and TinyMIM; class-token variant as in timm; two heads as in DeiT). */
import { gelu } from '../../engine/grad/gelu.ts';
import { layerNorm } from '../../engine/grad/layer-norm.ts';
import { meanTokens } from '../../engine/grad/mean-tokens.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { dense, norm } from './block.ts';
import { FEATURE_NORM_EPS, type ClassifierConfig } from './config.ts';
import type { DropPath } from './drop-path.ts';
import { param } from './params.ts';
import { encode } from './vit.ts';

interface ClassifyOptions {
  readonly dropPath?: DropPath;
}

/**
 * With a distillation token the mean of both heads, as DeiT predicts (`models.py`).
 * @param images `[B, C, H, W]` float32, normalised
 * @returns logits `[B, classes]`
 */
export function classify(params: Params, images: tf.Tensor, config: ClassifierConfig, options: ClassifyOptions = {}): tf.Tensor2D {
  if (config.dist_token !== true) return dense(params, 'head', poolTokens(params, encode(params, images, config, options), config));
  const { head, head_dist } = classifyTwice(params, images, config, options);
  return tf.mul(tf.add(head, head_dist), 0.5);
}

/**
 * Logits of both heads, `[B, classes]` each: `head` reads the class token and learns labels, `head_dist` reads the distillation token
 * and learns from a teacher (`DistilledVisionTransformer` of DeiT, `models.py`).
 * @param images `[B, C, H, W]` float32, normalised
 */
export function classifyTwice(params: Params, images: tf.Tensor, config: ClassifierConfig, options: ClassifyOptions = {}): Readonly<Record<'head' | 'head_dist', tf.Tensor2D>> {
  const tokens = encode(params, images, config, options);
  return { head: dense(params, 'head', tokenFeatures(params, tokens, 0, config)), head_dist: dense(params, 'head_dist', tokenFeatures(params, tokens, 1, config)) };
}

/**
 * @param tokens `[B, N, D]`, class token first
 * @returns normalised features of the images, `[B, D]`, or `[B, feature_dim]`
 * @internal
 */
export function poolTokens(params: Params, tokens: tf.Tensor3D, config: Pick<ClassifierConfig, 'pool' | 'feature_dim'>): tf.Tensor2D {
  return config.pool === 'class_token' ? tokenFeatures(params, tokens, 0, config) : norm(params, 'fc_norm', meanTokens(tokens, 1));
}

/** What a head reads of the token with this number: the final norm, or TinyMIM*'s features in its place. */
function tokenFeatures(params: Params, tokens: tf.Tensor3D, token: number, { feature_dim }: Pick<ClassifierConfig, 'feature_dim'>): tf.Tensor2D {
  const [batch, , dim] = tokens.shape;
  const x = tf.reshape<tf.Rank.R2>(tf.slice(tokens, [0, token, 0], [batch, 1, dim]), [batch, dim]);
  if ((feature_dim ?? null) === null) return norm(params, 'norm', x);
  const normal = layerNorm(x, FEATURE_NORM_EPS, { weight: param(params, 'conv1x1.0.weight'), bias: param(params, 'conv1x1.0.bias') });
  return gelu(dense(params, 'conv1x1.1', normal));
}
