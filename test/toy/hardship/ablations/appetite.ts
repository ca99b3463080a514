import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../../experiments/study.ts';

export default defineAblation<Factors>({
  name: 'appetite',
  title: 'How much a tree takes',
  table: 'ours',
  question: 'Does a tree that takes more than its allocation has find a larger one?',
  expected: 'It does.',
  base: {},
  default: 'large',
  arms: [{ name: 'large', label: 'Takes 500 MB at step 3', factors: { trouble: { kind: 'gorge', at: 3 } } }],
});
