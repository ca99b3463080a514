/**
 * The recipes of our stages: everything that decides their numbers and nothing else. Light (schemas only), since planning
 * parses thousands of them. Names of fields follow timm and MAE.
 */
import { z } from 'zod';
import { asBefore } from '../../core/ablation/as-before.ts';
import { checkpointHash, checkpointName } from '../checkpoints/imported.ts';
import { dataSpec } from '../data/spec.ts';
import { corruptedSpec, shiftedSpec } from '../data/test-spec.ts';

const positive = z.int().positive();
const rate = z.number().min(0).lt(1);
export const emaDecay = z.number().gt(0).lt(1).nullable();

/** Ordered pairs of {query, key, value}: `qk` is the relation of queries to keys. */
export const relationPair = z.enum(['qq', 'qk', 'qv', 'kq', 'kk', 'kv', 'vq', 'vk', 'vv']);

/** A ViT encoder; see `nn/config.ts`. */
export const vitRecipe = z.strictObject({
  image_size: z.tuple([positive, positive]),
  patch_size: positive,
  in_chans: positive,
  embed_dim: positive,
  depth: positive,
  num_heads: positive,
  /** Heads of the last block where they differ, as in a relation-distilled student; see `nn/config.ts`. */
  last_block_heads: positive.exactOptional(),
  mlp_ratio: z.number().positive(),
});

export const pooling = z.enum(['mean', 'class_token']);

/** The same with heads; see `ClassifierConfig` (`nn/config.ts`). */
export const classifierVitRecipe = vitRecipe.extend({ pool: asBefore(pooling, 'mean'), dist_token: asBefore(z.boolean(), false), feature_dim: asBefore(positive.nullable(), null) });

/** MAE's decoder (`models_mae.py`). */
export const decoderRecipe = z.strictObject({ embed_dim: positive, depth: positive, num_heads: positive, mlp_ratio: z.number().positive() });

/** How many of the training images are used: `null` is all of them, else a fixed subset with balanced classes. */
const subset = positive.nullable();

/** Length and learning rate of a training; the rate is `base_lr * batch_size / 256` after warm-up, then a half cosine to `min_lr`. */
export const scheduleRecipe = z.strictObject({
  epochs: z.number().positive(),
  warmup_epochs: z.number().min(0),
  batch_size: positive,
  /** The batch is processed in this many parts whose gradients are averaged. */
  accumulation_steps: positive,
  /** 0 learns nothing: a control. */
  base_lr: z.number().min(0),
  min_lr: z.number().min(0),
});

/** AdamW, and what is taken of the weights that it comes through. */
export const optimizerRecipe = z.strictObject({
  weight_decay: z.number().min(0),
  betas: z.tuple([rate, rate]),
  /** Of the running average of the weights, which is then what the training leaves and what is evaluated (`timm.utils.ModelEma`); null: none. */
  ema_decay: asBefore(emaDecay, null),
});

/** RandomResizedCrop (bicubic) and horizontal flip. `null` crop: the image as it is. */
export const augmentRecipe = z.strictObject({
  crop: z.strictObject({ scale: z.tuple([z.number().positive(), z.number().positive().max(1)]), ratio: z.tuple([z.number().positive(), z.number().positive()]) }).nullable(),
  flip: z.boolean(),
});

/** ColorJitter: factors are drawn from [1 - x, 1 + x]. Saturation has nothing to act on in grey images. */
export const jitterRecipe = z.strictObject({ brightness: rate, contrast: rate, saturation: rate.default(0) });

/**
 * How the numbers are computed. `eager`: op by op; `graph`: each step as one compiled graph; `hybrid`: that, with XLA fusing its
 * element-wise ops. They differ in the last digits. `bfloat16` and `tf32` are precisions of matrix products; weights and
 * everything else stay float32. Only GPUs know `tf32`.
 */
export const engineRecipe = z
  .strictObject({ mode: z.enum(['eager', 'graph', 'hybrid']).default('graph'), precision: z.enum(['float32', 'tf32', 'bfloat16']).default('float32') })
  .refine(({ mode, precision }) => mode !== 'eager' || precision === 'float32', {
    path: ['precision'],
    error: ({ input }) => `expected float32 with the mode 'eager', whose ops have no other precision, got ${(input as { precision: string }).precision}; set the mode to 'graph' or 'hybrid'`,
  });

