/** What a distillation minimises, and the parameters that it minimises it over. */
import { checkTarget, projectionSpec, tapOf, targetLoss, teacherTargets } from '../distill/target.ts';
import { norm } from '../nn/block.ts';
import { constantRates } from '../nn/drop-path.ts';
import { ModelError } from '../nn/errors.ts';
import { latentLoss, type MaskTensors } from '../nn/mae.ts';
import type { Params } from '../nn/params.ts';
import { decoderSpec, encoderSpec, type ModelSpec } from '../nn/spec.ts';
import { extractFeatures, featureOf, type EncodeOptions } from '../nn/vit.ts';
import * as tf from '../tensor/tf.ts';
import { normalise, type Normalisation } from './images.ts';
import type { DistillRecipe, VitRecipe } from './recipes.ts';
import type { Objective } from './train-step.ts';

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
 * The last block of the student learns from a block of the frozen teacher. Inputs: `images` for the teacher;
 * `student_images` where the student's are jittered; `drop_path` and `teacher_drop_path` uniforms in training only; the
 * tensors of a mask where the student's image is masked.
 * @throws ModelError when networks, target and mask do not fit together
 */
export function distillObjective(recipe: DistillLoss, teacher: { config: VitRecipe; params: Params }, normalisation: Normalisation): Objective {
  const { model: student, target, reconstruction } = recipe;
  checkTarget(target, student, { config: teacher.config, block: recipe.teacher_block });
  if (reconstruction && recipe.mask_ratio === 0) {
    throw new ModelError('CONFIG', 'Expected a mask_ratio above 0 with a reconstruction loss, which is on the patches that the student does not see, got 0. Mask the student, or set reconstruction to null.');
  }
  const teacherTap = tapOf(target, recipe.teacher_block), studentTap = tapOf(target, student.depth);
  const taps = reconstruction ? [studentTap, { block: student.depth, features: ['block'] as const }] : [studentTap];
  const teacherRates = constantRates(recipe.teacher_drop_path, teacher.config.depth);
  const studentRates = constantRates(recipe.drop_path, student.depth);

  return {
    frozen: teacher.params,
    targets: ({ images, teacher_drop_path, ids_keep }) => {
      const visible = ids_keep as tf.Tensor2D | undefined;
      const tokens = recipe.teacher_input === 'visible' ? visible : undefined;
      const features = extractFeatures(teacher.params, normalise(images!, normalisation), teacher.config, [teacherTap],
        encodeOptions(teacherRates, teacher_drop_path, tokens));
      return teacherTargets(target, { params: teacher.params, features, block: teacherTap.block }, tokens ? undefined : visible);
    },
    loss: (params, inputs) => {
      const { images, student_images = images, drop_path, ids_keep } = inputs;
      const seen = normalise(student_images!, normalisation);
      const features = extractFeatures(params, seen, student, taps, encodeOptions(studentRates, drop_path, ids_keep as tf.Tensor2D | undefined));
      const { loss: distillation, terms } = targetLoss(target, { params, features, block: student.depth }, inputs);
      if (!reconstruction) return { loss: distillation, ...terms };

      const latent = norm(params, 'norm', featureOf(features, student.depth, 'block') as tf.Tensor3D);
      const pixels = latentLoss(params, latent, seen, { encoder: student, ...reconstruction }, inputs as unknown as MaskTensors);
      return { loss: tf.add(distillation, tf.mul(pixels, reconstruction.weight)), distillation, reconstruction: pixels, ...terms };
    },
  };
}

function encodeOptions(rates: readonly number[], uniforms: tf.Tensor | undefined, tokens: tf.Tensor2D | undefined): EncodeOptions {
  return { ...(uniforms && { dropPath: { rates, uniforms } }), ...(tokens && { tokens }) };
}
