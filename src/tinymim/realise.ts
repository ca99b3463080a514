/** How an arm becomes stages, at the scale of a profile. */
import type { StageSpec } from '../core/ablation/declaration.ts';
import type { JsonObject } from '../core/ablation/kind.ts';
import type { EvaluateRecipe, FinetuneRecipe, SuperviseRecipe } from './stages/recipes.ts';
import { distillStage, pretrainStage, teacherStage } from './distillation.ts';
import type { Factors } from './factors.ts';
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

function superviseStage(factors: Factors, profile: Profile, seed: number): StageSpec {
  const { init, pos_embed } = profile.supervise;
  const recipe: SuperviseRecipe = { ...classifierFields(factors, profile, profile.supervise), init, pos_embed };
  return { kind: 'supervise', role: 'supervise', recipe: json(recipe), seed, upstream: {} };
}

/** The stages of one arm: pre-training or distillation, fine-tuning, and the evaluation that all others hang on. */
export function realise(factors: Factors, profile: Profile, seed: number): StageSpec {
  const weights = {
    distill: () => finetuneStage(factors, profile, seed, distillStage(factors, profile, seed)),
    mae: () => finetuneStage(factors, profile, seed, factors.mae === 'teacher' ? teacherStage(profile, factors.student, seed) : pretrainStage(profile, factors.student, seed, 'pretrain')),
    scratch: () => superviseStage(factors, profile, seed),
  }[factors.method]();
  const { split, batch_size, crop } = profile.evaluate;
  const recipe: EvaluateRecipe = { data: profile.data, split, batch_size, crop, engine: profile.engine };
  return { kind: 'evaluate', role: 'evaluate', recipe: json(recipe), seed, upstream: { weights } };
}
