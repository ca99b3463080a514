/**
 * Ours: each relation alone.
 *
 * Purpose   The paper only distills sums of relations; here Q-K, V-V, Q-Q and K-K alone.
 * Expected  Unknown. With Q-K alone the student's values are not taught, with V-V alone its attention is not.
 * Cost      Four distillations and fine-tunings beyond the default arm.
 * Run       make sweep ARGS="--only single-relation"
 */
import { axesOf, defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

const { axis, union } = axesOf<Factors>();

export default defineAblation<Factors>({
  name: 'single-relation',
  title: 'One relation alone',
  table: 'ours',
  question: 'Which of the relations does the work?',
  expected: 'Unknown; the sum is expected to be at least as good as each of its parts.',
  base: { student: 'B' },
  default: 'qk-vv-softmax',
  arms: union(
    [{ name: 'qk-vv-softmax', label: 'Q-K, V-V (default)', sameAs: 'relation/qk-vv-softmax' }],
    axis('relations', [
      { name: 'qk', label: 'Q-K alone', value: ['qk'] },
      { name: 'vv', label: 'V-V alone', value: ['vv'] },
      { name: 'qq', label: 'Q-Q alone', value: ['qq'] },
      { name: 'kk', label: 'K-K alone', value: ['kk'] },
    ]),
  ),
});
