/**
 * desk: one to two hours a seed, all six factors with seeds enough for verdicts.
 *
 * Purpose   The six factors of the paper's ablations and the smallest model, each with five seeds. One seed is a whole replicate that can
 *           be run, reported and committed alone; verdicts come with the fifth.
 * Cost      Less than two hours a seed on two cores (reports/desk/provenance.json); `ablate plan --profile desk --seeds 20 --measure` says it
 *           for this machine.
 * Run       make sweep ARGS="--profile desk --seeds 20"      then 21 to 24, on one machine or on several (ablate report --from)
 *           make sweep ARGS="--profile desk --only mae-vs-scratch"      other tables, as time allows
 *
 * Differs from `mini` in lengths, seeds and what is swept: sizes, rates, labels and the teacher are those that were chosen there (STUDY.md). Segmentation is
 * measured from here on: in the minutes that `mini` could give it no arm learned more than the background (mIoU of the five arms of `layer` 9.6 to 9.7 %; here 20 to 24).
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
import mini from './mini.ts';

export default {
  ...mini,
  name: 'desk',
  title: 'Fashion-MNIST in hours',
  seeds: [20, 21, 22, 23, 24],
  sweep: [{ ablations: ['smallest', 'class-token', 'feature', 'relation', 'masking', 'layer', 'drop-path'] }],
  pretrain: { ...mini.pretrain, schedule: { ...mini.pretrain.schedule, epochs: 16, warmup_epochs: 1.6 } },
  distill: { ...mini.distill, schedule: { ...mini.distill.schedule, epochs: 8, warmup_epochs: 0.8 } },
  finetune: { ...mini.finetune, schedule: { ...mini.finetune.schedule, epochs: 48, warmup_epochs: 4.8 } },
  finetune_with_teacher: { ...mini.finetune_with_teacher, epochs: 480, warmup_epochs: 48 },
  robustness: { ...mini.robustness, imagenet_c: { name: 'simulated', images: 1000 } },
  // The recipe of ADE20K with garments for things: scenes of 84 x 84 pixels, of which a step sees 56 x 56.
  segment: {
    data: { name: 'composed', source: { name: 'fashion-mnist' }, canvas: [84, 84], items: [3, 6], scale: [0.75, 1.5], train: 2000, test: 250, seed: 0 },
    crop: [56, 56],
    blocks: [4 / 12, 6 / 12, 8 / 12, 1],
    relative_position_bias: true,
    layer_scale: 1,
    head: { channels: 24, auxiliary_channels: 8, auxiliary_weight: 0.4, dropout: 0.1 },
    drop_path: 0,
    schedule: { steps: 1200, warmup_steps: 60, warmup_ratio: 1e-6, batch_size: 16, accumulation_steps: 1, lr: 2e-3, min_lr: 0, power: 1 },
    optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
    layer_decay: 0.9,
    augment: { resize: null, cat_max_ratio: 0.75, flip: true, photometric: true },
    evaluate: { stride: [37, 37], batch_size: 16 },
  },
  supervise: { ...mini.supervise, schedule: { ...mini.supervise.schedule, epochs: 144, warmup_epochs: 14.4 } },
  sources: {
    ...mini.sources,
    'segment.schedule': 'assumed: some minutes on one core, at a rate at which the loss falls; nothing was chosen by an mIoU',
    'segment.data': 'assumed: as many garments as leave some of each in sight',
  },
} satisfies ProfileDeclaration;
