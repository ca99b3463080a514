/**
 * What of a recipe decides how fast its stage runs: models, batch, target, augmentation; not its length, its rates or how
 * many images it sees. A field that nobody thought of here stays in the shape: measured once too often, never once too few.
 */
import type { JsonObject } from '../../core/ablation/kind.ts';
import { averages } from './parameters.ts';
import type { DistillRecipe, DistillTarget, EvaluateCorruptedRecipe, EvaluateRecipe, OptimizerRecipe, PretrainRecipe, ScheduleRecipe, SuperviseRecipe, VitRecipe } from './recipes.ts';

interface TrainingRecipe {
  readonly schedule: ScheduleRecipe;
  readonly optimizer: OptimizerRecipe;
  readonly images: number | null;
}

/** @param asSlow fields that change the numbers and not the time */
function stepShape({ schedule, ...recipe }: TrainingRecipe, asSlow: readonly string[] = []): JsonObject {
  const left = Object.entries(recipe).filter(([name]) => !['optimizer', 'images', ...asSlow].includes(name));
  const average = averages(recipe.optimizer) > 0 && { average: true };
  return { ...(Object.fromEntries(left) as JsonObject), ...average, batch_size: schedule.batch_size, accumulation_steps: schedule.accumulation_steps };
}

export const pretrainShape = (recipe: PretrainRecipe): JsonObject => stepShape(recipe);

export function distillShape({ target, drop_path, teacher_drop_path, student_jitter, reconstruction, ...recipe }: DistillRecipe, teacher: VitRecipe): JsonObject {
  return {
    ...stepShape(recipe),
    teacher,
    target: targetShape(target),
    drop_path: drop_path > 0,
    teacher_drop_path: teacher_drop_path > 0,
    student_jitter: student_jitter !== null,
    reconstruction: reconstruction && { ...reconstruction, weight: null },
  };
}

/** Any relation costs what any other does; so does any temperature. */
function targetShape(target: DistillTarget): JsonObject {
  switch (target.family) {
    case 'relation':
      return { ...target, pairs: target.pairs.length };
    case 'feature':
      return target;
    case 'class-token':
      return { ...target, temperature: null };
  }
}

/** @param teacher in fine-tuning, where there is one */
export const classifierShape = (recipe: SuperviseRecipe, teacher?: VitRecipe): JsonObject => ({
  ...stepShape(recipe, ['label_smoothing', 'layer_decay', 'init', 'pos_embed']),
  drop_path: recipe.drop_path > 0,
  ...(teacher && { teacher }),
});

export const evaluateShape = (recipe: EvaluateRecipe | EvaluateCorruptedRecipe, model: VitRecipe): JsonObject => ({ ...recipe, model });
