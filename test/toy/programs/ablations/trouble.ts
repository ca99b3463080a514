import { defineAblation } from 'tinymim-ablations';
import type { Factors } from '../study.ts';

const at = 7;

export default defineAblation<Factors>({
  name: 'trouble',
  title: 'What can go wrong with a program',
  table: 'ours',
  question: 'Does one bad program spoil the others?',
  expected: 'It does not.',
  base: {},
  default: 'sound',
  arms: [
    { name: 'sound', label: 'Sound', factors: {} },
    { name: 'die-once', label: 'Dies once', factors: { trouble: 'die-once', at } },
    { name: 'memory', label: 'Runs out of memory', factors: { trouble: 'memory', at } },
    { name: 'nan', label: 'Diverges', factors: { trouble: 'nan', at } },
    { name: 'impossible', label: 'Cannot be', factors: { rate: 10 } },
  ],
});
