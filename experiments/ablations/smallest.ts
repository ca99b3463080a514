/**
 * Table 8, its column ViT-T: every way to train the smallest model.
 *
 * Purpose   The paper's point at the size where it is largest, for little: from scratch, MAE, and each target that a MAE-L can give
 *           a ViT-T. It is what small profiles run first, with the seeds that verdicts take.
 * Expected  Class token below MAE, MAE below training from scratch, features above it, relations first: 70.6, 71.6, 72.2, 73.4 and
 *           75.8 in the paper.
 * Cost      One teacher; for each seed a MAE of ViT-T, three distillations side by side, and five classifiers.
 * Run       make sweep ARGS="--only smallest"
 *
 * Declared reading. The published ViT-T learned from a sequence of teachers on the main schedule, as `strategy-size` has it. Here
 * it learns from MAE-L at once, on the schedule of the other ablations.
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const row = (name: string) => ({ published: published('Table 8', `ViT-T: ${name}`) });

export default defineAblation<Factors>({
  name: 'smallest',
  order: 0,
  title: 'The smallest model',
  table: 'Table 8',
  question: 'Which pre-training helps the smallest model, if any does?',
  expected: 'Relations first, then features; MAE below training from scratch, and the class token below MAE.',
  base: { student: 'T' },
  default: 'relation',
  arms: [
    { name: 'scratch', label: 'From scratch', sameAs: 'mae-vs-scratch/scratch-t', ...row('Supervised (DeiT)') },
    { name: 'mae', label: 'MAE', sameAs: 'mae-vs-scratch/mae-t', ...row('MAE') },
    { name: 'class-token', label: 'Class token', factors: { target: 'class-token' }, ...row('Class token distillation') },
    { name: 'feature', label: 'Features', factors: { target: 'feature', feature: 'output' }, ...row('Feature distillation') },
    { name: 'relation', label: 'Relations', factors: {}, ...row('Relation distillation') },
  ],
  claims: [
    {
      name: 'relation-first',
      sentence: 'Relation distillation beats MAE pre-training and training from scratch for ViT-T.',
      source: 'section 4.2, Tables 3 and 8',
      parts: [{ type: 'best', arm: 'relation', of: ['mae', 'scratch'] }],
    },
    {
      name: 'mae-hurts',
      sentence: 'MAE pre-training of ViT-T is worse than training it from scratch.',
      source: 'section 1, Tables 2 and 8',
      parts: [{ type: 'greater', arm: 'scratch', than: 'mae' }],
    },
    {
      name: 'class-token-below-mae',
      sentence: 'Class token distillation is worse than MAE pre-training for ViT-T.',
      source: 'section 4.2, Table 8',
      parts: [{ type: 'greater', arm: 'mae', than: 'class-token' }],
    },
    {
      name: 'feature-above-class-token',
      sentence: 'Features are a better target than the class token for ViT-T.',
      source: 'section 4.2, Table 8',
      parts: [{ type: 'greater', arm: 'feature', than: 'class-token' }],
    },
    {
      name: 'relation-above-feature',
      sentence: 'Relations are a better target than features for ViT-T.',
      source: 'section 4.2, Table 8',
      parts: [{ type: 'greater', arm: 'relation', than: 'feature' }],
    },
  ],
  footnotes: [
    'The published ViT-T learned from a distilled ViT-S, which a distilled ViT-B and a MAE-L had taught before, for 300 epochs; here it learns from MAE-L at once, on the schedule of the other ablations. The ablation `strategy-size` has the sequences.',
    'Features are the output feature, as in `strategy-size`.',
  ],
});
