import { defineAblation } from 'tinymim-ablations';
import type { Factors } from '../study.ts';

export default defineAblation<Factors>({
  name: 'rate',
  title: 'How fast to learn',
  table: 'ours',
  question: 'Is it better to learn fast?',
  expected: 'It is.',
  base: {},
  default: 'slow',
  arms: [
    { name: 'slow', label: 'Slow', factors: {} },
    { name: 'fast', label: 'Fast', factors: { rate: 2 } },
    { name: 'continued', label: 'Continued', factors: { continued: true } },
  ],
  claims: [{ name: 'fast-better', sentence: 'Fast learning is better.', parts: [{ type: 'greater', arm: 'fast', than: 'slow' }] }],
});
