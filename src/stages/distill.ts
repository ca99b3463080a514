/** TinyMIM distillation (`main_pretrain.py` of OliverRensu/TinyMIM): a student learns from a frozen teacher. */
import { PermanentError } from '../ablation/errors.ts';
import type { StageRunner } from '../ablation/kind.ts';
import { takeImages, unlabelledSubset, type ImageSet } from '../data/image-set.ts';
import { patchCount } from '../nn/config.ts';
import { ModelError } from '../nn/errors.ts';
import { initialise } from '../nn/init.ts';
import type { Params } from '../nn/params.ts';
import { encoderSpec } from '../nn/spec.ts';
import { pretrainGroups } from '../optim/groups.ts';
import { stream } from '../tensor/rng.ts';
import * as tf from '../tensor/tf.ts';
import { toTensors } from '../tensor/weights.ts';
import { distillObjective, studentSpec } from './distill-objective.ts';
import { pixels, type Normalisation } from './images.ts';
import { maskInputs } from './mask-inputs.ts';
import type { DistillRecipe, VitRecipe } from './recipes.ts';
import { openSession, saveModel, upstreamModel } from './session.ts';
import { train } from './train.ts';
import type { HostInputs, Objective } from './train-step.ts';
import { meanLosses, shapeOf } from './validate.ts';

/** Held-out losses are taken on the first of the validation images: the teacher runs on each, so all would cost much of a short training. */
const HELD_OUT_IMAGES = 1024;

export const distill: StageRunner<DistillRecipe> = async context => {
  const { recipe, seed } = context;
  const { schedule, optimizer, mask_ratio } = recipe;
  const dataset = await openSession(context, recipe.data);
  const set = recipe.images === null ? dataset.train : unlabelledSubset(dataset.train, recipe.images);
  const teacher = upstreamModel(context.upstream['teacher']);
  const teacherParams = toTensors(teacher.weights);
  const objective = objectiveOf(recipe, { config: teacher.config, params: teacherParams }, dataset);
  const weights = initialise(studentSpec(recipe, teacher.config), seed);

  const masks = (purpose: string, drawSeed: number, step: number, batch: number): HostInputs =>
    mask_ratio === 0 ? {} : maskInputs(stream(drawSeed, purpose, step).uniforms(batch * patchCount(recipe.model)), patchCount(recipe.model), mask_ratio);
  const dropPath = (name: string, purpose: string, rate: number, depth: number, step: number): HostInputs => {
    if (rate === 0) return {};
    const shape = [depth, 2, schedule.batch_size];
    return { [name]: { data: stream(seed, purpose, step).uniforms(depth * 2 * schedule.batch_size), shape, batchAxis: 2 } };
  };

  const { params, losses } = await train(context, {
    ...objective,
    weights,
    groups: pretrainGroups(weights, optimizer.weight_decay),
    schedule,
    optimizer,
    set,
    augment: { ...recipe.augment, studentJitter: recipe.student_jitter },
    withLabels: false,
    inputs: ({ step, images, studentImages }) => ({
      images: pixels(images, shapeOf(set)),
      ...(studentImages && { student_images: pixels(studentImages, shapeOf(set)) }),
      ...dropPath('drop_path', 'distill/drop-path', recipe.drop_path, recipe.model.depth, step),
      ...dropPath('teacher_drop_path', 'distill/teacher-drop-path', recipe.teacher_drop_path, teacher.config.depth, step),
      ...masks('distill/mask', seed, step, schedule.batch_size),
    }),
  });

  context.progress({ phase: 'evaluate', step: 0, steps: 0 });
  const held = firstImages(dataset.validation, HELD_OUT_IMAGES);
  const heldOutLoss = (student: Params): number => {
    // The same masks for every student and seed: only the weights differ.
    const means = meanLosses(objective, student, held, schedule.batch_size, (images, index) => {
      const batch = pixels(images, shapeOf(held));
      return { images: batch, ...masks('distill/validation-mask', 0, index, batch.shape[0]!) };
    });
    return (means['distillation'] ?? means['loss'])!;
  };
  const untrained = toTensors(weights);
  const validation = heldOutLoss(params), atStart = heldOutLoss(untrained);
  saveModel(context, encoderOf(params, recipe.model));
  tf.dispose([params, untrained, teacherParams]);
  return { loss: losses['loss']!, val_loss: validation, val_loss_untrained: atStart, val_loss_ratio: validation / atStart };
};

/** @throws PermanentError when the recipe's networks, target and mask do not fit together */
function objectiveOf(recipe: DistillRecipe, teacher: { config: VitRecipe; params: Params }, normalisation: Normalisation): Objective {
  try {
    return distillObjective(recipe, teacher, normalisation);
  } catch (error) {
    if (error instanceof ModelError) throw new PermanentError(error.code, error.message, { cause: error });
    throw error;
  }
}

function firstImages(set: ImageSet, count: number): ImageSet {
  if (set.count <= count) return set;
  return takeImages(set, Uint32Array.from({ length: count }, (_, i) => i), `${set.name}, first ${count}`);
}

/** The stages downstream take an encoder: projections and decoder have served. */
function encoderOf(params: Params, model: VitRecipe): Params {
  return Object.fromEntries(Object.keys(encoderSpec(model)).map(name => [name, params[name]!]));
}
