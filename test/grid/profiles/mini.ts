/** A small profile for tests: it names no file, trains its own teacher, and its numbers stay what they are. */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';

/** Why a training from scratch is not DeiT's in all. */
const ALIKE = 'so that arms differ in pre-training alone';
const crop = { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] } as const;
const pretraining = {
  // As in MAE and TinyMIM pre-training (main_pretrain.py): weight decay 0.05, betas (0.9, 0.95).
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: { scale: [...crop.scale], ratio: [...crop.ratio] }, flip: true },
} satisfies Partial<ProfileDeclaration['pretrain']>;
const classification = {
  // Fine-tuning uses AdamW's default betas (main_finetune.py).
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
  augment: { crop: { scale: [0.8, 1], ratio: [...crop.ratio] }, flip: true },
} satisfies Partial<ProfileDeclaration['supervise']>;

export default {
  name: 'mini',
  title: 'Fashion-MNIST in minutes',
  caution:
    'This profile proves the way, not the claims: one seed, and a student sees some 16,000 images in distillation where pre-training begins to pay at about 400,000. Read the order of its arms as noise.',
  seeds: [0],
  verdicts: false,
  teacher_seed: 0,
  data: { name: 'fashion-mnist' },
  unlabelled_images: 16_384,
  labelled_images: 4096,
  model: {
    image_size: [28, 28],
    patch_size: 7,
    in_chans: 1,
    mlp_ratio: 4,
    // The teacher's depth is divisible by 8, so that every target block of the paper's Table 10 exists.
    sizes: {
      T: { embed_dim: 32, depth: 4, num_heads: 2 },
      S: { embed_dim: 48, depth: 4, num_heads: 4 },
      B: { embed_dim: 64, depth: 4, num_heads: 4 },
      L: { embed_dim: 128, depth: 8, num_heads: 8 },
    },
  },
  pretrain: {
    ...pretraining,
    schedule: { epochs: 4, warmup_epochs: 0.4, batch_size: 256, accumulation_steps: 1, base_lr: 3e-3, min_lr: 0 },
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
    schedule: { epochs: 3, warmup_epochs: 0.3, batch_size: 128, accumulation_steps: 1, base_lr: 1.2e-2, min_lr: 1e-6 },
    layer_decay: 0.9,
    drop_path: 0,
    label_smoothing: 0.1,
  },
  finetune_with_teacher: { epochs: 30, warmup_epochs: 3, num_heads: 8, feature_dim: 213, alpha: 0.5, tau: 1 },
  supervise: {
    ...classification,
    schedule: { epochs: 9, warmup_epochs: 0.9, batch_size: 128, accumulation_steps: 1, base_lr: 4e-3, min_lr: 1e-6 },
    drop_path: 0,
    label_smoothing: 0.1,
  },
  evaluate: { batch_size: 500 },
  comparable: false,
  sources: {
    'supervise.init': `assumed: MAE's, as all models here, ${ALIKE}; DeiT draws as timm does (see imagenet1k)`,
    'supervise.pos_embed': `assumed: MAE's table, as all models here, ${ALIKE}; those of DeiT are learned from noise`,
    'supervise.pool': `assumed: the mean of the patches, as all classifiers here, ${ALIKE}; DeiT takes the class token`,
    'supervise.optimizer.ema_decay': "assumed: no average; DeiT's reaches back some 25,000 steps, of which there are far fewer here",
  },
} satisfies ProfileDeclaration;
