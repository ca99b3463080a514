/** How an arm becomes stages, at the scale of a profile. */
import type { StageSpec } from '../core/ablation/declaration.ts';
import type { JsonObject } from '../core/ablation/kind.ts';
import type { EvaluateRecipe, FinetuneRecipe, SuperviseRecipe } from './stages/recipes.ts';
import { distillStage, pretrainStage, teacherStage } from './distillation.ts';
import type { Factors } from './factors.ts';
import { classifier } from './models.ts';
import type { Profile, Variation } from './profile.ts';
import { expectSegmentation, segmentationStage } from './segmentation.ts';

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

/** What an arm has learned without labels, or undefined. */
function encoderStage(factors: Factors, profile: Profile, seed: number): StageSpec | undefined {
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
function classifierStage(factors: Factors, profile: Profile, seed: number, encoder: StageSpec | undefined): StageSpec {
  return encoder ? finetuneStage(factors, profile, seed, encoder) : superviseStage(factors, profile, seed);
}

/** The stages of one arm: pre-training or distillation, fine-tuning, and the test of the classifier that all others hang on. */
export const realise = (factors: Factors, profile: Profile, seed: number): StageSpec => evaluateStage(profile, seed, classifierStage(factors, profile, seed, encoderStage(factors, profile, seed)));

/**
 * A test for each number that an ablation names and that can be measured. `miou` is of a segmenter on what was pre-trained, or from scratch on the
 * classifier, as the paper's DeiT; `miou-finetuned`, of distilled arms alone, of one on the classifier ("intermediate fine-tuning").
 * @throws UsageError where the profile can measure none
 */
export function realiseMeasures(factors: Factors, profile: Profile, seed: number, measures: readonly string[]): StageSpec[] {
  const encoder = encoderStage(factors, profile, seed),
    weights = classifierStage(factors, profile, seed, encoder);
  const tests: Readonly<Record<string, () => StageSpec>> = {
    accuracy: () => evaluateStage(profile, seed, weights),
    miou: () => segmentationStage(factors, profile, seed, encoder ?? weights),
    'miou-finetuned': () => segmentationStage(factors, profile, seed, weights, ['segment-finetuned', 'segment-evaluate-finetuned']),
  };
  if (!measures.includes('accuracy')) expectSegmentation(profile);
  const measurable = measures.filter(measure => measure === 'accuracy' || (profile.segment !== undefined && (measure === 'miou' || factors.method === 'distill')));
  return measurable.flatMap(measure => tests[measure]?.() ?? []);
}

function evaluateStage(profile: Profile, seed: number, weights: StageSpec): StageSpec {
  const { split, batch_size, crop } = profile.evaluate;
  const recipe: EvaluateRecipe = { data: profile.data, split, batch_size, crop, engine: profile.engine };
  return { kind: 'evaluate', role: 'evaluate', recipe: json(recipe), seed, upstream: { weights } };
}
