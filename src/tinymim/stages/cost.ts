/**
 * What stages spend, from their recipes alone. FLOPs count a multiply-add as 2 and only the matrix products, which are all
 * but a few percent of a ViT; a backward pass counts as two forward passes.
 */
import type { StageCost } from '../../core/ablation/kind.ts';
import { SEVERITIES } from '../data/corruption-names.ts';
import { imageCount, imageShape } from '../data/spec.ts';
import { corruptionsOf, isTestFolder, testImages } from '../data/test-spec.ts';
import { patchCount, patchDim, prefixTokens, type DecoderConfig, type ViTConfig } from '../nn/config.ts';
import { keptPatches } from '../nn/masking.ts';
import type { DistillRecipe, EvaluateCorruptedRecipe, EvaluateRecipe, VitRecipe } from './recipes.ts';

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

/** Patches that a network sees at a mask ratio. */
export const visiblePatches = (model: VitRecipe, maskRatio: number): number => keptPatches(patchCount(model), maskRatio);

/**
 * FLOPs of one image forward through the first `blocks` blocks of an encoder.
 * @param patches that it sees, beside its other tokens
 */
export function encoderFlops(model: ViTConfig, blocks = model.depth, patches = patchCount(model)): number {
  return 2 * patches * patchDim(model) * model.embed_dim + blockFlops(model, blocks, patches + prefixTokens(model));
}

/** FLOPs of one image forward through MAE's decoder: from the visible tokens to the pixels of all patches. */
export function decoderFlops(model: VitRecipe, decoder: DecoderConfig, maskRatio: number): number {
  const patches = patchCount(model);
  const embed = 2 * (visiblePatches(model, maskRatio) + 1) * model.embed_dim * decoder.embed_dim;
  const predict = 2 * patches * patchDim(model) * decoder.embed_dim;
  return embed + blockFlops(decoder, decoder.depth, patches + 1) + predict;
}

/** FLOPs of one image forward through MAE: the encoder on the visible tokens, the decoder on all. */
export function maeFlops(model: VitRecipe, decoder: DecoderConfig, maskRatio: number): number {
  const embed = 2 * patchCount(model) * patchDim(model) * model.embed_dim;
  return embed + blockFlops(model, model.depth, visiblePatches(model, maskRatio) + 1) + decoderFlops(model, decoder, maskRatio);
}

/** FLOPs of one image through a frozen teacher, to the block that is distilled. */
export function teacherFlops({ teacher_block, teacher_input, mask_ratio }: DistillRecipe, teacher: VitRecipe): number {
  return encoderFlops(teacher, teacher_block, visiblePatches(teacher, teacher_input === 'visible' ? mask_ratio : 0));
}

/** Cost of a training that sees `images` images, `forward` FLOPs an image forward and backward, `frozen` forward only. */
export function trainingCost(images: number, labelled: boolean, forward: number, frozen = 0): StageCost {
  return {
    labelledImages: labelled ? images : 0,
    unlabelledImages: labelled ? 0 : images,
    flops: images * (3 * forward + frozen),
  };
}

/** Images that an evaluation looks at. */
export function evaluatedImages({ data, split, shifted }: EvaluateRecipe): number {
  const all = imageCount(data, split);
  return shifted ? testImages(shifted, all) : all;
}

/** Images of all corruptions at all severities. */
export const corruptedImages = ({ data, split, corrupted }: EvaluateCorruptedRecipe): number => corruptionsOf(corrupted).length * SEVERITIES.length * testImages(corrupted, imageCount(data, split));

/** By which a pixel is corrupted, on average over corruptions: about as many as an encoder computes in the same time. */
const FLOPS_OF_PIXEL = 300;

/** FLOPs of making one corrupted image; none where they are in files. */
export function corruptingFlops({ data, corrupted }: EvaluateCorruptedRecipe): number {
  if (isTestFolder(corrupted)) return 0;
  const { channels, size: [height, width] = [0, 0] } = imageShape(data);
  return FLOPS_OF_PIXEL * height * width * channels;
}
