import type { ProfileDeclaration } from '../../../../src/tinymim/profile.ts';

const stage = {
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: { scale: [0.5, 1], ratio: [3 / 4, 4 / 3] }, flip: true },
} satisfies Partial<ProfileDeclaration['pretrain']>;
const schedule = { epochs: 3, warmup_epochs: 0.5, batch_size: 32, accumulation_steps: 1, base_lr: 8e-3, min_lr: 0 };

/** Procedural RGB images, so that the tests need no data set. */
export default {
  name: 'toy',
  title: 'Toy',
  seeds: [0],
  teacher_seed: 0,
  data: { name: 'procedural', classes: 4, image_size: [16, 16], channels: 3, train: 512, validation: 64, test: 128, seed: 1 },
  unlabelled_images: null,
  labelled_images: 256,
  model: {
    image_size: [16, 16],
    patch_size: 4,
    in_chans: 3,
    mlp_ratio: 2,
    sizes: {
      T: { embed_dim: 8, depth: 2, num_heads: 2 },
      S: { embed_dim: 12, depth: 2, num_heads: 2 },
      B: { embed_dim: 16, depth: 2, num_heads: 2 },
      L: { embed_dim: 32, depth: 8, num_heads: 4 },
    },
  },
  pretrain: { ...stage, schedule, decoder: { embed_dim: 16, depth: 1, num_heads: 2, mlp_ratio: 2 }, mask_ratio: 0.75, norm_pix_loss: true },
  // Two micro-batches: accumulation on the way, too.
  distill: { ...stage, schedule: { ...schedule, accumulation_steps: 2 }, jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 } },
  finetune: { ...stage, schedule: { ...schedule, epochs: 16, base_lr: 2e-2 }, layer_decay: 0.9, drop_path: 0, label_smoothing: 0.1 },
  finetune_with_teacher: { epochs: 16, num_heads: 4, feature_dim: null, alpha: 0.5, tau: 1 },
  // And an average of the weights.
  supervise: { ...stage, optimizer: { ...stage.optimizer, ema_decay: 0.9 }, schedule: { ...schedule, epochs: 16, base_lr: 2e-2 }, drop_path: 0.1, label_smoothing: 0.1 },
  evaluate: { batch_size: 50 },
  comparable: false,
} satisfies ProfileDeclaration;
