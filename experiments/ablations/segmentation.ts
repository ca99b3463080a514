/**
 * Table 9: what is learned without labels, as the backbone of a segmenter.
 *
 * Purpose   Supervised training, MAE and the three targets for ViT-B on the main schedule (300 pre-training epochs in the paper), each as the
 *           backbone of UPerNet.
 * Expected  Relations first, by 4.1 points of mIoU over MAE; features and the class token below MAE.
 * Cost      A segmenter for each arm; what they start from are the arms of Table 8.
 * Run       make sweep ARGS="--only segmentation"
 *
 * Declared readings, where the paper is silent, are those of Table 8 (strategy-size). The supervised arm starts from the whole classifier, all
 * others from what was pre-trained.
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const arm = (name: string, label: string, row: string) => ({ name, label, sameAs: `strategy-size/${name}-b`, published: published('Table 9', row, 'mIoU') });

export default defineAblation<Factors>({
  name: 'segmentation',
  order: 12,
  title: 'Semantic segmentation',
  table: 'Table 9',
  question: 'Which target gives the best backbone of a segmenter?',
  expected: 'Relations beat MAE, and features and the class token do not.',
  measures: ['miou'],
  base: {},
  default: 'relation',
  arms: [
    arm('scratch', 'From scratch', 'Supervised (DeiT)'),
    arm('mae', 'MAE', 'MAE'),
    arm('class-token', 'Class token', 'Class token distillation'),
    arm('feature', 'Features', 'Feature distillation'),
    arm('relation', 'Relations', 'Relation distillation'),
  ],
  claims: [
    {
      name: 'relation-best',
      sentence: 'Relation distillation gives the best backbone of a segmenter.',
      source: 'section 4.2, Table 9',
      parts: [{ type: 'best', arm: 'relation', of: ['scratch', 'mae', 'class-token', 'feature'] }],
    },
    {
      name: 'others-below-mae',
      sentence: 'Class token and feature distillation are worse than MAE pre-training for segmentation.',
      source: 'Table 9',
      parts: ['class-token', 'feature'].map(other => ({ type: 'greater' as const, arm: 'mae', than: other })),
    },
  ],
  footnotes: ['The supervised arm is a segmenter on the classifier that was trained from scratch; the others are on what was pre-trained.'],
});
