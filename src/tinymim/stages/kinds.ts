/**
 * The stage kinds of TinyMIM, as the core registers them. Light: the code that trains, and the engine, load only when a
 * worker runs a stage.
 */
import { defineKind } from '../../core/ablation/define.ts';
import type { JsonObject, MetricSpec, StageKind } from '../../core/ablation/kind.ts';
import { CORRUPTION_NAMES, IMAGENET_C, SEVERITIES } from '../data/corruption-names.ts';
import { classCount, imageCount } from '../data/spec.ts';
import { checkCheckpoint, checkDistill, checkEvaluate, checkEvaluateCorrupted, checkFinetune, checkPretrain, checkSupervise } from './check.ts';
import { corruptedImages, corruptingFlops, decoderFlops, encoderFlops, evaluatedImages, maeFlops, teacherFlops, totalSteps, trainingCost, visiblePatches } from './cost.ts';
import { errorName } from './corruption-error.ts';
import { classifierMemory, distillMemory, evaluateMemory, pretrainMemory } from './memory.ts';
import { anyThreads, environment, lossMetric } from './kind-parts.ts';
import { canSplit, canSplitPairs } from './micro-batches.ts';
import { corruptedKey, packingKey, sharedCorruptingFlops, sharedFlops } from './packing.ts';
import { classifierParameters, decoderParameters, distillExtras, encoderParameters, FLOAT32, scoresBytes, trainingDisk } from './parameters.ts';
import {
  checkpointRecipe,
  classifierVitRecipe,
  distillRecipe,
  evaluateCorruptedRecipe,
  evaluateRecipe,
  finetuneRecipe,
  pretrainRecipe,
  superviseRecipe,
  type CheckpointRecipe,
  type ClassifierVitRecipe,
  type DistillRecipe,
  type EngineRecipe,
  type EvaluateCorruptedRecipe,
  type EvaluateRecipe,
  type FinetuneRecipe,
  type PretrainRecipe,
  type ScheduleRecipe,
  type SuperviseRecipe,
  type VitRecipe,
} from './recipes.ts';
import { segmentEvaluateKind, segmentKind } from './segment/kinds.ts';
import { classifierShape, distillShape, evaluateShape, pretrainShape } from './shape.ts';
import { teacherModel } from './teacher-model.ts';

const errorMetric = (label: string, help: string): MetricSpec => ({ label, unit: 'fraction', better: 'lower', help });
const accuracyMetric = (label: string, help: string): MetricSpec => ({ label, unit: 'fraction', better: 'higher', help });

/** In a training, every epoch counted. */
export const imagesSeen = (recipe: { data: PretrainRecipe['data']; images: number | null; schedule: ScheduleRecipe }): number =>
  totalSteps(recipe.images ?? imageCount(recipe.data, 'train'), recipe.schedule) * recipe.schedule.batch_size;

/** The encoder inside an upstream stage, for the cost of running it. */
const encoderOf = (recipe: JsonObject | undefined): ClassifierVitRecipe => {
  if (recipe === undefined) throw new Error('Expected the recipe of an upstream stage with a model, got none.');
  return classifierVitRecipe.parse(recipe['model']);
};

const teacherOf = (recipe: DistillRecipe, upstream: Readonly<Record<string, JsonObject>>): VitRecipe => teacherModel(recipe, encoderOf(upstream['teacher']));

/** Revisions in which the numbers of either precision last changed. */
const ofPrecision =
  (revisions: Readonly<Record<EngineRecipe['precision'], number>>) =>
  ({ engine }: { readonly engine: EngineRecipe }): number =>
    revisions[engine.precision];

/** Weights go out as safetensors. */
const exportFormats = { timm: '.safetensors', mae: '.safetensors' } as const;

