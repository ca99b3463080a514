/** A distillation of seconds, for tests of whole stages: what each varies it sets over these fields. */
export const image = { image_size: [8, 8] as [number, number], patch_size: 2, in_chans: 1, mlp_ratio: 2 };

export const distillFields = {
  data: { name: 'procedural', classes: 4, image_size: [8, 8], channels: 1, train: 48, validation: 24, test: 8, seed: 1 },
  images: null,
  model: { ...image, embed_dim: 8, depth: 2, num_heads: 2, last_block_heads: 4 },
  target: { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' },
  teacher_block: 2,
  drop_path: 0.1,
  teacher_drop_path: 0,
  mask_ratio: 0,
  teacher_input: 'whole',
  reconstruction: null,
  student_jitter: { brightness: 0.4, contrast: 0.4 },
  schedule: { epochs: 2, warmup_epochs: 0, batch_size: 16, accumulation_steps: 1, base_lr: 0.05, min_lr: 0 },
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: null, flip: true },
  engine: {},
};
