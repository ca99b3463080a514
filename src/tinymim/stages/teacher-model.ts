/** The teacher as a distillation runs it. Light: planning asks. */
import type { DistillRecipe, VitRecipe } from './recipes.ts';

/** @param trained of the upstream stage: its weights are the same in any number of heads */
export function teacherModel({ teacher_last_block_heads: heads }: Pick<DistillRecipe, 'teacher_last_block_heads'>, trained: VitRecipe): VitRecipe {
  return (heads ?? null) === null ? trained : { ...trained, last_block_heads: heads! };
}
