/** What stages take of a memory while they run, from their recipes alone. Light: planning asks. */
import type { StageMemory } from '../../core/ablation/kind.ts';
import { pixelBytes, type DataSpec } from '../data/spec.ts';
import { patchCount, patchDim, tokenCount, type BlocksConfig, type ClassifierConfig, type ViTConfig } from '../nn/config.ts';
import { visiblePatches } from './cost.ts';
import { teacherMask } from './packing.ts';
import { averages, classifierParameters, decoderParameters, distillExtras, encoderParameters, FLOAT32 } from './parameters.ts';
import type { DistillRecipe, DistillTarget, EvaluateRecipe, OptimizerRecipe, PretrainRecipe, ScheduleRecipe, SuperviseRecipe, VitRecipe } from './recipes.ts';

/** Engine, code and a small data set, before any model; on a GPU the libraries' own. */
export const PROCESS = 480 * 2 ** 20;
/** The same with images that may be many: made in memory, and copied where a part of them is used. */
const processBytes = (data: DataSpec): number => PROCESS + (data.name === 'procedural' ? 2 * pixelBytes(data) : 0);

/** A loaded and optimised graph of a training step. */
export const GRAPH = 30 * 2 ** 20;

/**
 * Of a distillation. Students train one after the other, so that the tensors of one of them are alive at a time; each keeps its
 * parameters, moments and gradients, and its graph.
 *
 *     shared = process + 2 teacher weights + teacher tensors of a block + student tensors of all blocks + targets
 *     own    = graph + 5 student weights, and their sums over micro-batches
 *
 * Peaks measured on a CPU, of one and of four students at 17, 197 and 257 tokens, were 88 to 101 % of it; those of one
 * classifier or MAE, at 4 and 8 images of 197 tokens, 0.1 to 0.3 GB above theirs. None was measured on a GPU.
 */
export function distillMemory(recipe: DistillRecipe, teacher: VitRecipe, microBatches: number): StageMemory {
  const { model, schedule, mask_ratio, reconstruction } = recipe;
  const { batch, parts } = divided(schedule, microBatches);
  const teacherTokens = 1 + visiblePatches(teacher, teacherMask(recipe)),
    studentTokens = 1 + visiblePatches(model, mask_ratio);
  const decoder = reconstruction ? stackTensors(reconstruction.decoder, 1 + patchCount(model)) : 0;
  const values =
    2 * encoderParameters(teacher) + batch * (blockTensors(teacher, teacherTokens) + stackTensors(model, studentTokens) + decoder + 2 * targetTensors(recipe.target, teacher, studentTokens));
  return { shared: processBytes(recipe.data) + FLOAT32 * values, own: trainedBytes(encoderParameters(model) + distillExtras(recipe, teacher), parts, recipe.optimizer) };
}

/** Of MAE pre-training: the encoder on the patches that it sees, the decoder on all, and the pixels that it is compared with. */
export function pretrainMemory({ data, model, decoder, mask_ratio, schedule, optimizer }: PretrainRecipe, microBatches: number): StageMemory {
  const { batch, parts } = divided(schedule, microBatches);
  const values = stackTensors(model, 1 + visiblePatches(model, mask_ratio)) + stackTensors(decoder, 1 + patchCount(model)) + 6 * patchCount(model) * patchDim(model);
  return { shared: processBytes(data) + FLOAT32 * batch * values, own: trainedBytes(encoderParameters(model) + decoderParameters(model, decoder), parts, optimizer) };
}

/**
 * Of a training of a classifier, with a teacher or without. Evaluations, of whole batches, come between its steps.
 * @param classes of the data
 */
export function classifierMemory({ data, model, schedule, optimizer }: SuperviseRecipe, classes: number, microBatches: number, teacher?: ClassifierConfig): StageMemory {
  const { batch, parts } = divided(schedule, microBatches);
  const training = batch * (stackTensors(model, tokenCount(model)) + (teacher ? forwardTensors(teacher) : 0)),
    evaluation = (schedule.batch_size / microBatches) * forwardTensors(model),
    frozen = teacher ? 2 * classifierParameters(teacher, classes) : 0;
  return { shared: processBytes(data) + FLOAT32 * (frozen + Math.max(training, evaluation)), own: trainedBytes(classifierParameters(model, classes), parts, optimizer) };
}

/** Of an evaluation, of whatever images, which cannot be divided. */
export function evaluateMemory({ data, batch_size }: Pick<EvaluateRecipe, 'data' | 'batch_size'>, model: ClassifierConfig, classes: number): StageMemory {
  return { shared: processBytes(data) + FLOAT32 * batch_size * forwardTensors(model), own: GRAPH + FLOAT32 * 2 * classifierParameters(model, classes) };
}

/** Images of a micro-batch, and micro-batches of a batch. */
function divided({ batch_size, accumulation_steps }: Pick<ScheduleRecipe, 'batch_size' | 'accumulation_steps'>, microBatches: number): { batch: number; parts: number } {
  const parts = accumulation_steps * microBatches;
  return { batch: batch_size / parts, parts };
}

/** Parameters, two moments, gradients and an update; several micro-batches have sums of gradients, and some recipes an average of the weights. */
const trainedBytes = (parameters: number, parts: number, optimizer: OptimizerRecipe): number => GRAPH + FLOAT32 * ((parts > 1 ? 6 : 5) + averages(optimizer)) * parameters;

/** Values of one image that a block computes: norms, q, k, v, attention, its probabilities, residuals, and the MLP. */
function blockTensors({ embed_dim, num_heads, mlp_ratio }: BlocksConfig, tokens: number): number {
  return tokens * (embed_dim * (10 + 3 * mlp_ratio) + 1.5 * num_heads * tokens);
}

/** What a backward pass needs of one image: that of all blocks. */
export const stackTensors = (blocks: BlocksConfig, tokens: number): number => blocks.depth * blockTensors(blocks, tokens);

/** Without a backward pass a block's tensors are freed before those of the next but one. */
const forwardTensors = (model: ViTConfig): number => blockTensors(model, tokenCount(model));

/** Values of one image that a student is to match. */
function targetTensors(target: DistillTarget, { embed_dim, num_heads, last_block_heads = num_heads }: VitRecipe, tokens: number): number {
  switch (target.family) {
    case 'relation':
      return target.pairs.length * Math.max(num_heads, last_block_heads) * tokens ** 2;
    case 'feature':
      return (target.feature === 'qkv' ? 3 : 1) * tokens * embed_dim;
    case 'class-token':
      return embed_dim;
  }
}