const pretrainKind = defineKind<PretrainRecipe>({
  name: 'pretrain',
  revision: 3,
  changedIn: ofPrecision({ float32: 2, tf32: 2, bfloat16: 3 }),
  recipe: pretrainRecipe,
  upstream: {},
  metrics: {
    loss: lossMetric('reconstruction loss', 'MAE loss on masked patches, mean over the last epoch of training.'),
    val_loss: lossMetric('held-out reconstruction loss', 'The same on the first 1,024 held-out images, with fixed masks.'),
  },
  check: checkPretrain,
  cost: recipe => trainingCost(imagesSeen(recipe), false, maeFlops(recipe.model, recipe.decoder, recipe.mask_ratio)),
  disk: ({ model, decoder, optimizer }) => {
    const all = encoderParameters(model) + decoderParameters(model, decoder);
    return trainingDisk(all, all, optimizer);
  },
  shape: pretrainShape,
  loadUntrained: async () => (await import('./untrained.ts')).untrainedMae,
  exporting: {
    formats: { ...exportFormats, teacher: '.safetensors' },
    load: async () => {
      const [{ exportMae }, { exportTeacher }] = await Promise.all([import('./export.ts'), import('./export-teacher.ts')]);
      return request => (request.format === 'teacher' ? exportTeacher(request) : exportMae(request));
    },
  },
  memory: (recipe, _, microBatches) => pretrainMemory(recipe, microBatches),
  canSplit,
  environment,
  anyThreads,
  load: async () => (await import('./pretrain.ts')).runPretrain,
});

/** A released encoder, such as the paper's teacher: nothing is trained. */
const checkpointKind = defineKind<CheckpointRecipe>({
  name: 'checkpoint',
  revision: 1,
  recipe: checkpointRecipe,
  upstream: {},
  metrics: { parameters: { label: 'parameters', unit: 'count', better: 'none', help: 'Numbers in the encoder.' } },
  check: checkCheckpoint,
  cost: () => ({ labelledImages: 0, unlabelledImages: 0, flops: 0 }),
  disk: ({ model }) => ({ output: FLOAT32 * encoderParameters(model), checkpoint: 0 }),
  shape: ({ model }) => ({ model }),
  loadUntrained: async () => (await import('./untrained.ts')).untrainedEncoder,
  anyThreads: () => true,
  load: async () => (await import('./checkpoint.ts')).runCheckpoint,
});

/**
 * Measured on Fashion-MNIST with MAE teachers of 48 to 128 channels: targets of every family have 0.1 to 0.9, those of a teacher that has
 * hardly learned anything 0.018 to 0.07. A class token of 128 channels of which students learned nothing was matched to a KL of 4e-8 by what
 * is nearly a constant: by Pinsker's inequality its spread was at most sqrt(2 KL 128) = 0.003.
 */
const LEAST_SPREAD = 0.01;

/** @internal */
export const distillKind = defineKind<DistillRecipe>({
  name: 'distill',
  revision: 4,
  changedIn: ofPrecision({ float32: 3, tf32: 3, bfloat16: 4 }),
  recipe: distillRecipe,
  upstream: { teacher: { kinds: ['pretrain', 'distill', 'checkpoint'] } },
  metrics: {
    loss: lossMetric('training loss', 'Distillation loss, plus the weighted reconstruction loss where there is one; mean over the last epoch of training.'),
    val_loss: lossMetric('held-out loss', 'Distillation loss on the first 1,024 held-out images, student and teacher without drop path and jitter, masks fixed.'),
    val_loss_untrained: lossMetric('held-out loss, untrained', 'The same for the student at its initial weights.'),
    val_loss_ratio: { label: 'held-out loss / untrained', unit: 'ratio', better: 'lower', help: "Held-out loss as a share of the untrained student's." },
    target_spread: {
      label: 'target spread',
      unit: 'ratio',
      better: 'none',
      help: 'How much the targets vary over the images of a held-out batch: sqrt(mean |t - mean t|^2 / mean |t|^2) of the targets as the loss compares them, of several terms the largest.',
      doubtful: { below: LEAST_SPREAD, why: 'the teacher has nearly the same target for every image, which a student can match without looking at the image' },
    },
  },
  check: (recipe, upstream) => checkDistill(recipe, upstream['teacher']!),
  cost: (recipe, upstream) => {
    const { model, mask_ratio, reconstruction } = recipe;
    const teacher = teacherOf(recipe, upstream);
    const student = encoderFlops(model, model.depth, visiblePatches(model, mask_ratio));
    const decoder = reconstruction ? decoderFlops(model, reconstruction.decoder, mask_ratio) : 0;
    return trainingCost(imagesSeen(recipe), false, student + decoder, teacherFlops(recipe, teacher));
  },
  disk: (recipe, upstream) => {
    const encoder = encoderParameters(recipe.model);
    return trainingDisk(encoder, encoder + distillExtras(recipe, teacherOf(recipe, upstream)), recipe.optimizer);
  },
  shape: (recipe, upstream) => distillShape(recipe, teacherOf(recipe, upstream)),
  packing: {
    key: packingKey,
    sharedFlops: (recipe, upstream) => sharedFlops(recipe, teacherOf(recipe, upstream), imagesSeen(recipe)),
    load: async () => (await import('./distill.ts')).runDistillPack,
  },
  loadUntrained: async () => (await import('./untrained.ts')).untrainedEncoder,
  exporting: { formats: exportFormats, load: async () => (await import('./export.ts')).exportStudent },
  memory: (recipe, upstream, microBatches) => distillMemory(recipe, teacherOf(recipe, upstream), microBatches),
  canSplit,
  environment,
  anyThreads,
  load: async () => (await import('./distill.ts')).runDistill,
});

