/**
 * minute: three seeds of four arms in about a minute, on two CPU cores.
 *
 * A profile is the scale at which arms are realised: data, models, lengths, seeds. It chooses no factor, so the same arms run at every
 * profile: `ablate plan --profile <file's name>`. What is the same at two profiles is run once.
 *
 * Purpose   Shows the whole way from a declaration to a report. Its models have seen too few images for its numbers to mean much.
 * Run       ablate sweep --profile minute
 *
 * It takes `mini` and shortens it. One value for one sweep: ablate sweep --set finetune.epochs=6
 */
import mini from 'tinymim-ablations/experiments/profiles/mini';
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';

export default {
  ...mini,
  name: 'minute', // as the file is named
  title: 'Fashion-MNIST in a minute',
  caution: 'This profile shows how it works: its students see far too few images for a conclusion.',
  seeds: [0, 1, 2], // replicates of every arm; with fewer than three, no claim is decided
  unlabelled_images: 4096, // of pre-training and distillation
  labelled_images: 1024, // of fine-tuning
  pretrain: { ...mini.pretrain, schedule: { ...mini.pretrain.schedule, epochs: 2 } },
  finetune: { ...mini.finetune, schedule: { ...mini.finetune.schedule, epochs: 3 } },
} satisfies ProfileDeclaration;
