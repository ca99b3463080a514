/** How an arm becomes stages, at the scale of a profile. */
import { UsageError } from '../ablation/errors.ts';
import type { StageSpec } from '../ablation/declaration.ts';
import type { JsonObject } from '../ablation/kind.ts';
import type { DistillRecipe, EvaluateRecipe, FinetuneRecipe, PretrainRecipe, SuperviseRecipe, VitRecipe } from '../stages/recipes.ts';
import type { Factors, ModelSize } from './factors.ts';
import type { Profile } from './profile.ts';

const json = (recipe: object): JsonObject => recipe as JsonObject;

function model(profile: Profile, size: ModelSize): VitRecipe {
  const { sizes, ...shared } = profile.model;
  return { ...shared, ...sizes[size] };
}

/** MAE pre-training of one size: the teacher of distilled arms and, with the replicate's seed, the MAE baseline. */
function pretrain(profile: Profile, size: ModelSize, seed: number, role: 'teacher' | 'pretrain'): StageSpec {
  const { decoder, mask_ratio, norm_pix_loss, schedule, optimizer, augment } = profile.pretrain;
  const recipe: PretrainRecipe = {
    data: profile.data,
    images: profile.unlabelled_images,
    model: model(profile, size),
    decoder,
    mask_ratio,
    norm_pix_loss,
    schedule,
    optimizer,
    augment,
  };
  return { kind: 'pretrain', role, recipe: json(recipe), seed, upstream: {} };
}

/**
 * Number of the teacher's block whose features are distilled, from its place in the depth. The released code takes block
 * 18 of 24 for ViT-L and the last of ViT-B and ViT-S (`models_teacher.py`).
 * @throws UsageError when the place is between two blocks of this teacher.
 */
export function teacherBlock(place: Factors['teacherBlock'], size: ModelSize, depth: number): number {
  const fraction = place === 'default' ? (size === 'L' ? 3 / 4 : 1) : place;
  const block = fraction * depth;
  if (!Number.isInteger(block)) {
    throw new UsageError(
      'TEACHER_BLOCK',
      `Expected a teacherBlock that falls on one of the ${depth} blocks of the ${size} teacher, got ${fraction} (block ${block}). Choose a multiple of 1/${depth}.`,
    );
  }
  return block;
}

function distill(factors: Factors, profile: Profile, seed: number): StageSpec {
  const { schedule, optimizer, augment, jitter } = profile.distill;
  const recipe: DistillRecipe = {
    data: profile.data,
    images: profile.unlabelled_images,
    model: model(profile, factors.student),
    target: { family: 'relation', pairs: [...factors.relations].sort(), softmax: factors.softmax },
    teacher_block: teacherBlock(factors.teacherBlock, factors.teacher, profile.model.sizes[factors.teacher].depth),
    drop_path: factors.studentDropPath,
    student_jitter: factors.jitter ? jitter : null,
    schedule,
    optimizer,
    augment,
  };
  return {
    kind: 'distill',
    role: 'distill',
    recipe: json(recipe),
    seed,
    upstream: { teacher: pretrain(profile, factors.teacher, profile.teacher_seed, 'teacher') },
  };
}

function classifierFields(factors: Factors, profile: Profile, from: Profile['supervise']): SuperviseRecipe {
  const { schedule, optimizer, augment, drop_path, label_smoothing } = from;
  return {
    data: profile.data,
    images: profile.labelled_images,
    model: model(profile, factors.student),
    drop_path,
    label_smoothing,
    schedule,
    optimizer,
    augment,
  };
}

function finetune(factors: Factors, profile: Profile, seed: number, weights: StageSpec): StageSpec {
  const recipe: FinetuneRecipe = { ...classifierFields(factors, profile, profile.finetune), layer_decay: profile.finetune.layer_decay };
  return { kind: 'finetune', role: 'finetune', recipe: json(recipe), seed, upstream: { weights } };
}

function supervise(factors: Factors, profile: Profile, seed: number): StageSpec {
  return { kind: 'supervise', role: 'supervise', recipe: json(classifierFields(factors, profile, profile.supervise)), seed, upstream: {} };
}

/** The stages of one arm: pre-training or distillation, fine-tuning, and the evaluation that all others hang on. */
export function realise(factors: Factors, profile: Profile, seed: number): StageSpec {
  const classifier = {
    distill: () => finetune(factors, profile, seed, distill(factors, profile, seed)),
    mae: () => finetune(factors, profile, seed, pretrain(profile, factors.student, seed, 'pretrain')),
    scratch: () => supervise(factors, profile, seed),
  }[factors.method]();
  const recipe: EvaluateRecipe = { data: profile.data, split: 'test', batch_size: profile.evaluate.batch_size };
  return { kind: 'evaluate', role: 'evaluate', recipe: json(recipe), seed, upstream: { weights: classifier } };
}
