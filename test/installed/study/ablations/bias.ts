import { axesOf, defineAblation } from 'tinymim-ablations';
import type { Factors } from '../study.ts';

const { axis, product } = axesOf<Factors>();

export default defineAblation<Factors>({
  name: 'bias',
  title: 'Bent coins',
  table: 'ours',
  question: 'Does a bent coin show heads more often?',
  expected: 'By a fifth.',
  base: {},
  default: 'fair-old',
  arms: product(
    axis('bias', [
      { name: 'fair', label: 'Fair', value: 0.5 },
      { name: 'bent', label: 'Bent', value: 0.7 },
    ]),
    axis('coin', [
      { name: 'old', label: 'old', value: 'old' },
      { name: 'new', label: 'new', value: 'new' },
    ]),
  ),
  claims: [{ name: 'bent-shows-heads', sentence: 'A bent coin shows heads more often.', source: 'ours', parts: [{ type: 'greater', arm: 'bent-old', than: 'fair-old' }] }],
});
