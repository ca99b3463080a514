import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../study.ts';

/** Arms that go wrong at step 3, for tests of the runner. */
const at = 3;

export default defineAblation<Factors>({
  name: 'trouble',
  title: 'What can go wrong',
  table: 'ours',
  question: 'Does one bad tree spoil the orchard?',
  expected: 'Two arms fail for good, the others recover.',
  base: {},
  default: 'sound',
  arms: [
    { name: 'sound', label: 'Sound', factors: {} },
    { name: 'fail', label: 'Fails always', factors: { trouble: { kind: 'fail', at } } },
    { name: 'fail-once', label: 'Fails once', factors: { trouble: { kind: 'fail-once', at } } },
    { name: 'fail-permanently', label: 'Fails for good', factors: { trouble: { kind: 'fail-permanently', at } } },
    { name: 'crash-once', label: 'Crashes once', factors: { trouble: { kind: 'crash-once', at } } },
    { name: 'die-once', label: 'Is killed once', factors: { trouble: { kind: 'die-once', at } } },
    { name: 'hang', label: 'Hangs', factors: { trouble: { kind: 'hang', at } } },
  ],
});
