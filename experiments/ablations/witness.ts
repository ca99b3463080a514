/**
 * Ours: relation distillation of the smallest model by two implementations.
 *
 * Purpose   Whether our numbers are those of the method or of our code. A script in PyTorch (src/tinymim/witness/) was written from the paper and from what
 *           MAE and timm define; it distills, fine-tunes and tests the same student from the same teacher by the same recipe. Its random draws are its own, so that
 *           seeds pair teachers and nothing else.
 * Expected  No difference beyond the margin of the profile.
 * Cost      One distillation and one fine-tuning beyond `strategy-size`, and a PyTorch.
 * Run       make sweep ARGS="--profile witness"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'witness',
  title: 'Two implementations',
  table: 'ours',
  question: 'Does another program, by the same recipe, come to the same accuracy?',
  expected: 'No difference beyond the margin.',
  measures: ['accuracy-of-both'],
  base: { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main' },
  default: 'ours',
  arms: [
    { name: 'ours', label: 'Relations, ours', sameAs: 'strategy-size/relation-t' },
    { name: 'pytorch', label: 'Relations, in PyTorch', factors: { implementation: 'pytorch' } },
  ],
  claims: [
    {
      name: 'same-accuracy',
      sentence: 'It makes no difference whether a ViT-T is distilled and fine-tuned by our code or by another implementation in PyTorch.',
      parts: [{ type: 'same', arm: 'pytorch', than: 'ours' }],
    },
  ],
  footnotes: [
    'Both learn from the same distilled ViT-S of each seed, and from the same 1,000 labelled images; order, crops, jitter, drop path and initial weights are drawn anew by the script in PyTorch.',
  ],
});
