import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../../experiments/study.ts';

/** What goes wrong, does at step 3. */
const at = 3;

export default defineAblation<Factors>({
  name: 'hardship',
  title: 'What a worker cannot tell',
  table: 'ours',
  question: 'Does a silent or starving tree hold up the orchard?',
  expected: 'Only the arm that freezes every time fails.',
  base: {},
  default: 'sound',
  arms: [
    { name: 'sound', label: 'Sound', factors: {} },
    { name: 'hang', label: 'Hangs, and hears', factors: { trouble: { kind: 'hang', at } } },
    { name: 'freeze', label: 'Is stuck each time', factors: { trouble: { kind: 'freeze', at } } },
    { name: 'freeze-once', label: 'Is stuck once', factors: { trouble: { kind: 'freeze-once', at } } },
    { name: 'starve', label: 'Is killed until it takes less', factors: { trouble: { kind: 'starve', at } } },
    { name: 'exhaust', label: 'Fails until it takes less', factors: { trouble: { kind: 'exhaust', at } } },
    { name: 'no-context', label: 'Gets no context of its GPU', factors: { trouble: { kind: 'no-context', at } } },
    { name: 'no-blas', label: 'Has no cuBLAS', factors: { trouble: { kind: 'no-blas', at } } },
    { name: 'tall', label: 'In a bed', factors: { bed: 'garden', cut: 0.9 } },
    { name: 'small', label: 'In a bed, too', factors: { bed: 'garden', cut: 0.3 } },
    { name: 'frozen', label: 'Freezes its bed once', factors: { bed: 'garden', cut: 0.2, trouble: { kind: 'freeze-once', at } } },
    { name: 'starved', label: 'Has its bed killed until it takes less', factors: { bed: 'garden', cut: 0.1, trouble: { kind: 'starve', at } } },
  ],
});
