/**
 * What can be said against the recipes of our kinds without running them (`check` of `core/ablation/kind.ts`): a kind's rules are a list
 * of the lists below, and a new field gets its rule there. Light: planning asks.
 */
import { canonicalJson } from '../../core/ablation/json.ts';
import type { JsonObject, Objection } from '../../core/ablation/kind.ts';
import { classCount, dataSpec, dataTitle, imageCount, imageShape, isFolder, type DataSpec } from '../data/spec.ts';
import { isTestFolder, testFolder, testImages, type CorruptedSpec, type ShiftedSpec } from '../data/test-spec.ts';
import { distillMisfits } from '../distill/misfits.ts';
import { classifierMisfits, decoderMisfits, patchCount, patchDim, vitMisfits, type Misfit } from '../nn/config.ts';
import { leavesSome } from '../nn/masking.ts';
import { scaledLearningRate } from '../optim/schedule.ts';
import { checkAugment, checkClassifierAugment, checkJitter } from './check-augment.ts';
import { checkSchedule } from './check-schedule.ts';
import {
  classifierVitRecipe,
  type CheckpointRecipe,
  type ClassifierVitRecipe,
  type DistillRecipe,
  type EvaluateCorruptedRecipe,
  type EvaluateRecipe,
  type FinetuneRecipe,
  type PretrainRecipe,
  type ScheduleRecipe,
  type SuperviseRecipe,
  type VitRecipe,
} from './recipes.ts';
import { corruptedImages, evaluatedImages } from './cost.ts';
import { doubtful, impossible, objectIf } from './rules.ts';
import { teacherModel } from './teacher-model.ts';

export function checkPretrain(recipe: PretrainRecipe): Objection[] {
  const { model, decoder, mask_ratio, norm_pix_loss, augment, data } = recipe;
  return [
    ...checkTraining(recipe, 'unlabelled'),
    ...fitting('decoder.', decoderMisfits(decoder)),
    ...checkMask(model, mask_ratio),
    ...objectIf(norm_pix_loss && patchDim(model) === 1, impossible('norm_pix_loss', 'false for patches of a single value, which have no variance')),
    ...checkAugment(augment, data),
  ];
}

/** Whether the file fits is known once it is imported; see `tinymim/teacher-checkpoints.ts`. */
export const checkCheckpoint = ({ model }: CheckpointRecipe): Objection[] => fitting('model.', vitMisfits(model));

export function checkDistill(recipe: DistillRecipe, upstream: JsonObject): Objection[] {
  const { model, target, teacher_block, drop_path, teacher_drop_path, mask_ratio, reconstruction, student_jitter, augment, data } = recipe;
  const teacher = teacherModel(recipe, modelOf(upstream));
  return [
    ...checkTraining(recipe, 'unlabelled'),
    ...fitting('', distillMisfits(target, model, { config: teacher, block: teacher_block })),
    ...(mask_ratio > 0 ? checkMask(model, mask_ratio) : []),
    ...(reconstruction ? fitting('reconstruction.decoder.', decoderMisfits(reconstruction.decoder)) : []),
    ...objectIf(reconstruction !== null && mask_ratio === 0, impossible('mask_ratio', 'above 0 with a reconstruction loss, which is on the patches that the student does not see')),
    ...objectIf(reconstruction?.norm_pix_loss === true && patchDim(model) === 1, impossible('reconstruction.norm_pix_loss', 'false for patches of a single value, which have no variance')),
    ...checkDropPath('drop_path', drop_path, model),
    ...checkDropPath('teacher_drop_path', teacher_drop_path, teacher),
    ...checkAugment(augment, data),
    ...(student_jitter ? checkJitter(student_jitter, data) : []),
  ];
}

export function checkSupervise(recipe: SuperviseRecipe): Objection[] {
  return [...checkClassifier(recipe), ...checkDistToken(recipe.model, false)];
}

/** What all classifiers have in common. */
function checkClassifier(recipe: SuperviseRecipe): Objection[] {
  const { model, drop_path, label_smoothing, augment, data, schedule } = recipe;
  return [
    ...checkTraining(recipe, 'labelled'),
    ...fitting('model.', classifierMisfits(model)),
    ...checkDropPath('drop_path', drop_path, model),
    ...objectIf(label_smoothing > MOST_SMOOTHING, doubtful('label_smoothing', `at most ${MOST_SMOOTHING}: more leaves little of the labels`)),
    ...checkAugment(augment, data),
    ...checkClassifierAugment(augment, schedule),
  ];
}

/** @param teacher the classifier that it learns from, where there is one */
export function checkFinetune(recipe: FinetuneRecipe, weights: JsonObject, teacher?: JsonObject): Objection[] {
  const { model, layer_decay } = recipe;
  return [
    ...checkClassifier(recipe),
    ...checkWeights(model, modelOf(weights)),
    ...checkDistToken(model, teacher !== undefined),
    ...checkDistillation(recipe, teacher),
    ...objectIf(layer_decay ** (model.depth + 1) < LEAST_SHARE, doubtful('layer_decay', `a decay that leaves the first of ${model.depth} blocks more than ${LEAST_SHARE} of the rate`)),
  ];
}

