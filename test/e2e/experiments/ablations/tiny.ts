import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../../../../src/tinymim/factors.ts';

/** Every stage kind once, at toy size. */
export default defineAblation<Factors>({
  name: 'tiny',
  title: 'Every stage once',
  table: 'ours',
  question: 'Does the whole way work?',
  expected: 'Yes, in seconds.',
  base: { student: 'B' },
  default: 'relation',
  arms: [
    { name: 'scratch', label: 'From scratch', factors: { method: 'scratch' } },
    { name: 'mae', label: 'MAE', factors: { method: 'mae' } },
    { name: 'relation', label: 'Relations', factors: {} },
  ],
});
