/**
 * minute: three seeds of four arms, and of their teacher, in about two minutes on two CPU cores.
 *
 * A profile is the scale at which arms are realised: data, models, lengths, seeds. It chooses no factor, so the same arms run at every
 * profile of this folder: ablate sweep --profile <name>
 *
 * Purpose   Shows the whole way from a declaration to a report.
 * Expected  From scratch 61 %, MAE 57 %, distillation about as low, far from where it pays. No verdicts: nothing of this is evidence.
 * Run       ablate sweep --profile minute
 *
 * It is the profile `mini` of the package, shortened. Other values for one sweep: ablate sweep --set finetune.epochs=3
 */
import mini from 'tinymim-ablations/experiments/profiles/mini';
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';

export default {
  ...mini,
  name: 'minute', // as the file is named
  title: 'Fashion-MNIST in two minutes',
  caution: 'This profile shows how it works. A student sees 8,192 images in distillation, which begins to pay at about 400,000: what is said of distillation here is no evidence.',
  seeds: [0, 1, 2], // replicates of every arm, declared before anything is run: a verdict takes all of them, and at least three
  verdicts: false, // none at this scale; where there are to be any: { margin: 0.3, source: 'why a smaller difference does not matter' }
  unlabelled_images: 8192, // of pre-training and distillation
  labelled_images: 2048, // of fine-tuning and training from scratch
  pretrain: { ...mini.pretrain, schedule: { ...mini.pretrain.schedule, epochs: 2 } },
  finetune: { ...mini.finetune, schedule: { ...mini.finetune.schedule, epochs: 6 } },
} satisfies ProfileDeclaration;