/** The head that reads the token learns from a teacher alone. */
const checkDistToken = ({ dist_token }: ClassifierVitRecipe, taught: boolean): Objection[] =>
  objectIf(
    (dist_token === true) !== taught,
    impossible('model.dist_token', taught ? 'true with a teacher, from which the head of the distillation token learns' : 'false without a teacher, from which its head would learn'),
  );

function checkDistillation({ data, distillation = null }: FinetuneRecipe, teacher: JsonObject | undefined): Objection[] {
  if (teacher === undefined) return objectIf(distillation !== null, impossible('distillation', 'null without a teacher'));
  const taughtOn = dataSpec.parse(teacher['data']);
  return [
    ...objectIf(distillation === null, impossible('distillation', 'how it learns from its teacher, as it has one')),
    ...objectIf(distillation?.alpha === 0, doubtful('distillation.alpha', 'above 0, or no teacher: nothing is learned from it')),
    ...objectIf(distillation?.alpha === 1, doubtful('distillation.alpha', 'below 1: nothing is learned from the labels')),
    ...objectIf(classCount(taughtOn) !== classCount(data), impossible('data', `images of the ${classCount(taughtOn)} classes that its teacher was trained for`)),
    ...objectIf(shapeMisfits(data, modelOf(teacher)).length > 0, impossible('data', "images of the size and channels of its teacher's")),
  ];
}

export function checkEvaluate(recipe: EvaluateRecipe, upstream: JsonObject): Objection[] {
  const { data, split, shifted } = recipe;
  return [...checkEvaluation(recipe, evaluatedImages(recipe), upstream), ...(shifted ? checkTestSet('shifted', shifted, data, split) : [])];
}

/** @param reference recipe of the stage in that slot */
export function checkEvaluateCorrupted(recipe: EvaluateCorruptedRecipe, weights: JsonObject, reference: JsonObject | undefined): Objection[] {
  const { data, split, corrupted, denominators } = recipe;
  const same = reference === undefined || (['data', 'split', 'corrupted', 'crop'] as const).every(field => canonicalJson(recipe[field]) === canonicalJson(reference[field]));
  return [
    ...checkEvaluation(recipe, corruptedImages(recipe), weights),
    ...checkTestSet('corrupted', corrupted, data, split),
    ...objectIf(testImages(corrupted, imageCount(data, split)) < 2, impossible('corrupted.images', 'at least 2, for an error of their mean')),
    ...objectIf(denominators === 'alexnet' && !isTestFolder(corrupted), impossible('denominators', "null with images that are corrupted here: AlexNet's errors are those on ImageNet-C")),
    ...objectIf(!same, impossible('corrupted', 'the same images as those that the reference was tested on')),
  ];
}

/** Of a test set beside that of the data. */
function checkTestSet(field: 'shifted' | 'corrupted', spec: ShiftedSpec | CorruptedSpec, data: DataSpec, split: EvaluateRecipe['split']): Objection[] {
  if (isTestFolder(spec)) {
    const { title, classes } = testFolder(spec);
    return [
      ...objectIf(!isFolder(data), impossible(`${field}.name`, `a set that is made of ${dataTitle(data)}: ${title} has other classes`)),
      ...objectIf(classes > classCount(data), impossible(`${field}.classes`, `at most ${classCount(data)}, those of ${dataTitle(data)}`)),
    ];
  }
  const all = imageCount(data, split),
    { images } = spec;
  return [
    ...objectIf(images !== null && images > all, impossible(`${field}.images`, `at most ${all}, the images of the ${split} split of ${dataTitle(data)}`)),
    ...objectIf(images !== null && images < classCount(data), impossible(`${field}.images`, `at least ${classCount(data)}, one of each class of ${dataTitle(data)}`)),
  ];
}

type Evaluation = Pick<EvaluateRecipe, 'data' | 'split' | 'batch_size' | 'crop'>;

/** @param count images that are looked at */
function checkEvaluation({ data, split, batch_size, crop }: Evaluation, count: number, upstream: JsonObject): Objection[] {
  const model = modelOf(upstream),
    trainedOn = dataSpec.safeParse(upstream['data']);
  return [
    ...objectIf(imageCount(data, split) === 0, impossible('split', `a split that has images in ${dataTitle(data)}`)),
    ...objectIf(shapeMisfits(data, model).length > 0, impossible('data', `images of the size and channels of the model, [${model.image_size.join(', ')}] and ${model.in_chans}`)),
    ...(trainedOn.success ? objectIf(classCount(trainedOn.data) !== classCount(data), impossible('data', `images of the ${classCount(trainedOn.data)} classes that the model was trained for`)) : []),
    ...objectIf(crop !== null && crop.resize < Math.max(...model.image_size), impossible('crop.resize', `at least the image_size of the model, ${Math.max(...model.image_size)}`)),
    ...objectIf(batch_size > count, doubtful('batch_size', `at most ${count}, the images that it is tested on: what is missing is filled up and computed, too`)),
  ];
}

