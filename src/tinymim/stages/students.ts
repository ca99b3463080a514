/** Students of one teacher: what all of them read of a batch, and what each of them is given. */
import type { StageContext } from '../../core/ablation/kind.ts';
import type { Batch } from '../data/batch.ts';
import type { ImageSet } from '../data/image-set.ts';
import { patchCount } from '../nn/config.ts';
import { stream } from '../../engine/random/rng.ts';
import * as tf from '../../engine/tf.ts';
import { pixels } from './images.ts';
import { maskInputs } from './mask-inputs.ts';
import type { DistillRecipe, VitRecipe } from './recipes.ts';
import type { BlockTarget, Teacher } from './teacher.ts';
import type { HostInputs, Inputs, LossFunction } from './train-step.ts';
import type { Training } from './training.ts';

export interface Student extends Training {
  readonly context: StageContext<DistillRecipe>;
  readonly loss: LossFunction;
}

const recipeOf = ({ context }: Student): DistillRecipe => context.recipe;
const isMasked = ({ mask_ratio }: DistillRecipe): boolean => mask_ratio > 0;
/** Whether the teacher sees no more than its student. */
const teacherIsMasked = (recipe: DistillRecipe): boolean => isMasked(recipe) && recipe.teacher_input === 'visible';

/** What a batch of a training reads: drawn once, for students of every depth and mask ratio. */
export function trainingInputs(students: readonly Student[], teacher: VitRecipe, set: ImageSet): (batch: Batch) => HostInputs {
  const recipes = students.map(recipeOf),
    seed = students[0]!.context.seed;
  const depths = new Set(recipes.filter(({ drop_path }) => drop_path > 0).map(({ model }) => model.depth));
  const teacherDrops = recipes.some(({ teacher_drop_path }) => teacher_drop_path > 0);
  return ({ step, images, studentImages }) => {
    const batch = pixels(images, set),
      size = batch.shape[0]!;
    const uniforms = (purpose: string, depth: number) => ({ data: stream(seed, purpose, step).uniforms(depth * 2 * size), shape: [depth, 2, size], batchAxis: 2 });
    return {
      [name.images]: batch,
      ...(studentImages && { [name.studentImages]: pixels(studentImages, set) }),
      ...(teacherDrops && { [name.teacherDropPath]: uniforms('distill/teacher-drop-path', teacher.depth) }),
      ...Object.fromEntries([...depths].map(depth => [name.dropPath(depth), uniforms('distill/drop-path', depth)])),
      ...masks(recipes, patches => stream(seed, 'distill/mask', step).uniforms(size * patches)),
    };
  };
}

/** What a batch of an evaluation reads: no jitter, no drop path, and the same masks for every student and seed. @param index of the batch */
export function evaluationInputs(students: readonly Student[], set: ImageSet): (images: Uint8Array, index: number) => HostInputs {
  return (images, index) => {
    const batch = pixels(images, set);
    return { [name.images]: batch, ...masks(students.map(recipeOf), patches => stream(0, 'distill/validation-mask', index).uniforms(batch.shape[0]! * patches)) };
  };
}

/** The same of one batch with the same mask for every image, so that what is left of them stands in the same places. */
export function alignedInputs(students: readonly Student[], set: ImageSet, images: Uint8Array): HostInputs {
  const batch = pixels(images, set);
  return { [name.images]: batch, ...masks(students.map(recipeOf), patches => repeated(stream(0, 'distill/validation-mask', 0).uniforms(patches), batch.shape[0]!)) };
}

function repeated(values: Float32Array, times: number): Float32Array {
  const all = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}

/** Names of the arrays that students share. */
const name = {
  images: 'images',
  studentImages: 'student_images',
  teacherDropPath: 'teacher_drop_path',
  dropPath: (depth: number) => `drop_path/${depth}`,
  mask: (part: string, ratio: number) => `${part}/${ratio}`,
};

/** Of every mask ratio, from the same noise. @param noiseOf `[B, patches]` */
function masks(recipes: readonly DistillRecipe[], noiseOf: (patches: number) => Float32Array): HostInputs {
  const masked = recipes.filter(isMasked);
  if (masked.length === 0) return {};
  const patches = patchCount(masked[0]!.model),
    noise = noiseOf(patches);
  return Object.fromEntries(
    [...new Set(masked.map(({ mask_ratio }) => mask_ratio))].flatMap(ratio => Object.entries(maskInputs(noise, patches, ratio)).map(([part, array]) => [name.mask(part, ratio), array])),
  );
}

/**
 * Runs the teacher on a batch, as deep as is needed, and gives its targets to the students: those with the same targets one
 * after the other.
 * @param shared of `trainingInputs` or `evaluationInputs`, uploaded
 * @param onInputs takes what a student's loss reads; all of it is disposed of afterwards
 */
export function forwardTeacher<S extends Student>(teacher: Teacher, shared: Inputs, students: readonly S[], onInputs: (student: S, inputs: Inputs) => void): void {
  if (students.length === 0) return;
  const first = recipeOf(students[0]!);
  const pass = teacher.pass({
    images: shared[name.images]!,
    visible: teacherIsMasked(first) ? shared[name.mask('ids_keep', first.mask_ratio)] : undefined,
    dropPath: shared[name.teacherDropPath],
  });
  try {
    for (const group of groupByTargets(students)) {
      const recipe = recipeOf(group[0]!);
      const gathered = isMasked(recipe) && !teacherIsMasked(recipe) ? shared[name.mask('ids_keep', recipe.mask_ratio)] : undefined;
      const targets = pass.targets(blockTargetOf(recipe), gathered);
      try {
        for (const student of group) onInputs(student, { ...ownInputs(recipeOf(student), shared), ...targets });
      } finally {
        tf.dispose(targets);
      }
    }
  } finally {
    pass.dispose();
  }
}

export const blockTargetOf = ({ target, teacher_block }: DistillRecipe): BlockTarget => ({ target, block: teacher_block });

/** Students with the same targets. */
function groupByTargets<S extends Student>(students: readonly S[]): S[][] {
  const groups = new Map<string, S[]>();
  for (const student of students) {
    const recipe = recipeOf(student);
    const key = JSON.stringify([blockTargetOf(recipe), recipe.mask_ratio]);
    groups.set(key, [...(groups.get(key) ?? []), student]);
  }
  return [...groups.values()];
}

function ownInputs({ model, drop_path, mask_ratio, reconstruction }: DistillRecipe, shared: Inputs): Inputs {
  const drops = drop_path > 0 ? shared[name.dropPath(model.depth)] : undefined;
  const parts = mask_ratio === 0 ? [] : reconstruction ? ['ids_keep', 'ids_restore', 'mask'] : ['ids_keep'];
  return {
    images: shared[name.studentImages] ?? shared[name.images]!,
    ...(drops && { drop_path: drops }),
    ...Object.fromEntries(parts.map(part => [part, shared[name.mask(part, mask_ratio)]!])),
  };
}