/** What the kinds that train a classifier have in common. */
const classifierKind = {
  metrics: {
    loss: lossMetric('training loss', 'Cross entropy, mean over the last epoch of training.'),
    val_accuracy: accuracyMetric('validation accuracy', 'On the first 1,024 images held out of the training split, after the last epoch.'),
  },
  cost: recipe => trainingCost(imagesSeen(recipe), true, encoderFlops(recipe.model)),
  disk: ({ model, data, optimizer }) => {
    const all = classifierParameters(model, classCount(data));
    return trainingDisk(all, all, optimizer);
  },
  shape: recipe => classifierShape(recipe),
  loadUntrained: async () => (await import('./untrained.ts')).untrainedClassifier,
  exporting: { formats: exportFormats, load: async () => (await import('./export.ts')).exportClassifier },
  memory: (recipe, _, microBatches) => classifierMemory(recipe, classCount(recipe.data), microBatches),
  canSplit: canSplitPairs,
  environment,
  anyThreads,
} satisfies Partial<StageKind<SuperviseRecipe>>;

/** The classifier that teaches a fine-tuning, where there is one. */
const classifierTeacherOf = (upstream: Readonly<Record<string, JsonObject>>): ClassifierVitRecipe | undefined => upstream['teacher'] && encoderOf(upstream['teacher']);

const finetuneKind = defineKind<FinetuneRecipe>({
  name: 'finetune',
  revision: 3,
  changedIn: ofPrecision({ float32: 2, tf32: 2, bfloat16: 3 }),
  ...classifierKind,
  metrics: { ...classifierKind.metrics, loss: lossMetric('training loss', 'Cross entropy, with a teacher weighed with what is learned of it; mean over the last epoch of training.') },
  recipe: finetuneRecipe,
  upstream: { weights: { kinds: ['pretrain', 'distill', 'checkpoint'] }, teacher: { kinds: ['finetune', 'supervise'], optional: true } },
  check: (recipe, upstream) => checkFinetune(recipe, upstream['weights']!, upstream['teacher']),
  cost: (recipe, upstream) => {
    const teacher = classifierTeacherOf(upstream);
    return trainingCost(imagesSeen(recipe), true, encoderFlops(recipe.model), teacher ? encoderFlops(teacher) : 0);
  },
  shape: (recipe, upstream) => classifierShape(recipe, classifierTeacherOf(upstream)),
  memory: (recipe, upstream, microBatches) => classifierMemory(recipe, classCount(recipe.data), microBatches, classifierTeacherOf(upstream)),
  load: async () => (await import('./finetune.ts')).runFinetune,
});

/** @internal */
export const superviseKind = defineKind<SuperviseRecipe>({
  name: 'supervise',
  revision: 3,
  changedIn: ofPrecision({ float32: 2, tf32: 2, bfloat16: 3 }),
  ...classifierKind,
  recipe: superviseRecipe,
  upstream: {},
  check: checkSupervise,
  load: async () => (await import('./supervise.ts')).runSupervise,
});

