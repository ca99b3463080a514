/**
 * smoke: the whole grid in about a minute, on two CPU cores.
 *
 * Purpose   Shows that every arm runs, from declaration to report, before hours are spent on a larger profile. Its numbers
 *           mean nothing: four steps of models of 16 to 32 channels.
 * Run       make sweep ARGS="--profile smoke"
 *
 * Differs from `mini` in sizes and lengths only.
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
import mini from './mini.ts';

export default {
  ...mini,
  name: 'smoke',
  title: 'Fashion-MNIST in a minute',
  verdicts: false,
  caution: 'This profile shows that everything runs. Its models have seen next to nothing: none of its numbers means anything.',
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
  pretrain: { ...mini.pretrain, schedule: { ...mini.pretrain.schedule, epochs: 1, batch_size: 64 }, decoder: { embed_dim: 16, depth: 1, num_heads: 2, mlp_ratio: 4 } },
  distill: { ...mini.distill, schedule: { ...mini.distill.schedule, epochs: 1, batch_size: 64 } },
  finetune: { ...mini.finetune, schedule: { ...mini.finetune.schedule, epochs: 1, batch_size: 64 } },
  supervise: { ...mini.supervise, schedule: { ...mini.supervise.schedule, epochs: 3, batch_size: 64 } },
} satisfies ProfileDeclaration;
