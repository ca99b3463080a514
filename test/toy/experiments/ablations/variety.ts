import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../study.ts';

export default defineAblation<Factors>({
  name: 'variety',
  title: 'Which stock to graft on',
  table: 'ours',
  question: 'Does the variety of the stock matter?',
  expected: 'A few milliseconds; no difference worth a claim.',
  base: { cut: 0.5 },
  default: 'oak',
  arms: [
    { name: 'oak', label: 'Oak', factors: { variety: 'oak' } },
    { name: 'elm', label: 'Elm', factors: { variety: 'elm' } },
    { name: 'own-root', label: 'Oak on its own root', factors: { grafted: false } },
  ],
});
