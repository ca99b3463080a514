/**
 * Does momentum help where training is short?
 *
 * Purpose   Two options of the optimizer, at one learning rate and one length of training.
 * Expected  Momentum is ahead by some ten points: plain SGD has not got far yet.
 * Cost      For each seed two trainings.
 * Run       ablate sweep --only momentum
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from '../study.ts';

export default defineAblation<Factors>({
  name: 'momentum', // as the file is named
  title: 'Momentum or none',
  table: 'ours', // or the table of a paper that it repeats
  question: 'Does momentum help where training is short?',
  expected: 'Momentum is ahead.',
  base: {}, // factors that all arms share
  arms: [
    { name: 'none', label: 'SGD', factors: { momentum: 0 } },
    { name: 'momentum', label: 'SGD with momentum', factors: { momentum: 0.9 } },
    // One more. A sweep then runs its stages only, because the others are done:
    // { name: 'less', label: 'SGD with less momentum', factors: { momentum: 0.5 } },
  ],
  default: 'none', // the arm that the others are compared with

  // A hypothesis as comparisons between arms, judged by the differences between arms of the same seed.
  claims: [
    {
      name: 'momentum-better',
      sentence: 'Momentum is better than none at equal length of training.',
      parts: [{ type: 'greater', arm: 'momentum', than: 'none' }],
    },
  ],
});
