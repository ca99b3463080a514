import type { ProfileDeclaration } from '../../../../src/tinymim/profile.ts';
import toy from './toy.ts';

const short = { epochs: 1, warmup_epochs: 0, batch_size: 32, accumulation_steps: 1, base_lr: 4e-3, min_lr: 0 };

/** A step or four of everything, for a grid of many arms; from scratch with all that DeiT has and MAE has not. */
export default {
  ...toy,
  name: 'grid',
  data: { ...toy.data, train: 128, validation: 32, test: 32 },
  labelled_images: 64,
  pretrain: { ...toy.pretrain, schedule: short },
  distill: { ...toy.distill, schedule: short },
  finetune: { ...toy.finetune, schedule: short },
  finetune_with_teacher: { ...toy.finetune_with_teacher, epochs: 1, feature_dim: 24 },
  supervise: {
    ...toy.supervise,
    schedule: { ...short, epochs: 3 },
    optimizer: { ...toy.supervise.optimizer, ema_decay: 0.9 },
    init: 'trunc_normal',
    pos_embed: 'learned',
    pool: 'class_token',
  },
  evaluate: { batch_size: 32 },
} satisfies ProfileDeclaration;
