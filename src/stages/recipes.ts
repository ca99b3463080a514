/**
 * The recipes of our stages: everything that decides their numbers and nothing else. Light (schemas only), since planning
 * parses thousands of them. Names of fields follow timm and MAE.
 */
import { z } from 'zod';
import { dataSpec } from '../data/spec.ts';

const positive = z.int().positive();
const rate = z.number().min(0).lt(1);

/** Ordered pairs of {query, key, value}: `qk` is the relation of queries to keys. */
export const relationPair = z.enum(['qq', 'qk', 'qv', 'kq', 'kk', 'kv', 'vq', 'vk', 'vv']);

/** A ViT encoder; see `nn/config.ts`. */
export const vit = z.strictObject({
  image_size: z.tuple([positive, positive]),
  patch_size: positive,
  in_chans: positive,
  embed_dim: positive,
  depth: positive,
  num_heads: positive,
  mlp_ratio: z.number().positive(),
});

/** MAE's decoder (`models_mae.py`). */
export const decoder = z.strictObject({ embed_dim: positive, depth: positive, num_heads: positive, mlp_ratio: z.number().positive() });

/** How many of the training images are used: `null` is all of them, else a fixed subset with balanced classes. */
const subset = positive.nullable();

/** Length and learning rate of a training; the rate is `base_lr * batch_size / 256` after warm-up, then a half cosine to `min_lr`. */
export const schedule = z.strictObject({
  epochs: z.number().positive(),
  warmup_epochs: z.number().min(0),
  batch_size: positive,
  /** The batch is processed in this many parts whose gradients are averaged. */
  accumulation_steps: positive,
  base_lr: z.number().positive(),
  min_lr: z.number().min(0),
});

export const optimizer = z.strictObject({
  weight_decay: z.number().min(0),
  betas: z.tuple([rate, rate]),
});

/** RandomResizedCrop (bicubic) and horizontal flip. `null` crop: the image as it is. */
export const augment = z.strictObject({
  crop: z.strictObject({ scale: z.tuple([z.number().positive(), z.number().positive().max(1)]), ratio: z.tuple([z.number().positive(), z.number().positive()]) }).nullable(),
  flip: z.boolean(),
});

export const pretrainRecipe = z.strictObject({
  data: dataSpec,
  images: subset,
  model: vit,
  decoder,
  mask_ratio: z.number().gt(0).lt(1),
  norm_pix_loss: z.boolean(),
  schedule,
  optimizer,
  augment,
});

export const distillRecipe = z.strictObject({
  data: dataSpec,
  images: subset,
  model: vit,
  target: z.strictObject({
    family: z.literal('relation'),
    pairs: z.array(relationPair).min(1),
    softmax: z.boolean(),
  }),
  /** Counted from 1. */
  teacher_block: positive,
  drop_path: rate,
  /** Factors of brightness and contrast are drawn from [1 - x, 1 + x]; `null` turns the student's jitter off. */
  student_jitter: z.strictObject({ brightness: rate, contrast: rate }).nullable(),
  schedule,
  optimizer,
  augment,
});

const classifierFields = {
  data: dataSpec,
  /** Labelled training images. */
  images: subset,
  model: vit,
  drop_path: rate,
  label_smoothing: rate,
  schedule,
  optimizer,
  augment,
};

export const finetuneRecipe = z.strictObject({ ...classifierFields, layer_decay: z.number().gt(0).max(1) });
export const superviseRecipe = z.strictObject(classifierFields);
export const evaluateRecipe = z.strictObject({ data: dataSpec, split: z.enum(['test', 'validation']), batch_size: positive });

export type VitRecipe = z.infer<typeof vit>;
export type ScheduleRecipe = z.infer<typeof schedule>;
export type OptimizerRecipe = z.infer<typeof optimizer>;
export type PretrainRecipe = z.infer<typeof pretrainRecipe>;
export type DistillRecipe = z.infer<typeof distillRecipe>;
export type FinetuneRecipe = z.infer<typeof finetuneRecipe>;
export type SuperviseRecipe = z.infer<typeof superviseRecipe>;
export type EvaluateRecipe = z.infer<typeof evaluateRecipe>;
