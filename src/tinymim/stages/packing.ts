/** Which distillations may share a teacher's forward passes in one process, which evaluations corrupted images, and what of it is shared. Light: planning asks. */
import type { JsonObject, JsonValue, Packing } from '../../core/ablation/kind.ts';
import { corruptedImages, corruptingFlops, teacherFlops } from './cost.ts';
import type { DistillRecipe, EvaluateCorruptedRecipe, VitRecipe } from './recipes.ts';

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
    teacher_last_block_heads: heads,
    engine,
  } = recipe;
  const shared = { data, images, batch_size, accumulation_steps, seed, augment, student_jitter, teacher_drop_path, teacher_mask: teacherMask(recipe), engine };
  return { ...(shared as Record<string, JsonValue>), teacher: upstream['teacher'] ?? null, ...(heads !== undefined && { teacher_last_block_heads: heads }) };
}

/** Share of the patches that the teacher does not see. */
export const teacherMask = ({ teacher_input, mask_ratio }: DistillRecipe): number => (teacher_input === 'visible' ? mask_ratio : 0);

/** FLOPs of the teacher for `images` images. */
export const sharedFlops = (recipe: DistillRecipe, teacher: VitRecipe, images: number): number => images * teacherFlops(recipe, teacher);

/** All that decides which images are shown, of whatever seed and to whatever classifier; its batches and its engine, too. */
export const corruptedKey = ({ recipe: { data, split, corrupted, batch_size, crop, engine } }: Parameters<Packing<EvaluateCorruptedRecipe>['key']>[0]): JsonObject => ({
  ...({ data, split, corrupted, batch_size, crop, engine } as Record<string, JsonValue>),
});

/** FLOPs of making the images. */
export const sharedCorruptingFlops = (recipe: EvaluateCorruptedRecipe): number => corruptedImages(recipe) * corruptingFlops(recipe);
