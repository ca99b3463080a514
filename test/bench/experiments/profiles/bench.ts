import type { ProfileDeclaration } from '../../../../src/tinymim/profile.ts';
import desk from '../../../../experiments/profiles/desk.ts';

const short = { epochs: 1, warmup_epochs: 0.1 };

/** The models, batches and rates of `desk`, for 32 steps of every stage instead of thousands. */
export default {
  ...desk,
  name: 'bench',
  title: 'The race of a sweep',
  caution: 'A few steps, for their time alone.',
  seeds: [0],
  unlabelled_images: 8192,
  labelled_images: 4096,
  pretrain: { ...desk.pretrain, schedule: { ...desk.pretrain.schedule, ...short } },
  distill: { ...desk.distill, schedule: { ...desk.distill.schedule, ...short } },
  finetune: { ...desk.finetune, schedule: { ...desk.finetune.schedule, ...short } },
} satisfies ProfileDeclaration;
