/** Recipes of segmentation. Names of fields follow mmsegmentation. */
import { z } from 'zod';
import { sceneSpec } from '../../data/scenes/spec.ts';
import { engineRecipe, vitRecipe } from '../recipes.ts';

const positive = z.int().positive();
const rate = z.number().min(0).lt(1);
const pair = z.tuple([positive, positive]);

/** What stands on the backbone (UPerHead, FCNHead). */
export const headRecipe = z.strictObject({
  channels: positive,
  auxiliary_channels: positive,
  /** Of the auxiliary head's loss. */
  auxiliary_weight: z.number().min(0),
  /** Share of the channels that are dropped before they are classified. */
  dropout: rate,
});

/** Length and rate of a training in steps, as mmsegmentation counts. The rate is not scaled by the batch. */
export const stepScheduleRecipe = z.strictObject({
  steps: positive,
  warmup_steps: z.int().min(0),
  warmup_ratio: z.number().min(0).max(1),
  batch_size: positive,
  /** The batch is processed in this many parts whose gradients are averaged. Batch normalisation has the moments of each part. */
  accumulation_steps: positive,
  lr: z.number().min(0),
  min_lr: z.number().min(0),
  power: z.number().min(0),
});

/** See `SceneAugment` (`data/scenes/augment.ts`); the crop is the image of the model. */
export const sceneAugmentRecipe = z.strictObject({
  resize: z.strictObject({ within: pair, ratio: z.tuple([z.number().positive(), z.number().positive()]) }).nullable(),
  cat_max_ratio: z.number().gt(0).max(1),
  flip: z.boolean(),
  photometric: z.boolean(),
});

/** AdamW. */
export const plainOptimizerRecipe = z.strictObject({ weight_decay: z.number().min(0), betas: z.tuple([rate, rate]) });

export const layerScale = z.number().positive().nullable();

export const segmentRecipe = z.strictObject({
  data: sceneSpec,
  /** Its image is the crop that a step, and a window of a test, sees. */
  model: vitRecipe,
  feature_blocks: z.tuple([positive, positive, positive, positive]),
  relative_position_bias: z.boolean(),
  /** Initial factor of each channel of a branch (`init_values`); null: none. */
  layer_scale: layerScale,
  head: headRecipe,
  drop_path: rate,
  schedule: stepScheduleRecipe,
  optimizer: plainOptimizerRecipe,
  layer_decay: z.number().gt(0).max(1),
  augment: sceneAugmentRecipe,
  engine: engineRecipe,
});

export const segmentEvaluateRecipe = z.strictObject({
  data: sceneSpec,
  /** By how much the window moves, down and to the right. */
  stride: pair,
  /** [longer, shorter side] that scenes are resized to fit into before; null: as they are. */
  resize: pair.nullable().default(null),
  /** Windows that are computed at once. */
  batch_size: positive,
  engine: engineRecipe,
});

export type SegmentRecipe = z.infer<typeof segmentRecipe>;
export type SegmentEvaluateRecipe = z.infer<typeof segmentEvaluateRecipe>;
