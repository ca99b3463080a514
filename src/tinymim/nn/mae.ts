/**
 * Masked autoencoder (`models_mae.py` of facebookresearch/mae): the encoder sees the visible patches, the decoder
 * reconstructs the pixels of the removed ones.
 */
import { float32Products } from '../../engine/compile/float32-products.ts';
import { layerNorm } from '../../engine/grad/layer-norm.ts';
import { weightedSquaredError } from '../../engine/grad/squared-error.ts';
import { withGradient } from '../../engine/grad/with-gradient.ts';
import type { Params } from '../../engine/formats/weights.ts';
import * as tf from '../../engine/tf.ts';
import { dense, norm, runBlock } from './block.ts';
import type { DecoderConfig, ViTConfig } from './config.ts';
import { param } from './params.ts';
import { patchify } from './patches.ts';
import { encode, gatherRows, rowOffsets, toTokens } from './vit.ts';

/** `MaskingIndices` in the engine: inputs of a training step. */
export interface MaskTensors {
  /** `[B, K]` int32 */
  readonly ids_keep: tf.Tensor2D;
  /** `[B, L]` int32 */
  readonly ids_restore: tf.Tensor2D;
  /** `[B, L]` of numbers of any type, 1 = removed */
  readonly mask: tf.Tensor2D;
}

export interface MaeConfig {
  readonly encoder: ViTConfig;
  readonly decoder: DecoderConfig;
  /** Reconstruct pixels normalised within each patch. */
  readonly norm_pix_loss: boolean;
}

/**
 * Reconstruction loss: mean squared error of the removed patches.
 * @param images `[B, C, H, W]` float32, normalised
 * @returns scalar
 */
export function maeLoss(params: Params, images: tf.Tensor, config: MaeConfig, masking: MaskTensors): tf.Scalar {
  return latentLoss(params, encodeVisible(params, images, config.encoder, masking), images, config, masking);
}

/**
 * The same from latent tokens, whoever encoded them: the auxiliary loss of a masked student.
 * @param latent `[B, 1 + K, D]` after the final norm
 * @returns scalar
 */
export function latentLoss(params: Params, latent: tf.Tensor3D, images: tf.Tensor, config: MaeConfig, masking: MaskTensors): tf.Scalar {
  const mask = tf.cast(masking.mask, 'float32');
  const prediction = decodePatches(params, latent, config.decoder, { ...masking, mask });
  return reconstructionLoss(reconstructionTarget(images, config), prediction, mask);
}

/**
 * Latent tokens after the final norm, in shuffled order.
 * @returns `[B, 1 + K, D]`
 * @internal
 */
export function encodeVisible(params: Params, images: tf.Tensor, config: ViTConfig, { ids_keep }: MaskTensors): tf.Tensor3D {
  return norm(params, 'norm', encode(params, images, config, { tokens: ids_keep }));
}

/**
 * Predicted pixels of all patches, in the order of the patches.
 * @param latent `[B, 1 + K, D]`
 * @returns `[B, L, p * p * C]`
 * @internal
 */
export function decodePatches(params: Params, latent: tf.Tensor3D, config: DecoderConfig, masking: MaskTensors): tf.Tensor3D {
  const [batch, visible, dim] = latent.shape;
  const shape = { batch, tokens: 1 + masking.ids_restore.shape[1] };
  const embedded = dense(params, 'decoder_embed', tf.reshape(latent, [batch * visible, dim]));
  const restored = restoreTokens(embedded, param(params, 'mask_token'), masking);
  const positioned = tf.add(toTokens(restored, shape), param(params, 'decoder_pos_embed'));
  let x: tf.Tensor2D = tf.reshape(positioned, restored.shape);
  for (let block = 0; block < config.depth; block++) {
    x = runBlock(params, `decoder_blocks.${block}`, x, shape, config.num_heads).block;
  }
  const normal = norm(params, 'decoder_norm', x);
  const predicted = toTokens(
    float32Products(() => dense(params, 'decoder_pred', normal)),
    shape,
  );
  return tf.slice(predicted, [0, 1, 0], [batch, shape.tokens - 1, predicted.shape[2]]);
}

/** `[B * (1 + K), D]` to `[B * (1 + L), D]`: tokens back in their places, the mask token in all others. */
function restoreTokens(x: tf.Tensor2D, maskToken: tf.Tensor, { ids_keep, ids_restore, mask }: MaskTensors): tf.Tensor2D {
  const [batch, kept] = ids_keep.shape;
  const patches = ids_restore.shape[1];
  const dim = x.shape[1];
  // Rows of the table [mask token; x]: 0 for removed patches, else 1 + the token's row in x.
  const visible = tf.cast(tf.sub(1, mask), 'int32');
  const starts = tf.add(rowOffsets(batch, 1 + kept), tf.scalar(1, 'int32'));
  const patchRows = tf.mul(visible, tf.add(tf.add(ids_restore, tf.scalar(1, 'int32')), starts));
  const sources = tf.concat([starts, patchRows], 1);
  // The derivative is a gather, too: each token stands in one place only.
  const places = tf.add(
    tf.pad(tf.add(ids_keep, tf.scalar(1, 'int32')), [
      [0, 0],
      [1, 0],
    ]),
    rowOffsets(batch, 1 + patches),
  );
  const removed = tf.reshape(
    tf.pad(mask, [
      [0, 0],
      [1, 0],
    ]),
    [batch * (1 + patches), 1],
  );
  return withGradient<tf.Tensor2D>([x, maskToken], save => {
    save([places, removed]);
    return {
      value: gatherRows(tf.concat([tf.reshape(maskToken, [1, dim]), x], 0), sources),
      gradient: (dy, [places, removed]) => [gatherRows(dy, places!), tf.reshape(tf.sum(tf.mul(dy, removed!), 0), maskToken.shape)],
    };
  });
}

/**
 * What the decoder has to predict. With `norm_pix_loss`, `(patch - mean) / sqrt(var + 1e-6)` with the unbiased variance
 * over all values of the patch, written as a LayerNorm (whose variance is biased) with rescaled epsilon and result.
 * @returns `[B * L, p * p * C]`
 * @internal
 */
export function reconstructionTarget(images: tf.Tensor, { encoder, norm_pix_loss }: MaeConfig): tf.Tensor2D {
  const patches = patchify(images, encoder, 'row-column-channel');
  if (!norm_pix_loss) return patches;
  const values = patches.shape[1];
  const unbiased = (values - 1) / values;
  return tf.mul(layerNorm(patches, 1e-6 * unbiased), Math.sqrt(unbiased));
}

/**
 * Mean over the removed patches of the patch's mean squared error.
 * @param target `[B * L, P]`
 * @param prediction `[B, L, P]`
 * @param mask `[B, L]`
 */
function reconstructionLoss(target: tf.Tensor2D, prediction: tf.Tensor3D, mask: tf.Tensor2D): tf.Scalar {
  const weight = tf.div<tf.Tensor2D>(tf.reshape(mask, [-1, 1]), tf.sum(mask));
  return weightedSquaredError(target, tf.reshape(prediction, target.shape), weight);
}
