import { axesOf } from '../../../../src/core/ablation/axes.ts';
import { defineAblation } from '../../../../src/core/ablation/define.ts';
import type { Factors } from '../../../../src/tinymim/factors.ts';

const { axis, union } = axesOf<Factors>();

/** Every factor once away from its default, and every choice of targets: that each can be trained. */
export default defineAblation<Factors>({
  name: 'factors',
  title: 'Every factor once',
  table: 'ours',
  question: 'Can every choice be trained?',
  expected: 'Yes.',
  base: { student: 'B' },
  default: 'default',
  arms: union(
    [
      { name: 'default', label: 'Default', sameAs: 'tiny/relation' },
      { name: 'scratch-t', label: 'Scratch T', factors: { method: 'scratch', student: 'T' } },
      { name: 'qq-kk-vv', label: 'Q-Q, K-K, V-V, smooth L1', factors: { relations: ['qq', 'kk', 'vv'], softmax: false, relationLoss: 'smooth-l1' } },
      { name: 'class-token-kl', label: 'Class token', factors: { target: 'class-token' } },
      { name: 'class-token-mse', label: 'Class token, squared error, final norm', factors: { target: 'class-token', classTokenLoss: 'mse', finalNorm: true } },
      { name: 'masked', label: 'Masked', factors: { maskRatio: 0.75 } },
      { name: 'masked-visible', label: 'Masked, teacher too', factors: { maskRatio: 0.5, teacherInput: 'visible' } },
      { name: 'masked-mim', label: 'Class token, masked, MAE loss', factors: { target: 'class-token', maskRatio: 0.75, reconstruction: 0.5 } },
      { name: 'chain-same', label: 'A sequence that learns features', factors: { student: 'S', teachers: ['L', 'B'], target: 'feature', feature: 'ffn', teacherTarget: 'same' } },
      { name: 'chain-rebuilt', label: 'A teacher whose heads are rebuilt', factors: { student: 'S', teachers: ['L', 'B'], teacherHeads: 'rebuilt' } },
      { name: 'taught', label: 'Fine-tuned with its teacher', factors: { finetuneTeacher: 'L' } },
      { name: 'taught-soft', label: 'Fine-tuned with a distilled teacher, soft', factors: { student: 'S', teachers: ['L', 'B'], finetuneTeacher: 'B', finetuneDistillation: 'soft' } },
      { name: 'chain', label: 'A sequence of teachers', factors: { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main' } },
    ],
    axis('feature', [
      { name: 'output', label: 'Output', value: 'output' },
      { name: 'ffn', label: 'FFN', value: 'ffn' },
      { name: 'ffn-residual', label: 'FFN after', value: 'ffn-residual' },
      { name: 'attention', label: 'Attention', value: 'attention' },
      { name: 'attention-residual', label: 'Attention after', value: 'attention-residual' },
      { name: 'qkv', label: 'Q/K/V', value: 'qkv' },
    ]).map(arm => ({ ...arm, factors: { ...arm.factors, target: 'feature' as const } })),
    [
      {
        name: 'others',
        label: 'Block 4 of 8, drop path, averaged heads, no jitter',
        factors: { teacherBlock: 1 / 2, studentDropPath: 0.3, teacherDropPath: 0.1, headAlignment: false, jitter: false },
      },
    ],
  ),
  claims: [
    {
      name: 'any',
      sentence: 'Every comparison can be made.',
      source: 'nowhere',
      parts: [
        { type: 'greater', arm: 'default', than: 'masked' },
        { type: 'not-worse', arm: 'default', than: 'tiny/mae' },
        { type: 'best', arm: 'qkv', of: ['output', 'ffn'] },
        { type: 'monotone', arms: ['class-token-kl', 'output', 'default'] },
      ],
    },
  ],
});
