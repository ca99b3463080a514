/**
 * What should a student learn from its teacher?
 *
 * Purpose   The paper compares class tokens, features and relations in three tables of their own. Here the best of each stand side by side.
 * Expected  As published: relations, features, MAE, class token, from the best to the worst.
 * Cost      One teacher; for each seed three distillations, one MAE and four fine-tunings. A minute at the profile `minute`.
 * Run       ablate sweep --only target
 */
import { defineAblation } from 'tinymim-ablations';
import { published } from 'tinymim-ablations/experiments/paper';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'target', // as the file is named
  title: 'What to distill',
  table: 'ours', // or the table of the paper that it repeats
  question: 'Should a student learn the class token, features, or the relations between tokens?',
  expected: 'Relations first, features next; the class token stays below MAE pre-training of the student itself.',

  // A factor is one choice of an experiment. `base` holds those that all arms share; what nobody chooses has the paper's default.
  // Your editor lists the factors and their values, and marks a misspelt one.
  base: { student: 'B' },

  // An arm is one row of the table: what it chooses differently from `base`. Arms that need the same stage share it, as these share
  // their teacher. A published value is what the paper reports for the arm; the report shows the measured one beside it. Here it is
  // looked up by table and row; a number of another source is written out: { value, unit, table, row, column, source, quote }.
  arms: [
    { name: 'mae', label: 'MAE, no teacher', factors: { method: 'mae' }, published: published('Table 7', 'MAE baseline') },
    { name: 'class-token', label: 'Class token', factors: { target: 'class-token' }, published: published('Table 5', 'TinyMIM w/ Cls') },
    { name: 'feature', label: 'Q/K/V features', factors: { target: 'feature', feature: 'qkv' }, published: published('Table 6', 'Q/K/V features') },
    { name: 'relation', label: 'Q-K, V-V relations', factors: { target: 'relation' }, published: published('Table 7', 'Q-K, V-V with softmax (default)') },
    // Another arm; a sweep then runs its stages only, because all others are done:
    // { name: 'relation-qk', label: 'Q-K relations alone', factors: { target: 'relation', relations: ['qk'] } },
  ],
  default: 'mae', // the arm that the others are compared with

  // A claim is a conclusion as comparisons between arms. The report judges it by the differences between arms of the same seed, which
  // see the same batches: reproduced, contradicted, or undecided, and then how many seeds would decide it.
  claims: [
    {
      name: 'relation-best',
      sentence: 'Relations are a better target than features and than the class token.',
      source: 'section 4.2, Tables 5 to 7',
      parts: [{ type: 'best', arm: 'relation', of: ['feature', 'class-token'] }],
    },
    {
      name: 'class-token-below-mae',
      sentence: 'A student that learns the class token does worse than MAE pre-training of the student itself.',
      source: 'section 4.2, Table 5',
      parts: [{ type: 'greater', arm: 'mae', than: 'class-token' }],
    },
  ],
});
