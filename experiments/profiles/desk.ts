/**
 * desk: hours on a workstation, with seeds enough for verdicts.
 *
 * Purpose   The scale at which arms begin to separate: every distilled student sees 440,000 images without labels, then is
 *           fine-tuned on 16,000 labelled ones, where gaps between scratch, MAE and distillation were about two standard
 *           errors of one test in a trial with another implementation; five seeds decide.
 * Cost      FLOPs and time of this machine: ablate plan --profile desk --measure
 * Run       make sweep ARGS="--profile desk"
 *
 * Differs from `mini` in lengths, labels and seeds only: pre-training and distillation on all images without labels.
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';
import mini from './mini.ts';

export default {
  ...mini,
  name: 'desk',
  title: 'Fashion-MNIST in hours',
  caution: 'Arms of this profile differ by a few tenths of a point to two points: read intervals, not ranks.',
  seeds: [0, 1, 2, 3, 4],
  verdicts: {
    margin: 0.2,
    source: 'assumed: 20 of the 10,000 test images; no earlier run tells how far seeds of this profile spread',
    spread: { value: 2, source: 'assumed: that of mini, where five seeds of one arm in two precisions have 1.9 to 2.0, see experiments/README.md; more labels may make it smaller' },
  },
  unlabelled_images: null,
  labelled_images: 16_000,
  pretrain: { ...mini.pretrain, schedule: { ...mini.pretrain.schedule, epochs: 16, warmup_epochs: 1 } },
  distill: { ...mini.distill, schedule: { ...mini.distill.schedule, epochs: 8, warmup_epochs: 0.5 } },
  finetune: { ...mini.finetune, schedule: { ...mini.finetune.schedule, epochs: 8, warmup_epochs: 0.4 } },
  supervise: { ...mini.supervise, schedule: { ...mini.supervise.schedule, epochs: 24, warmup_epochs: 1.2 } },
} satisfies ProfileDeclaration;
