/**
 * What stages spend, from their recipes alone. FLOPs count a multiply-add as 2 and only the matrix products, which are all
 * but a few percent of a ViT; a backward pass counts as two forward passes.
 */
import type { StageCost } from '../ablation/kind.ts';
import type { VitRecipe } from './recipes.ts';

/** Steps of a training: the last partial batch of an epoch is dropped. */
export function totalSteps(images: number, schedule: { epochs: number; batch_size: number }): number {
  return Math.round(Math.floor(images / schedule.batch_size) * schedule.epochs);
}

/** FLOPs of one image through blocks `1..blocks` with `tokens` tokens. */
function blockFlops(model: { embed_dim: number; mlp_ratio: number }, blocks: number, tokens: number): number {
  const d = model.embed_dim;
  const dense = 2 * tokens * d * d * (4 + 2 * model.mlp_ratio);
  const attention = 4 * tokens * tokens * d;
  return blocks * (dense + attention);
}

export const patchCount = (model: VitRecipe): number =>
  (model.image_size[0] / model.patch_size) * (model.image_size[1] / model.patch_size);

const patchDim = (model: VitRecipe): number => model.patch_size ** 2 * model.in_chans;

/** FLOPs of one image forward through the first `blocks` blocks of an encoder with all tokens and the class token. */
export function encoderFlops(model: VitRecipe, blocks = model.depth): number {
  const tokens = patchCount(model);
  return 2 * tokens * patchDim(model) * model.embed_dim + blockFlops(model, blocks, tokens + 1);
}

/** FLOPs of one image forward through MAE: the encoder on the visible tokens, the decoder on all. */
export function maeFlops(
  model: VitRecipe,
  decoder: { embed_dim: number; depth: number; mlp_ratio: number },
  maskRatio: number,
): number {
  const patches = patchCount(model);
  const visible = Math.floor(patches * (1 - maskRatio));
  const embed = 2 * patches * patchDim(model) * model.embed_dim;
  const bridge = 2 * (visible + 1) * model.embed_dim * decoder.embed_dim;
  const predict = 2 * patches * patchDim(model) * decoder.embed_dim;
  return embed + blockFlops(model, model.depth, visible + 1) + bridge + blockFlops(decoder, decoder.depth, patches + 1) + predict;
}

/** Cost of a training that sees `images` images, `forward` FLOPs an image forward and backward, `frozen` forward only. */
export function trainingCost(images: number, labelled: boolean, forward: number, frozen = 0): StageCost {
  return {
    labelledImages: labelled ? images : 0,
    unlabelledImages: labelled ? 0 : images,
    flops: images * (3 * forward + frozen),
  };
}
