import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../study.ts';

export default defineAblation<Factors>({
  name: 'cut',
  title: 'Where to cut the scion',
  table: 'ours',
  question: 'How much of the stock should remain?',
  expected: 'A few milliseconds. `half` is the arm `oak` of `variety`.',
  base: {},
  default: 'whole',
  arms: [
    { name: 'whole', label: 'Whole', factors: {} },
    { name: 'half', label: 'Half', factors: { cut: 0.5 } },
    { name: 'none', label: 'None', factors: { cut: 0 } },
  ],
});
