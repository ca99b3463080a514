/**
 * smoke: the whole grid in about a minute, on two CPU cores.
 *
 * Purpose   Shows that every arm runs, from declaration to report, before hours are spent on a larger profile. Its numbers
 *           mean nothing: four steps of models of 16 to 32 channels.
 * Run       make sweep ARGS="--profile smoke"
 *
 * All ablations, with one seed and a teacher of its own. Data, optimizers and augmentation are those of `mini`.
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
import desk from './desk.ts';
import mini from './mini.ts';

/** One epoch, three from scratch or ten with a teacher, of batches of 64. */
const schedule = (epochs: number, warmup_epochs: number, base_lr: number, min_lr: number) => ({ epochs, warmup_epochs, batch_size: 64, accumulation_steps: 1, base_lr, min_lr });

export default {
  ...mini,
  name: 'smoke',
  title: 'Fashion-MNIST in a minute',
  caution: 'This profile shows that everything runs. Its models have seen next to nothing: none of its numbers means anything.',
  seeds: [0],
  sweep: undefined,
  verdicts: false,
  unlabelled_images: 256,
  labelled_images: 256,
  model: {
    ...mini.model,
    patch_size: 14,
    sizes: {
      T: { embed_dim: 16, depth: 2, num_heads: 2 },
      S: { embed_dim: 24, depth: 2, num_heads: 4 },
      B: { embed_dim: 32, depth: 2, num_heads: 4 },
      L: { embed_dim: 48, depth: 8, num_heads: 8 },
    },
  },
  teachers: {},
  pretrain: { ...mini.pretrain, schedule: schedule(1, 0.4, 3e-3, 0), sizes: {}, decoder: { embed_dim: 16, depth: 1, num_heads: 2, mlp_ratio: 4 } },
  distill: { ...mini.distill, schedule: schedule(1, 0.1, 3e-3, 0) },
  finetune: { ...mini.finetune, schedule: schedule(1, 0.3, 1.2e-2, 1e-6), mae: {} },
  finetune_with_teacher: { ...mini.finetune_with_teacher, epochs: 10, warmup_epochs: 3, feature_dim: 107 },
  robustness: { imagenet_a: { name: 'sheared-scaled', images: 1000 }, imagenet_r: { name: 'shade-inverted', images: 1000 }, imagenet_c: { name: 'simulated', images: 40 } },
  segment: {
    ...desk.segment,
    data: { ...desk.segment.data, train: 32, test: 8 },
    head: { ...desk.segment.head, channels: 8, auxiliary_channels: 4 },
    schedule: { ...desk.segment.schedule, steps: 4, warmup_steps: 1, batch_size: 8 },
  },
  supervise: { ...mini.supervise, schedule: schedule(3, 0.9, 4e-3, 1e-6) },
} satisfies ProfileDeclaration;
