import { axesOf } from '../../../../src/core/ablation/axes.ts';
import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../../../../src/tinymim/factors.ts';

const { axis, product, union } = axesOf<Factors>();

const relations = product(
  axis('relations', [
    { name: 'qk-vv', label: 'Q-K, V-V', value: ['qk', 'vv'] },
    { name: 'qq-kk-vv', label: 'Q-Q, K-K, V-V', value: ['qq', 'kk', 'vv'] },
  ]),
  axis('softmax', [
    { name: 'softmax', label: 'softmax', value: true },
    { name: 'plain', label: 'without', value: false },
  ]),
);
const features = axis('feature', [
  { name: 'qkv', label: 'Q/K/V', value: 'qkv' },
  { name: 'ffn', label: 'FFN', value: 'ffn' },
  { name: 'attention', label: 'Attention', value: 'attention' },
  { name: 'output', label: 'Output', value: 'output' },
]).map(arm => ({ ...arm, factors: { ...arm.factors, target: 'feature' as const } }));

/** Four kinds of relations and four of features of one teacher: what a sweep of distillation targets trains. */
export default defineAblation<Factors>({
  name: 'targets',
  title: 'Relations and features of one teacher',
  table: 'ours',
  question: 'How long does a sweep take?',
  expected: 'A minute or two.',
  base: { student: 'B' },
  default: 'qk-vv-softmax',
  arms: union(relations, features),
});
