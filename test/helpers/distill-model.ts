/** Small networks and inputs for tests of distillation. */
import type { Target } from '../../src/tinymim/distill/target.ts';
import { type MaskTensors } from '../../src/tinymim/nn/mae.ts';
import { maskingIndices } from '../../src/tinymim/nn/masking.ts';
import type { ModelSpec } from '../../src/tinymim/nn/spec.ts';
import { encoderSpec } from '../../src/tinymim/nn/spec.ts';
import { studentLoss, studentSpec, type DistillLoss } from '../../src/tinymim/stages/distill-objective.ts';
import { distillRecipe } from '../../src/tinymim/stages/recipes.ts';
import { createTeacher } from '../../src/tinymim/stages/teacher.ts';
import type { Losses } from '../../src/tinymim/stages/train-step.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { normals } from './finite-differences.ts';
import { maskTensors } from './mask-tensors.ts';

const image = { image_size: [4, 6] as [number, number], patch_size: 2, in_chans: 1, mlp_ratio: 2 };
export const teacher = { ...image, embed_dim: 24, depth: 3, num_heads: 6 };
export const student = { ...image, embed_dim: 12, depth: 2, num_heads: 3 };
export const PATCHES = 6,
  BATCH = 3;

/** Every kind of target, with every choice of it once at least. */
export const TARGETS: Readonly<Record<string, Target>> = {
  'relation, kl': { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' },
  'relation, kl of v v alone': { family: 'relation', pairs: ['vv'], loss: 'kl', heads: 'aligned' },
  'relation, mse': { family: 'relation', pairs: ['qq', 'kk', 'vv'], loss: 'mse', heads: 'aligned' },
  'relation, smooth L1': { family: 'relation', pairs: ['kq', 'qv'], loss: 'smooth_l1', heads: 'aligned' },
  'relation, kl, averaged heads': { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'averaged' },
  'relation, mse, averaged heads': { family: 'relation', pairs: ['qk'], loss: 'mse', heads: 'averaged' },
  'feature, block': { family: 'feature', feature: 'block', final_norm: false, class_token: true },
  'feature, block with final norm': { family: 'feature', feature: 'block', final_norm: true, class_token: true },
  'feature, block without class token': { family: 'feature', feature: 'block', final_norm: false, class_token: false },
  'feature, ffn': { family: 'feature', feature: 'ffn', final_norm: false, class_token: true },
  'feature, attention': { family: 'feature', feature: 'attention', final_norm: false, class_token: true },
  'feature, attention_residual': { family: 'feature', feature: 'attention_residual', final_norm: false, class_token: false },
  'feature, qkv': { family: 'feature', feature: 'qkv', final_norm: false, class_token: true },
  'class token, kl': { family: 'class-token', loss: 'kl', temperature: 2, final_norm: false },
  'class token, mse with final norm': { family: 'class-token', loss: 'mse', temperature: 1, final_norm: true },
};

export const reconstruction = { weight: 0.5, decoder: { embed_dim: 8, depth: 1, num_heads: 2, mlp_ratio: 2 }, norm_pix_loss: true };

/** The loss of a target with a raw student; the student's last block has the teacher's heads where they are compared. */
export function lossOf(target: Target, fields: Partial<DistillLoss> = {}): DistillLoss {
  const aligned = target.family === 'relation' && target.heads === 'aligned';
  return {
    model: aligned ? { ...student, last_block_heads: teacher.num_heads } : student,
    target: distillRecipe.shape.target.parse(target),
    teacher_block: 2,
    drop_path: 0,
    teacher_drop_path: 0,
    mask_ratio: 0,
    teacher_input: 'whole',
    reconstruction: null,
    ...fields,
  };
}

/** Weights of ordinary size everywhere, so that no gradient is tiny: biases, too, and norms off 1. */
function randomParams(spec: ModelSpec, name: string): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(spec).map(([param, { shape }]) => {
      const drawn = normals(`${name}/${param}`, shape, 0.3);
      return [param, /norm\d?\.weight$/.test(param) ? tf.add(drawn, 1) : drawn];
    }),
  );
}

export const normalisation = { mean: [0.4], std: [0.3] };
export const images = (name = 'images'): tf.Tensor => tf.clipByValue(tf.add(normals(name, [BATCH, 4, 6, 1], 60), 128), 0, 255);
export const teacherParams = (): Record<string, tf.Tensor> => randomParams(encoderSpec(teacher), 'teacher');
export const studentParams = (recipe: DistillLoss): Record<string, tf.Tensor> => randomParams(studentSpec(recipe, teacher), 'student');

/** Half of the patches stay visible, in the order of the noise. */
export const noise = (): Float32Array => Float32Array.from(normals('noise', [BATCH, PATCHES]).dataSync());
export const masks = (drawn = noise()): MaskTensors => maskTensors(maskingIndices(drawn, PATCHES, 0.5));

/** Inputs of both networks: `images` for the teacher, `student_images` where the student's are others, the tensors of a mask. */
export interface Given {
  readonly images: tf.Tensor;
  readonly student_images?: tf.Tensor;
  readonly teacher_drop_path?: tf.Tensor;
  readonly masks?: MaskTensors | undefined;
}

/** What a frozen teacher gives a student to match, op by op. */
export function targetsOf(recipe: DistillLoss, { images, teacher_drop_path, masks: masking }: Given): Record<string, tf.Tensor> {
  const visible = recipe.teacher_input === 'visible';
  const blockTarget = { target: recipe.target, block: recipe.teacher_block };
  const network = createTeacher({
    config: teacher,
    params: teacherParams(),
    normalisation,
    dropPath: recipe.teacher_drop_path,
    engine: { mode: 'eager', precision: 'float32' },
    targets: [blockTarget],
  });
  const pass = network.pass({ images, dropPath: teacher_drop_path, visible: visible ? masking?.ids_keep : undefined });
  return pass.targets(blockTarget, visible ? undefined : masking?.ids_keep);
}

/** The losses as a function of the student's parameters; the teacher has run already, as in a training step. */
export function lossesAt(recipe: DistillLoss, given: Given): (params: Params) => Losses {
  const loss = studentLoss(recipe, normalisation),
    targets = targetsOf(recipe, given);
  return params => loss(params, { images: given.student_images ?? given.images, ...given.masks, ...targets });
}
