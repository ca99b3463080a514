/** The scale at which arms are realised. Profiles change scale only: arms are declared once. */
import { z } from 'zod';
import { dataSpec } from '../data/spec.ts';
import { augment, decoder, optimizer, schedule } from '../stages/recipes.ts';

const size = z.strictObject({ embed_dim: z.int().positive(), depth: z.int().positive(), num_heads: z.int().positive() });
const stage = { schedule, optimizer, augment };

export const profile = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  title: z.string(),
  seeds: z.array(z.int().min(0)).min(1),
  /** Seed of the one MAE teacher that all replicates share: the paper has a single checkpoint. */
  teacher_seed: z.int().min(0),
  data: dataSpec,
  /** Images of pre-training and distillation, which see no labels; `null`: the whole training split. */
  unlabelled_images: z.int().positive().nullable(),
  /** Labelled images of fine-tuning and supervised training; `null`: the whole training split. */
  labelled_images: z.int().positive().nullable(),
  model: z.strictObject({
    image_size: z.tuple([z.int().positive(), z.int().positive()]),
    patch_size: z.int().positive(),
    in_chans: z.int().positive(),
    mlp_ratio: z.number().positive(),
    sizes: z.strictObject({ T: size, S: size, B: size, L: size }),
  }),
  /** MAE pre-training, of teachers and of the MAE baseline. */
  pretrain: z.strictObject({ ...stage, decoder, mask_ratio: z.number().gt(0).lt(1), norm_pix_loss: z.boolean() }),
  distill: z.strictObject({ ...stage, jitter: z.strictObject({ brightness: z.number().min(0).lt(1), contrast: z.number().min(0).lt(1) }) }),
  finetune: z.strictObject({ ...stage, layer_decay: z.number().gt(0).max(1), drop_path: z.number().min(0).lt(1), label_smoothing: z.number().min(0).lt(1) }),
  /** The paper trains from scratch for three times the epochs of a fine-tuning (300 against 100). */
  supervise: z.strictObject({ ...stage, drop_path: z.number().min(0).lt(1), label_smoothing: z.number().min(0).lt(1) }),
  evaluate: z.strictObject({ batch_size: z.int().positive() }),
  /** Whether data and recipe are the paper's, so that values compare and not only their order. */
  comparable: z.boolean(),
});

export type Profile = z.infer<typeof profile>;
