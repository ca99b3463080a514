/**
 * How many parameters the models have, from their dimensions alone: what `nn/spec.ts` lists, without the engine under it.
 * From them what stages leave on the disk.
 */
import type { StageDisk } from '../../core/ablation/kind.ts';
import { headWidth, mlpDim, patchCount, patchDim, prefixTokens, tokenCount, type BlocksConfig, type ClassifierConfig, type DecoderConfig, type ViTConfig } from '../nn/config.ts';
import { SEVERITIES } from '../data/corruption-names.ts';
import { corruptedImages } from './cost.ts';
import type { DistillRecipe, EvaluateCorruptedRecipe, OptimizerRecipe, VitRecipe } from './recipes.ts';

/** A linear layer with bias. */
const linear = (from: number, to: number): number => from * to + to;

/** A stack of Transformer blocks: two norms, qkv, proj, and the MLP of each. */
function blockParameters(blocks: BlocksConfig): number {
  const dim = blocks.embed_dim,
    hidden = mlpDim(blocks);
  return blocks.depth * (4 * dim + linear(dim, 3 * dim) + linear(dim, dim) + linear(dim, hidden) + linear(hidden, dim));
}

/** An encoder with its final norm (`encoderSpec`). */
export function encoderParameters(model: ViTConfig): number {
  const dim = model.embed_dim;
  const embed = (prefixTokens(model) + tokenCount(model)) * dim + linear(patchDim(model), dim);
  return embed + blockParameters(model) + 2 * dim;
}

/** MAE's decoder (`decoderSpec`). */
export function decoderParameters(model: VitRecipe, decoder: DecoderConfig): number {
  const dim = decoder.embed_dim;
  const embed = dim + (1 + patchCount(model)) * dim + linear(model.embed_dim, dim);
  return embed + blockParameters(decoder) + 2 * dim + linear(dim, patchDim(model));
}

/** A classifier (`classifierSpec`): the encoder, whose norm stands behind the pooling, the layer to `feature_dim`, and one head or two. */
export function classifierParameters(model: ClassifierConfig, classes: number): number {
  const width = headWidth(model),
    widening = (model.feature_dim ?? null) === null ? 0 : linear(model.embed_dim, width);
  return encoderParameters(model) + widening + prefixTokens(model) * linear(width, classes);
}

/** What a student trains beside its encoder (`studentSpec`): projections to the teacher's width and a decoder of pixels. */
export function distillExtras({ model, target, reconstruction }: DistillRecipe, teacher: VitRecipe): number {
  const projections = target.family === 'relation' ? 0 : target.family === 'feature' && target.feature === 'qkv' ? 3 : 1;
  return projections * linear(model.embed_dim, teacher.embed_dim) + (reconstruction ? decoderParameters(model, reconstruction.decoder) : 0);
}

/** What an evaluation of corrupted images leaves, and a checkpoint of it takes: a byte for each image and corruption (`corrupted-scores-file.ts`). */
export const scoresBytes = (recipe: EvaluateCorruptedRecipe): number => corruptedImages(recipe) / SEVERITIES.length;

/** Bytes of a number. */
export const FLOAT32 = 4;

/** @param kept parameters of the final weights; `trained` those that AdamW has two moments of */
export const trainingDisk = (kept: number, trained: number, optimizer: OptimizerRecipe): StageDisk => ({ output: FLOAT32 * kept, checkpoint: (3 + averages(optimizer)) * FLOAT32 * trained });

/** Averages of its weights that a training keeps: one or none. */
export const averages = ({ ema_decay }: OptimizerRecipe): 0 | 1 => ((ema_decay ?? null) === null ? 0 : 1);