const evaluateKind = defineKind<EvaluateRecipe>({
  name: 'evaluate',
  revision: 3,
  changedIn: ofPrecision({ float32: 2, tf32: 2, bfloat16: 3 }),
  recipe: evaluateRecipe,
  upstream: { weights: { kinds: ['finetune', 'supervise'] } },
  metrics: {
    accuracy: accuracyMetric('test accuracy', "Top-1 of the last epoch's weights, or of their average where one is kept, on the test split; never the best epoch's."),
    accuracy_se: accuracyMetric('binomial standard error', 'sqrt(p (1 - p) / n) of the test accuracy.'),
    correct: { label: 'correct', unit: 'count', better: 'higher', help: 'Images classified correctly.' },
    count: { label: 'images', unit: 'count', better: 'none', help: 'Images of the split.' },
    loss: lossMetric('test loss', 'Cross entropy without label smoothing.'),
  },
  check: (recipe, upstream) => checkEvaluate(recipe, upstream['weights']!),
  cost: (recipe, upstream) => ({ labelledImages: 0, unlabelledImages: 0, flops: evaluatedImages(recipe) * encoderFlops(encoderOf(upstream['weights'])) }),
  disk: () => ({ output: 0, checkpoint: 0 }),
  memory: (recipe, upstream) => evaluateMemory(recipe, encoderOf(upstream['weights']), classCount(recipe.data)),
  shape: (recipe, upstream) => evaluateShape(recipe, encoderOf(upstream['weights'])),
  environment,
  anyThreads,
  load: async () => (await import('./evaluate.ts')).runEvaluate,
});

/** Of every corruption that some images have. */
const corruptions = [...new Set<string>([...CORRUPTION_NAMES, ...IMAGENET_C])];

const evaluateCorruptedKind = defineKind<EvaluateCorruptedRecipe>({
  name: 'evaluate-corrupted',
  revision: 1,
  recipe: evaluateCorruptedRecipe,
  upstream: { weights: { kinds: ['finetune', 'supervise'] }, reference: { kinds: ['evaluate-corrupted'], optional: true } },
  metrics: {
    mce: errorMetric('mean corruption error', 'Errors of each corruption over five severities, as a share of those of a reference, averaged over fifteen corruptions. 100 % is the reference.'),
    mce_se: errorMetric('standard error of the mean corruption error', 'Over the images, which are the same in all 75 sets and for the reference.'),
    error: errorMetric('mean error', 'Share of errors over all corruptions and severities, not divided by those of a reference.'),
    error_se: errorMetric('standard error of the mean error', 'Over the images.'),
    count: { label: 'images', unit: 'count', better: 'none', help: 'Images of each of the 75 sets.' },
    ...Object.fromEntries(
      corruptions.flatMap(corruption =>
        SEVERITIES.map(
          severity =>
            [errorName(corruption, severity), errorMetric(`error, ${corruption.replaceAll('_', ' ')} ${severity}`, 'Share of errors under this corruption at this severity, of five.')] as const,
        ),
      ),
    ),
  },
  check: (recipe, upstream) => checkEvaluateCorrupted(recipe, upstream['weights']!, upstream['reference']),
  cost: (recipe, upstream) => ({ labelledImages: 0, unlabelledImages: 0, flops: corruptedImages(recipe) * (encoderFlops(encoderOf(upstream['weights'])) + corruptingFlops(recipe)) }),
  disk: recipe => ({ output: scoresBytes(recipe), checkpoint: scoresBytes(recipe) }),
  memory: (recipe, upstream) => evaluateMemory(recipe, encoderOf(upstream['weights']), classCount(recipe.data)),
  shape: (recipe, upstream) => evaluateShape(recipe, encoderOf(upstream['weights'])),
  loadUntrained: async () => (await import('./untrained.ts')).untrainedScores,
  packing: { key: corruptedKey, sharedFlops: sharedCorruptingFlops, load: async () => (await import('./evaluate-corrupted.ts')).runEvaluateCorruptedPack },
  environment,
  anyThreads,
  load: async () => (await import('./evaluate-corrupted.ts')).runEvaluateCorrupted,
});

export const kinds = [pretrainKind, checkpointKind, distillKind, finetuneKind, superviseKind, evaluateKind, evaluateCorruptedKind, segmentKind, segmentEvaluateKind] as const;
