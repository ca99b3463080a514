/** A segmentation of seconds, for tests of whole stages. */
import { image } from './distill-recipe.ts';

/** Of what a segmenter starts from. */
export const encoderModel = { ...image, embed_dim: 8, depth: 2, num_heads: 2 };

export const segmentFields = {
  data: {
    name: 'composed',
    source: { name: 'procedural', classes: 3, image_size: [8, 8], channels: 1, train: 24, validation: 1, test: 12, seed: 1 },
    canvas: [12, 14],
    items: [1, 3],
    scale: [0.75, 1.5],
    train: 16,
    test: 5,
    seed: 2,
  },
  model: { ...encoderModel, image_size: [8, 12] },
  feature_blocks: [1, 1, 2, 2],
  relative_position_bias: true,
  layer_scale: 1,
  head: { channels: 6, auxiliary_channels: 4, auxiliary_weight: 0.4, dropout: 0.2 },
  drop_path: 0.1,
  schedule: { steps: 4, warmup_steps: 1, warmup_ratio: 1e-6, batch_size: 8, accumulation_steps: 1, lr: 1e-2, min_lr: 0, power: 1 },
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
  layer_decay: 0.75,
  augment: { resize: { within: [14, 12], ratio: [0.75, 1.25] }, cat_max_ratio: 0.75, flip: true, photometric: true },
  engine: {},
};

export const segmentEvaluateFields = { data: segmentFields.data, stride: [5, 8], batch_size: 3, engine: {} };
