/**
 * How should a tiny Vision Transformer learn?
 *
 * Purpose   Four ways to train a ViT-T: on labels alone, pre-trained as a masked autoencoder (MAE), or from a larger teacher, from its
 *           class token or from the relations between its tokens.
 * Expected  Relations, from scratch, MAE, class token, from the best to the worst.
 * Cost      One teacher; for each seed its fine-tuning, two distillations, one MAE, three fine-tunings and one training from scratch.
 * Run       ablate sweep --only tiny
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'tiny', // as the file is named
  title: 'Four ways to train a ViT-T',
  table: 'ours', // or the table of a paper that it repeats
  question: 'Should a tiny model be trained from scratch, pre-trained as a masked autoencoder, or distilled, and from what?',
  expected: 'Relations are the best target; MAE pre-training is worse than none.',

  // A factor is one choice of an experiment. `base` holds those that all arms share; what nobody chooses has the default.
  // Your editor lists the factors and their values, and marks a misspelt one.
  base: { student: 'T' },

  // An arm is one row of the table: what it chooses differently from `base`. Arms that need the same stage share it: both
  // distillations here have one teacher. An arm of a paper has its published value, too, and the report puts the measured one beside it:
  // published: { value: 72.2, unit: '% top-1 ImageNet-1K', table: 'Table 8', row: 'ViT-T: DeiT', column: 'Top-1', source: '...', quote: '72.2' }
  arms: [
    { name: 'scratch', label: 'From scratch', factors: { method: 'scratch' } },
    { name: 'mae', label: 'MAE', factors: { method: 'mae' } },
    { name: 'class-token', label: 'Class token of a teacher', factors: { target: 'class-token' } },
    { name: 'relation', label: 'Relations of a teacher', factors: { target: 'relation' } },
    // One more. A sweep then runs its stages only, because the others are done:
    // { name: 'relation-vv', label: 'V-V relations of a teacher', factors: { target: 'relation', relations: ['vv'] } },
  ],
  default: 'scratch', // the arm that the others are compared with

  // A claim is a hypothesis as comparisons between arms: `greater`, `not-worse`, `same` (makes no difference), `best` or `monotone`. The
  // report judges it by the differences between arms with the same seed, which see the same batches, at profiles that give verdicts:
  // supported or refuted. One with a `source`, and with published values of its arms, is a claim of a paper: reproduced or contradicted.
  claims: [
    {
      name: 'mae-hurts',
      sentence: 'MAE pre-training of a ViT-T is worse than training it from scratch.',
      parts: [{ type: 'greater', arm: 'scratch', than: 'mae' }],
    },
    {
      name: 'relation-best',
      sentence: 'Distilling relations beats MAE and training from scratch.',
      parts: [{ type: 'best', arm: 'relation', of: ['mae', 'scratch'] }],
    },
  ],
});
