/** MAE pre-training (`main_pretrain.py` of facebookresearch/mae): the teachers, and the MAE baseline. */
import type { StageRunner } from '../../core/ablation/kind.ts';
import { patchCount } from '../nn/config.ts';
import { initMae } from '../nn/init.ts';
import { maeLoss, type MaskTensors } from '../nn/mae.ts';
import { pretrainGroups } from '../optim/groups.ts';
import { stream } from '../../engine/random/rng.ts';
import * as tf from '../../engine/tf.ts';
import { createEvaluator } from './evaluator.ts';
import { heldOutBatches } from './held-out.ts';
import { normalise, pixels } from './images.ts';
import { maskInputs } from './mask-inputs.ts';
import type { PretrainRecipe } from './recipes.ts';
import { trainingSignature } from './signature.ts';
import { loadEngineAndDataset, saveModel, trainingImages } from './stage-io.ts';
import { train } from './train.ts';
import { meanLosses, upload, type HostInputs, type LossFunction } from './train-step.ts';

export const runPretrain: StageRunner<PretrainRecipe> = async context => {
  const { recipe, seed } = context;
  const { schedule, optimizer, engine } = recipe;
  const dataset = await loadEngineAndDataset(context, recipe.model);
  const set = trainingImages(dataset, recipe.images, 'unlabelled');
  const weights = initMae(recipe.model, recipe.decoder, seed);
  const config = { encoder: recipe.model, decoder: recipe.decoder, norm_pix_loss: recipe.norm_pix_loss };
  const signature = trainingSignature('pretrain', recipe);

  const loss: LossFunction = (params, { images, ...masks }) => ({ loss: maeLoss(params, normalise(images!, dataset), config, masks as unknown as MaskTensors) });
  const inputs = (images: Uint8Array, noise: Float32Array): HostInputs => ({
    images: pixels(images, set),
    ...maskInputs(noise, patchCount(recipe.model), recipe.mask_ratio),
  });
  const noise = (purpose: string, drawSeed: number, step: number, batch: number): Float32Array => stream(drawSeed, purpose, step).uniforms(batch * patchCount(recipe.model));

  const { params, losses } = await train(
    { context, weights, groups: pretrainGroups(weights, optimizer.weight_decay), loss, schedule, optimizer, engine, signature },
    {
      set,
      augment: recipe.augment,
      withLabels: false,
      seed,
      schedule,
      inputs: batch => inputs(batch.images, noise('mae/mask', seed, batch.step, schedule.batch_size)),
    },
  );

  context.progress({ phase: 'evaluate', step: 0, steps: 0 });
  const evaluator = createEvaluator(loss, { engine, signature: `evaluate ${signature}` });
  try {
    evaluator.use(params);
    // The same masks for every model and seed: only the weights differ.
    const heldOut = heldOutBatches(dataset.validation, schedule).map(({ images, labels }, index) => {
      const batch = upload(inputs(images, noise('mae/validation-mask', 0, index, labels.length)));
      try {
        return evaluator.run(batch);
      } finally {
        tf.dispose(batch);
      }
    });
    saveModel(context, params);
    return { loss: losses['loss']!, val_loss: meanLosses(heldOut)['loss']! };
  } finally {
    evaluator.dispose();
    tf.dispose(params);
  }
};
