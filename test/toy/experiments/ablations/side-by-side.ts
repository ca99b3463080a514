import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../study.ts';

/** Arms that may grow side by side, some of which go wrong at step 3. */
const at = 3;

export default defineAblation<Factors>({
  name: 'side-by-side',
  title: 'Many grafts in one bed',
  table: 'ours',
  question: 'Does a graft grow otherwise beside others?',
  expected: 'It does not, whatever becomes of its neighbours.',
  base: { bed: 'garden' },
  default: 'tall',
  arms: [
    { name: 'tall', label: 'Tall', factors: { cut: 0.9 } },
    { name: 'middle', label: 'Middle', factors: { cut: 0.6 } },
    { name: 'small', label: 'Small', factors: { cut: 0.3 } },
    { name: 'blight', label: 'Fails for good', factors: { cut: 0.2, trouble: { kind: 'fail-permanently', at } } },
    { name: 'storm', label: 'Fails once', factors: { cut: 0.2, trouble: { kind: 'fail-once', at } } },
    { name: 'fire', label: 'Kills its worker once', factors: { cut: 0.2, trouble: { kind: 'die-once', at } } },
    { name: 'flood', label: 'Kills its worker whenever it starts at the beginning', factors: { cut: 0.1, trouble: { kind: 'crash-once', at } } },
    { name: 'warm', label: 'In a greenhouse', factors: { cut: 0.9, bed: 'greenhouse' } },
  ],
});
