/**
 * How should a tiny Vision Transformer learn?
 *
 * Purpose   Four ways to train a ViT-T, of which the paper says that MAE, good for large models, is bad for this one, and that it
 *           should learn relations between tokens from a larger teacher instead.
 * Expected  As published: relations, from scratch, MAE, class token, from the best to the worst.
 * Cost      One teacher; for each seed its fine-tuning, two distillations, one MAE, three fine-tunings and one training from scratch.
 * Run       ablate sweep --only tiny
 */
import { defineAblation } from 'tinymim-ablations';
import { published } from 'tinymim-ablations/experiments/paper';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'tiny', // as the file is named
  title: 'Four ways to train a ViT-T',
  table: 'ours', // or the table of the paper that it repeats
  question: 'Should a tiny model be trained from scratch, pre-trained as a masked autoencoder, or distilled, and from what?',
  expected: 'Relations are the best target; MAE pre-training is worse than none.',

  // A factor is one choice of an experiment. `base` holds those that all arms share; what nobody chooses has the paper's default.
  // Your editor lists the factors and their values, and marks a misspelt one.
  base: { student: 'T' },

  // An arm is one row of the table: what it chooses differently from `base`. Arms that need the same stage share it: both
  // distillations here have one teacher. A published value is what the paper reports for the arm; the report puts the measured one
  // beside it. It is looked up by table and row; of another paper: { value, unit, table, row, column, source, quote }.
  arms: [
    { name: 'scratch', label: 'From scratch', factors: { method: 'scratch' }, published: published('Table 8', 'ViT-T: Supervised (DeiT)') },
    { name: 'mae', label: 'MAE', factors: { method: 'mae' }, published: published('Table 8', 'ViT-T: MAE') },
    { name: 'class-token', label: 'Class token of a teacher', factors: { target: 'class-token' }, published: published('Table 8', 'ViT-T: Class token distillation') },
    { name: 'relation', label: 'Relations of a teacher', factors: { target: 'relation' }, published: published('Table 8', 'ViT-T: Relation distillation') },
    // One more, which nobody has published. A sweep then runs its stages only, because the others are done:
    // { name: 'relation-vv', label: 'V-V relations of a teacher', factors: { target: 'relation', relations: ['vv'] } },
  ],
  default: 'scratch', // the arm that the others are compared with

  // A claim is a conclusion as comparisons between arms: `greater`, `not-worse`, `same` (makes no difference), `best` or `monotone`. The
  // report judges it by the differences between arms with the same seed, which see the same batches, at profiles that give verdicts.
  claims: [
    {
      name: 'mae-hurts',
      sentence: 'MAE pre-training of a ViT-T is worse than training it from scratch.',
      source: 'section 1, Table 8',
      parts: [{ type: 'greater', arm: 'scratch', than: 'mae' }],
    },
    {
      name: 'relation-best',
      sentence: 'Distilling relations beats MAE and training from scratch.',
      source: 'section 4.2, Table 8',
      parts: [{ type: 'best', arm: 'relation', of: ['mae', 'scratch'] }],
    },
  ],
});
