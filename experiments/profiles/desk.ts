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
 * Differs from `mini` in lengths, seeds and what is swept: sizes, rates, labels and the teacher are those that were chosen there (STUDY.md).
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
  segment: { ...mini.segment, schedule: { ...mini.segment.schedule, steps: 1200, warmup_steps: 60 } },
  supervise: { ...mini.supervise, schedule: { ...mini.supervise.schedule, epochs: 144, warmup_epochs: 14.4 } },
} satisfies ProfileDeclaration;