export const pretrainRecipe = z.strictObject({
  data: dataSpec,
  images: subset,
  model: vitRecipe,
  decoder: decoderRecipe,
  mask_ratio: z.number().gt(0).lt(1),
  norm_pix_loss: z.boolean(),
  schedule: scheduleRecipe,
  optimizer: optimizerRecipe,
  augment: augmentRecipe,
  engine: engineRecipe,
});

/** An encoder from a file. Its heads are not in the file, and its positions are resized to those of the model. */
export const checkpointRecipe = z.strictObject({
  model: vitRecipe,
  /** Of the encoder in canonical form (`checkpoints/import.ts`). A plan may name one that is not imported yet; it cannot run. */
  sha256: z.union([checkpointHash, z.strictObject({ not_imported: checkpointName })]),
});

/** Relations between tokens (eq. 4), head by head. */
const relationTarget = z.strictObject({
  family: z.literal('relation'),
  pairs: z.array(relationPair).min(1),
  /**
   * `kl`: relations pass through a softmax and are matched by KL divergence (eq. 5, 9). Without a softmax the paper names no
   * loss: `mse` or `smooth_l1` of the scaled products.
   */
  loss: z.enum(['kl', 'mse', 'smooth_l1']),
  /**
   * `aligned`: compared head by head, for which the student's last block has the teacher's number of heads
   * (`model.last_block_heads`). `averaged`: the scaled products are averaged over the heads of each network first.
   */
  heads: z.enum(['aligned', 'averaged']),
});

/** Features of a block (eq. 7, 8). The student's are projected to the teacher's width, the teacher's whitened, smooth L1 with beta 2. */
const featureTarget = z.strictObject({
  family: z.literal('feature'),
  /** Names as in `BlockTensors` (`nn/block.ts`); `qkv` is three losses, summed. `block` is both the output and the FFN feature after its residual. */
  feature: z.enum(['block', 'ffn', 'attention', 'attention_residual', 'qkv']),
  /** Pass both networks' `block` through their own final norm first, as Feature-Distillation does; the paper does not say. */
  final_norm: z.boolean(),
  /** Whether the class token takes part; the paper does not say, Feature-Distillation keeps it. */
  class_token: z.boolean(),
});

/** The class token (eq. 6), projected to the teacher's width. The paper does not say how it becomes a distribution. */
const classTokenTarget = z.strictObject({
  family: z.literal('class-token'),
  /** `kl`: softmax over the features, KL(teacher || student). */
  loss: z.enum(['kl', 'mse']),
  /** Divides both networks' features before the softmax of `kl`. */
  temperature: z.number().positive(),
  final_norm: z.boolean(),
});

const distillTarget = z.discriminatedUnion('family', [relationTarget, featureTarget, classTokenTarget]);

export const distillRecipe = z.strictObject({
  data: dataSpec,
  images: subset,
  model: vitRecipe,
  target: distillTarget,
  /** Counted from 1. The student's is always its last. */
  teacher_block: positive,
  /**
   * Heads that the teacher's last block is split into, where they are not those that it was trained with; null: those. The released code
   * rebuilds a TinyMIM-B, trained with 16, with the 12 of `mae_vit_base` (`models_teacher.py`).
   */
  teacher_last_block_heads: asBefore(positive.nullable(), null),
  /** Of the student, constant over its blocks and absent in the last (`models_tinymim.py`). */
  drop_path: rate,
  /** Of the teacher, in the same way over its depth. */
  teacher_drop_path: rate,
  /** Share of the patches that the student does not see, drawn as in MAE; 0: it sees the raw image. */
  mask_ratio: rate,
  /** With a masked student: the teacher sees the whole image and its visible tokens are compared, or only what the student sees. */
  teacher_input: z.enum(['whole', 'visible']),
  /** Loss of MAE beside the distillation loss, on the patches that the student does not see: a decoder on the student. */
  reconstruction: z.strictObject({ weight: z.number().positive(), decoder: decoderRecipe, norm_pix_loss: z.boolean() }).nullable(),
  /** `null` turns the student's jitter off. */
  student_jitter: jitterRecipe.nullable(),
  schedule: scheduleRecipe,
  optimizer: optimizerRecipe,
  augment: augmentRecipe,
  engine: engineRecipe,
});

