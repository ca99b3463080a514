/** MAE pre-training (`main_pretrain.py` of facebookresearch/mae): the teachers, and the MAE baseline. */
import type { StageRunner } from '../ablation/kind.ts';
import { unlabelledSubset } from '../data/image-set.ts';
import { patchCount } from '../nn/config.ts';
import { initMae } from '../nn/init.ts';
import { maeLoss, type MaskTensors } from '../nn/mae.ts';
import { pretrainGroups } from '../optim/groups.ts';
import { stream } from '../tensor/rng.ts';
import * as tf from '../tensor/tf.ts';
import { normalise, pixels } from './images.ts';
import { maskInputs } from './mask-inputs.ts';
import type { PretrainRecipe } from './recipes.ts';
import { openSession, saveModel } from './session.ts';
import { train } from './train.ts';
import type { HostInputs, Objective } from './train-step.ts';
import { meanLosses, shapeOf } from './validate.ts';

export const pretrain: StageRunner<PretrainRecipe> = async context => {
  const { recipe, seed } = context;
  const { schedule, optimizer } = recipe;
  const dataset = await openSession(context, recipe.data);
  const set = recipe.images === null ? dataset.train : unlabelledSubset(dataset.train, recipe.images);
  const weights = initMae(recipe.model, recipe.decoder, seed);
  const config = { encoder: recipe.model, decoder: recipe.decoder, norm_pix_loss: recipe.norm_pix_loss };

  const objective: Objective = {
    loss: (params, { images, ...masks }) => ({ loss: maeLoss(params, normalise(images!, dataset), config, masks as unknown as MaskTensors) }),
  };
  const inputs = (images: Uint8Array, noise: Float32Array): HostInputs => ({
    images: pixels(images, shapeOf(set)),
    ...maskInputs(noise, patchCount(recipe.model), recipe.mask_ratio),
  });
  const noise = (purpose: string, drawSeed: number, step: number, batch: number): Float32Array =>
    stream(drawSeed, purpose, step).uniforms(batch * patchCount(recipe.model));

  const { params, losses } = await train(context, {
    ...objective,
    weights,
    groups: pretrainGroups(weights, optimizer.weight_decay),
    schedule,
    optimizer,
    set,
    augment: recipe.augment,
    withLabels: false,
    inputs: batch => inputs(batch.images, noise('mae/mask', seed, batch.step, schedule.batch_size)),
  });

  context.progress({ phase: 'evaluate', step: 0, steps: 0 });
  const held = dataset.validation;
  const imageSize = held.height * held.width * held.channels;
  // The same masks for every model and seed: only the weights differ.
  const validation = meanLosses(objective, params, held, schedule.batch_size, (images, index) =>
    inputs(images, noise('mae/validation-mask', 0, index, images.length / imageSize)));
  saveModel(context, params);
  tf.dispose(params);
  return { loss: losses['loss']!, val_loss: validation['loss']! };
};
