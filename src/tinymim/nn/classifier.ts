/** The ViT as a classifier (`models_vit.py` of MAE and TinyMIM; class-token variant as in timm). */
import { meanTokens } from '../../engine/grad/mean-tokens.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { dense, norm } from './block.ts';
import type { ClassifierConfig, Pooling } from './config.ts';
import type { DropPath } from './drop-path.ts';
import { encode } from './vit.ts';

/**
 * @param images `[B, C, H, W]` float32, normalised
 * @returns logits `[B, classes]`
 */
export function classify(params: Params, images: tf.Tensor, config: ClassifierConfig, options: { readonly dropPath?: DropPath } = {}): tf.Tensor2D {
  return dense(params, 'head', poolTokens(params, encode(params, images, config, options), config.pool));
}

/**
 * @param tokens `[B, N, D]`, class token first
 * @returns normalised features of the images, `[B, D]`
 * @internal
 */
export function poolTokens(params: Params, tokens: tf.Tensor3D, pool: Pooling = 'mean'): tf.Tensor2D {
  const [batch, , dim] = tokens.shape;
  if (pool === 'mean') return norm(params, 'fc_norm', meanTokens(tokens, 1));
  return norm(params, 'norm', tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, dim]), [batch, dim]));
}
