/** What a distillation minimises, and the parameters that it minimises it over. */
import { projectionSpec, tapOf, targetLoss } from '../distill/target.ts';
import { norm } from '../nn/block.ts';
import { constantRates } from '../nn/drop-path.ts';
import { latentLoss, type MaskTensors } from '../nn/mae.ts';
import { decoderSpec, encoderSpec, type ModelSpec } from '../nn/spec.ts';
import { extractFeatures, featureOf } from '../nn/vit.ts';
import * as tf from '../../engine/tf.ts';
import { normalise, type Normalisation } from './images.ts';
import type { DistillRecipe, VitRecipe } from './recipes.ts';
import type { LossFunction } from './train-step.ts';

/** The fields of the recipe that decide the loss. */
export type DistillLoss = Pick<DistillRecipe, 'model' | 'target' | 'teacher_block' | 'drop_path' | 'teacher_drop_path' | 'mask_ratio' | 'teacher_input' | 'reconstruction'>;

/** The student's encoder and, only while it learns, projections to the teacher's width and a decoder of pixels. */
export function studentSpec({ model, target, reconstruction }: DistillLoss, teacher: VitRecipe): ModelSpec {
  return {
    ...encoderSpec(model),
    ...projectionSpec(target, model, teacher),
    ...(reconstruction ? decoderSpec(model, reconstruction.decoder) : {}),
  };
}

/**
 * The last block of the student learns from a block of the frozen teacher. Inputs: the student's `images`; the teacher's
 * targets (`teacherTargets`); `drop_path` uniforms in training only; `ids_keep` where the image is masked, and the rest of the
 * mask's tensors where the removed patches are reconstructed.
 */
export function studentLoss({ model, target, drop_path: rate, reconstruction }: DistillLoss, normalisation: Normalisation): LossFunction {
  const tap = tapOf(target, model.depth);
  const taps = reconstruction ? [tap, { block: model.depth, features: ['block'] as const }] : [tap];
  const rates = constantRates(rate, model.depth);

  return (params, inputs) => {
    const { images, drop_path, ids_keep } = inputs;
    const seen = normalise(images!, normalisation);
    const features = extractFeatures(params, seen, model, taps, {
      ...(drop_path && { dropPath: { rates, uniforms: drop_path } }),
      ...(ids_keep && { tokens: ids_keep as tf.Tensor2D }),
    });
    const { loss: distillation, terms } = targetLoss(target, { params, features, block: model.depth }, inputs);
    if (!reconstruction) return { loss: distillation, ...terms };

    const latent = norm(params, 'norm', featureOf(features, model.depth, 'block') as tf.Tensor3D);
    const pixels = latentLoss(params, latent, seen, { encoder: model, ...reconstruction }, inputs as unknown as MaskTensors);
    return { loss: tf.add(distillation, tf.mul(pixels, reconstruction.weight)), distillation, reconstruction: pixels, ...terms };
  };
}
