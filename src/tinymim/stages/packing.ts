/** Which distillations may share a teacher's forward passes in one process, and what that takes. Light: planning asks. */
import type { JsonObject, JsonValue, Packing } from '../../core/ablation/kind.ts';
import { teacherFlops, visiblePatches } from './cost.ts';
import { distillExtras, encoderParameters, FLOAT32 } from './parameters.ts';
import type { DistillRecipe, DistillTarget, VitRecipe } from './recipes.ts';

/**
 * All that decides what the teacher computes for each batch, and how: the batches (length and rates of a training are its own:
 * a longer one goes on alone), the images of both sides, the engine.
 */
export function packingKey({ recipe, seed, upstream }: Parameters<Packing<DistillRecipe>['key']>[0]): JsonObject {
  const {
    data,
    images,
    schedule: { batch_size, accumulation_steps },
    augment,
    student_jitter,
    teacher_drop_path,
    engine,
  } = recipe;
  const shared = { data, images, batch_size, accumulation_steps, seed, augment, student_jitter, teacher_drop_path, teacher_mask: teacherMask(recipe), engine };
  return { ...(shared as Record<string, JsonValue>), teacher: upstream['teacher'] ?? null };
}

/** Share of the patches that the teacher does not see. */
const teacherMask = ({ teacher_input, mask_ratio }: DistillRecipe): number => (teacher_input === 'visible' ? mask_ratio : 0);

/** FLOPs of the teacher for `images` images. */
export const sharedFlops = (recipe: DistillRecipe, teacher: VitRecipe, images: number): number => images * teacherFlops(recipe, teacher);

/** Engine, code and a small data set, before any model. */
const PROCESS = 480 * 2 ** 20;
/** A loaded and optimised graph of a training step. */
const GRAPH = 30 * 2 ** 20;

/**
 * Estimate of the bytes that a pack takes. Students train one after the other, so that the tensors of one of them are alive at
 * a time; each keeps its parameters, moments and gradients, and its graph.
 *
 *     shared = process + 2 teacher weights + teacher tensors of a block + student tensors of all blocks + targets
 *     own    = graph + 5 student weights
 *
 * Peaks measured on a CPU, of one and of four students at 17, 197 and 257 tokens, were 88 to 101 % of it.
 */
export function distillPackMemory(recipe: DistillRecipe, teacher: VitRecipe): { shared: number; own: number } {
  const { model, schedule, mask_ratio } = recipe;
  const batch = schedule.batch_size / schedule.accumulation_steps;
  const teacherTokens = 1 + visiblePatches(teacher, teacherMask(recipe)),
    studentTokens = 1 + visiblePatches(model, mask_ratio);
  const parameters = encoderParameters(model) + distillExtras(recipe, teacher);
  const values =
    2 * encoderParameters(teacher) + batch * (blockTensors(teacher, teacherTokens) + model.depth * blockTensors(model, studentTokens) + 2 * targetTensors(recipe.target, teacher, studentTokens));
  return { shared: PROCESS + FLOAT32 * values, own: GRAPH + FLOAT32 * 5 * parameters };
}

/** Values of one image that a block computes: norms, q, k, v, attention, its probabilities, residuals, and the MLP. */
function blockTensors({ embed_dim, num_heads, mlp_ratio }: VitRecipe, tokens: number): number {
  return tokens * (embed_dim * (10 + 3 * mlp_ratio) + 1.5 * num_heads * tokens);
}

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