/** What timm's recipe adds for classifiers. */
export const classifierAugmentRecipe = augmentRecipe.extend({
  /** timm's notation, `rand-m9-mstd0.5-inc1` with other numbers; see `data/rand-augment.ts`. */
  rand_augment: z
    .string()
    .regex(/^rand-/)
    .nullable()
    .default(null),
  /** Probability of random erasing, in pixel mode. */
  random_erase: z.number().min(0).max(1).default(0),
  /** Copies of an image within one epoch, which shows one of so many images then (repeated augmentation, DeiT). */
  repeats: positive.default(1),
  /** Alphas of mix-up and cut-mix, of the batch with its reverse, and how often the second is taken. */
  mixing: z
    .strictObject({ mixup: z.number().min(0), cutmix: z.number().min(0), switch_prob: z.number().min(0).max(1) })
    .nullable()
    .default(null),
});

const classifierFields = {
  data: dataSpec,
  /** Labelled training images. */
  images: subset,
  model: classifierVitRecipe,
  drop_path: rate,
  label_smoothing: rate,
  schedule: scheduleRecipe,
  optimizer: optimizerRecipe,
  augment: classifierAugmentRecipe,
  engine: engineRecipe,
};

/** Where a training from scratch starts; see `ClassifierStart` (`nn/config.ts`). What is fine-tuned has all but its head from its pre-training. */
export const initialisation = z.enum(['mae', 'trunc_normal']);
export const positions = z.enum(['sincos', 'learned']);

/** Test images: the shorter side resized to `resize`, then the centre; `null`: the image as it is. */
export const evaluationCropRecipe = z.strictObject({ resize: positive }).nullable().default(null);

const alpha = z.number().min(0).max(1);

/** How much of the loss is what is learned of a teacher, and how: DeiT's distillation, see `distill/logits.ts`. */
const logitDistillation = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('hard'), alpha }), z.strictObject({ type: z.literal('soft'), alpha, tau: z.number().positive() })]);

export const finetuneRecipe = z.strictObject({
  ...classifierFields,
  layer_decay: z.number().gt(0).max(1),
  /** Of its teacher; null: it has none. */
  distillation: asBefore(logitDistillation.nullable(), null),
});
export const superviseRecipe = z.strictObject({ ...classifierFields, init: asBefore(initialisation, 'mae'), pos_embed: asBefore(positions, 'sincos') });
const evaluationFields = { data: dataSpec, split: z.enum(['test', 'validation']), batch_size: positive, crop: evaluationCropRecipe, engine: engineRecipe };
export const evaluateRecipe = z.strictObject({
  ...evaluationFields,
  /** Another test set than that of the data, whose split it may be made of. */
  shifted: asBefore(shiftedSpec.nullable(), null),
});
export const evaluateCorruptedRecipe = z.strictObject({
  ...evaluationFields,
  corrupted: corruptedSpec,
  /** Whose errors each corruption's are divided by: AlexNet's published ones; `null`: those of the stage in the slot `reference`, or, without one, its own. */
  denominators: z.literal('alexnet').nullable(),
});

export type EngineRecipe = z.infer<typeof engineRecipe>;
export type VitRecipe = z.infer<typeof vitRecipe>;
export type ClassifierVitRecipe = z.infer<typeof classifierVitRecipe>;
export type ScheduleRecipe = z.infer<typeof scheduleRecipe>;
export type OptimizerRecipe = z.infer<typeof optimizerRecipe>;
export type PretrainRecipe = z.infer<typeof pretrainRecipe>;
export type MixingRecipe = NonNullable<z.infer<typeof classifierAugmentRecipe>['mixing']>;
export type CheckpointRecipe = z.infer<typeof checkpointRecipe>;
export type DistillTarget = z.infer<typeof distillTarget>;
export type DistillRecipe = z.infer<typeof distillRecipe>;
export type FinetuneRecipe = z.infer<typeof finetuneRecipe>;
export type SuperviseRecipe = z.infer<typeof superviseRecipe>;
export type EvaluateRecipe = z.infer<typeof evaluateRecipe>;
export type EvaluateCorruptedRecipe = z.infer<typeof evaluateCorruptedRecipe>;
