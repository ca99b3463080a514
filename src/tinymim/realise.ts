/** How an arm becomes stages, at the scale of a profile. */
import type { StageSpec } from '../core/ablation/declaration.ts';
import { UsageError } from '../core/ablation/errors.ts';
import type { JsonObject } from '../core/ablation/kind.ts';
import type { DistillRecipe, EvaluateRecipe, FinetuneRecipe, SuperviseRecipe, VitRecipe } from './stages/recipes.ts';
import { teacherModel } from './stages/teacher-model.ts';
import type { WitnessRecipe } from './witness/kind.ts';
import { distillStage, pretrainStage, teacherStage } from './distillation.ts';
import { teacherFactors, type Factors, type ModelSize } from './factors.ts';
import { classifier } from './models.ts';
import type { Profile, Variation } from './profile.ts';

const json = (recipe: object): JsonObject => recipe as JsonObject;

function classifierFields(factors: Factors, profile: Profile, from: Profile['finetune'] | Profile['supervise']): Omit<FinetuneRecipe, 'layer_decay'> {
  const { schedule, optimizer, augment, drop_path, label_smoothing, pool } = from;
  return {
    data: profile.data,
    images: profile.labelled_images,
    model: { ...classifier(profile, factors.student), pool },
    drop_path,
    label_smoothing,
    schedule,
    optimizer,
    augment,
    engine: profile.engine,
  };
}

/** @param weights the stage whose encoder is fine-tuned */
export function finetuneStage(factors: Factors, profile: Profile, seed: number, weights: StageSpec): StageSpec {
  const { sizes, mae } = profile.finetune;
  const variations: Variation = { ...(factors.method === 'mae' ? mae : {}), ...sizes[factors.student] };
  const { layer_decay = profile.finetune.layer_decay, drop_path = profile.finetune.drop_path, ...schedule } = variations;
  const fields = classifierFields(factors, profile, profile.finetune);
  const recipe: FinetuneRecipe = { ...fields, drop_path, schedule: { ...fields.schedule, ...schedule }, layer_decay };
  return { kind: 'finetune', role: 'finetune', recipe: json(recipe), seed, upstream: { weights } };
}

/** Fine-tuning as TinyMIM* has it: a distillation token and its head, which learn from a classifier. */
function finetuneWithTeacherStage(factors: Factors, profile: Profile, seed: number, student: StageSpec): StageSpec {
  const fields = profile.finetune_with_teacher;
  if (fields === undefined)
    throw new UsageError(
      'NO_TEACHER_RECIPE',
      `Expected 'finetune_with_teacher' in the profile ${profile.name}, of which an arm with finetuneTeacher is made, got none. Declare it (the profile mini has one), or leave the arm out.`,
    );
  const { num_heads, feature_dim, alpha, tau, ...variations } = fields;
  const stage = finetuneStage(factors, profile, seed, student),
    plain = stage.recipe as unknown as FinetuneRecipe;
  const { layer_decay = plain.layer_decay, drop_path = plain.drop_path, ...schedule } = variations;
  const recipe: FinetuneRecipe = {
    ...plain,
    model: { ...plain.model, num_heads, pool: 'class_token', dist_token: true, feature_dim },
    schedule: { ...plain.schedule, ...schedule },
    drop_path,
    layer_decay,
    distillation: factors.finetuneDistillation === 'hard' ? { type: 'hard', alpha } : { type: 'soft', alpha, tau },
  };
  return { ...stage, recipe: json(recipe), upstream: { weights: student, teacher: classifierTeacherStage(factors, profile, seed, student) } };
}

/** The teacher of `finetuneTeacher`, fine-tuned: the same stage as that of the arm it has of its own (`teachersOf`). */
function classifierTeacherStage(factors: Factors, profile: Profile, seed: number, student: StageSpec): StageSpec {
  const { teachers, finetuneTeacher } = factors,
    size = finetuneTeacher as ModelSize,
    place = teachers.lastIndexOf(size);
  const weights = teachers.slice(place).reduce<StageSpec>(taught => taught.upstream['teacher']!, student);
  const own: Factors = { ...teacherFactors(factors), method: place === 0 ? 'mae' : 'distill', student: size };
  return { ...finetuneStage(own, profile, seed, weights), role: 'finetune-teacher' };
}

function superviseStage(factors: Factors, profile: Profile, seed: number): StageSpec {
  const { init, pos_embed } = profile.supervise;
  const recipe: SuperviseRecipe = { ...classifierFields(factors, profile, profile.supervise), init, pos_embed };
  return { kind: 'supervise', role: 'supervise', recipe: json(recipe), seed, upstream: {} };
}

/** What an arm has learned without labels, or undefined. */
export function encoderStage(factors: Factors, profile: Profile, seed: number): StageSpec | undefined {
  switch (factors.method) {
    case 'distill':
      return distillStage(factors, profile, seed);
    case 'mae':
      return factors.mae === 'teacher' ? teacherStage(profile, factors.student, seed) : pretrainStage(profile, factors.student, seed, 'pretrain');
    case 'scratch':
      return undefined;
  }
}

/** The classifier of an arm: what it has learned, fine-tuned, or trained from scratch. */
export function classifierStage(factors: Factors, profile: Profile, seed: number, encoder: StageSpec | undefined): StageSpec {
  if (encoder === undefined) return superviseStage(factors, profile, seed);
  return (factors.finetuneTeacher === 'none' ? finetuneStage : finetuneWithTeacherStage)(factors, profile, seed, encoder);
}

/** The stages of one arm: pre-training or distillation, fine-tuning, and the test of the classifier that all others hang on. */
export function realise(factors: Factors, profile: Profile, seed: number): StageSpec {
  if (factors.implementation === 'pytorch') return witnessStage(factors, profile, seed);
  return evaluateStage(profile, seed, classifierStage(factors, profile, seed, encoderStage(factors, profile, seed)));
}

/** All that would be three stages of ours, by the recipes that these would have, of the same teacher. @throws UsageError for a profile that leaves it out */
function witnessStage(factors: Factors, profile: Profile, seed: number): StageSpec {
  if (!profile.pytorch)
    throw new UsageError(
      'NO_PYTORCH',
      `Expected 'pytorch: true' in the profile ${profile.name}, by which arms with implementation 'pytorch' are trained, got false. The profile witness has it; or leave the arm out.`,
    );
  const student = distillStage(factors, profile, seed),
    weights = finetuneStage(factors, profile, seed, student);
  const distill = student.recipe as unknown as DistillRecipe,
    teacher = student.upstream['teacher']!;
  const recipe: WitnessRecipe = {
    teacher: teacherModel(distill, teacher.recipe['model'] as unknown as VitRecipe),
    distill,
    finetune: weights.recipe as unknown as FinetuneRecipe,
    evaluate: evaluateStage(profile, seed, weights).recipe as unknown as EvaluateRecipe,
  };
  return { kind: 'witness', role: 'evaluate', recipe: json(recipe), seed, upstream: { teacher } };
}

export function evaluateStage(profile: Profile, seed: number, weights: StageSpec): StageSpec {
  const { split, batch_size, crop } = profile.evaluate;
  const recipe: EvaluateRecipe = { data: profile.data, split, batch_size, crop, engine: profile.engine };
  return { kind: 'evaluate', role: 'evaluate', recipe: json(recipe), seed, upstream: { weights } };
}
