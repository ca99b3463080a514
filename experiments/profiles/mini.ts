/**
 * mini: the whole way in minutes, on two CPU cores.
 *
 * Purpose   Proves the path from declaration to report on real images, not the claims: one seed, models of 32 to 128
 *           channels, schedules thousands of times shorter than the paper's.
 * Cost      Table 7 in about 8 minutes on two cores. Images a second, measured on one thread of a 2-core AMD EPYC: MAE of L 650,
 *           MAE of B 1,300, distillation 700, fine-tuning 1,000, training from scratch 1,300.
 * Expected  Every arm above 70 % test accuracy, the one from scratch first: pre-training pays from some 400,000 images on,
 *           and here a student sees 55,000.
 * Run       make sweep
 *
 * The rates and lengths were chosen on the validation images that are held out of the training split.
 */
import type { Profile } from '../../src/tinymim/profile.ts';

const crop = { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] } as const;
const pretraining = {
  // As in MAE and TinyMIM pre-training (main_pretrain.py): weight decay 0.05, betas (0.9, 0.95).
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: { scale: [...crop.scale], ratio: [...crop.ratio] }, flip: true },
} satisfies Partial<Profile['pretrain']>;
const classification = {
  // Fine-tuning uses AdamW's default betas (main_finetune.py).
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
  augment: { crop: { scale: [0.8, 1], ratio: [...crop.ratio] }, flip: true },
} satisfies Partial<Profile['supervise']>;

export default {
  name: 'mini',
  title: 'Fashion-MNIST in minutes',
  seeds: [0],
  teacher_seed: 0,
  data: { name: 'fashion-mnist' },
  unlabelled_images: null,
  labelled_images: 4096,
  model: {
    image_size: [28, 28],
    patch_size: 7,
    in_chans: 1,
    mlp_ratio: 4,
    // The teacher's depth is divisible by 8, so that every target block of the paper's Table 10 exists.
    sizes: {
      T: { embed_dim: 32, depth: 4, num_heads: 2 },
      S: { embed_dim: 48, depth: 4, num_heads: 3 },
      B: { embed_dim: 64, depth: 4, num_heads: 4 },
      L: { embed_dim: 128, depth: 8, num_heads: 8 },
    },
  },
  pretrain: {
    ...pretraining,
    schedule: { epochs: 2, warmup_epochs: 0.2, batch_size: 256, accumulation_steps: 1, base_lr: 3e-3, min_lr: 0 },
    decoder: { embed_dim: 64, depth: 2, num_heads: 4, mlp_ratio: 4 },
    mask_ratio: 0.75,
    norm_pix_loss: true,
  },
  distill: {
    ...pretraining,
    schedule: { epochs: 1, warmup_epochs: 0.1, batch_size: 256, accumulation_steps: 1, base_lr: 3e-3, min_lr: 0 },
    jitter: { brightness: 0.4, contrast: 0.4 },
  },
  finetune: {
    ...classification,
    schedule: { epochs: 10, warmup_epochs: 1, batch_size: 64, accumulation_steps: 1, base_lr: 1.2e-2, min_lr: 1e-6 },
    layer_decay: 0.9,
    drop_path: 0,
    label_smoothing: 0.1,
  },
  supervise: {
    ...classification,
    schedule: { epochs: 30, warmup_epochs: 3, batch_size: 128, accumulation_steps: 1, base_lr: 4e-3, min_lr: 1e-6 },
    drop_path: 0,
    label_smoothing: 0.1,
  },
  evaluate: { batch_size: 500 },
  comparable: false,
} satisfies Profile;