interface TrainingRecipe {
  readonly data: DataSpec;
  readonly images: number | null;
  readonly model: VitRecipe;
  readonly schedule: ScheduleRecipe;
  readonly optimizer: { readonly weight_decay: number; readonly betas: readonly [number, number] };
}

/** What all trainings have in common. */
function checkTraining({ data, images, model, schedule, optimizer }: TrainingRecipe, kind: 'labelled' | 'unlabelled'): Objection[] {
  const all = imageCount(data, 'train'),
    used = Math.min(images ?? all, all);
  return [
    ...objectIf(images !== null && images > all, impossible('images', `at most ${all}, the training images of ${dataTitle(data)}`)),
    ...(kind === 'labelled' ? checkLabels(data, used) : []),
    ...fitting('model.', [...vitMisfits(model), ...shapeMisfits(data, model)]),
    ...checkSchedule(schedule, used),
    ...checkOptimizer(optimizer, schedule),
  ];
}

function checkLabels(data: DataSpec, images: number): Objection[] {
  const classes = classCount(data);
  return [
    ...objectIf(classes < 2, impossible('data.classes', 'at least 2 for a classifier')),
    ...objectIf(images < classes, impossible('images', `at least ${classes}, one of each class of ${dataTitle(data)}`)),
  ];
}

/** A model takes images as the data have them. */
function shapeMisfits(data: DataSpec, { image_size, in_chans }: VitRecipe): Misfit[] {
  const { channels, size } = imageShape(data);
  return [
    ...(in_chans === channels ? [] : [{ field: 'in_chans', expected: `${channels}, the channels of ${dataTitle(data)}` }]),
    ...(size === undefined || size.join() === image_size.join() ? [] : [{ field: 'image_size', expected: `[${size.join(', ')}], the size of the images of ${dataTitle(data)}` }]),
  ];
}

const fitting = (prefix: string, found: readonly Misfit[]): Objection[] => found.map(({ field, expected }) => impossible(prefix + field, expected));

function checkMask(model: VitRecipe, maskRatio: number): Objection[] {
  const patches = patchCount(model);
  if (vitMisfits(model).length > 0) return []; // a whole number of patches is known of no other
  const some = patches === 1 ? 'more than one patch to mask' : `a share that leaves 1 to ${patches - 1} of the ${patches} patches visible`;
  return objectIf(!leavesSome(patches, maskRatio), impossible('mask_ratio', some));
}

/** More smoothing or dropping is no regularisation. */
const MOST_SMOOTHING = 0.5;
const MOST_DROPPED = 0.5;
/** A layer with less than this share of the rate keeps its weights, as float32 rounds the steps away. */
export const LEAST_SHARE = 1e-6;

/** Rates are 0 in the last block of a student or teacher, and in the first of a classifier. */
export function checkDropPath(field: string, rate: number, { depth }: VitRecipe): Objection[] {
  return [
    ...objectIf(rate > 0 && depth === 1, doubtful(field, '0 for a model of one block, which never drops its path')),
    ...objectIf(rate > MOST_DROPPED, doubtful(field, `at most ${MOST_DROPPED}: more drops most of the model at every step`)),
  ];
}

function checkOptimizer({ weight_decay, betas }: TrainingRecipe['optimizer'], { base_lr, batch_size }: ScheduleRecipe): Objection[] {
  const rate = scaledLearningRate(base_lr, batch_size);
  return [
    ...objectIf(rate * weight_decay >= 1, doubtful('optimizer.weight_decay', `less than 1 over the rate ${rate}: a step takes all of a weight away`)),
    ...objectIf(betas[1] < betas[0], doubtful('optimizer.betas', 'the decay of the squares, which comes second, to be no less than the first')),
  ];
}

/** Fine-tuning takes over the parameters of equal names; heads may be split anew. @param sameImage false where positions are resized to those of another image */
export function checkWeights(model: VitRecipe, given: VitRecipe, { sameImage = true } = {}): Objection[] {
  const same = (field: 'patch_size' | 'in_chans' | 'embed_dim' | 'mlp_ratio'): Objection[] =>
    objectIf(model[field] !== given[field], impossible(`model.${field}`, `${given[field]}, as of the weights that it starts from`));
  return [
    ...same('patch_size'),
    ...same('in_chans'),
    ...same('embed_dim'),
    ...same('mlp_ratio'),
    ...objectIf(sameImage && model.image_size.join() !== given.image_size.join(), impossible('model.image_size', `[${given.image_size.join(', ')}], as of the weights that it starts from`)),
    ...objectIf(model.depth !== given.depth, doubtful('model.depth', `${given.depth}, as of the weights that it starts from`)),
  ];
}

/** The model of an upstream stage. */
const modelOf = (recipe: JsonObject): ClassifierVitRecipe => classifierVitRecipe.parse(recipe['model']);
