/**
 * Table 10: which block of the teacher to distill from, for classification and for segmentation.
 *
 * Purpose   The relations of blocks 12, 15, 18, 21 and 24 of a 24-block ViT-L as targets: places 1/2, 5/8, 3/4, 7/8 and last.
 * Expected  Rising to block 21 (84.8), then falling to the last (84.4); the paper's text names block 18 (84.6) as best.
 *           For segmentation block 18 is best (52.2).
 * Cost      Four distillations and fine-tunings beyond the default arm that Table 7 trains too, and five segmenters.
 * Run       make sweep ARGS="--only layer"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const values = (column: string) => ({ accuracy: published('Table 10', 'Classification (top-1)', column), miou: published('Table 10', 'Segmentation (mIoU)', column) });

const arm = (name: string, label: string, teacherBlock: number, column: string) => ({
  name,
  label,
  at: 24 * teacherBlock,
  factors: { teacherBlock },
  published: values(column),
});

export default defineAblation<Factors>({
  name: 'layer',
  order: 5,
  title: 'Which block of the teacher',
  table: 'Table 10',
  question: 'From which block of the teacher should the student learn?',
  expected: 'A block at three quarters of the depth or a little later beats both the middle and the last.',
  axis: 'block of the teacher, of 24',
  measures: ['accuracy', 'miou'],
  base: { student: 'B' },
  default: 'three-quarters',
  arms: [
    arm('half', 'Block 12 of 24', 1 / 2, '12th'),
    arm('five-eighths', 'Block 15 of 24', 5 / 8, '15th'),
    { name: 'three-quarters', label: 'Block 18 of 24 (default)', at: 18, sameAs: 'relation/qk-vv-softmax', published: values('18th') },
    arm('seven-eighths', 'Block 21 of 24', 7 / 8, '21st'),
    arm('last', 'Block 24 of 24', 1, '24th (last)'),
  ],
  claims: [
    {
      name: 'three-quarters-above-last',
      sentence: 'A block at three quarters of the depth is a better target than the last.',
      source: 'section 4.2, Table 10',
      parts: [{ type: 'greater', arm: 'three-quarters', than: 'last' }],
    },
    {
      name: 'three-quarters-best',
      sentence: 'Block 18 of 24 is the best target.',
      source: 'text of section 4.2',
      note: 'The text says so without naming the task; for classification its own table has block 21 ahead.',
      parts: [{ type: 'best', arm: 'three-quarters', of: ['half', 'five-eighths', 'seven-eighths', 'last'] }],
    },
    {
      name: 'three-quarters-best-for-segmentation',
      sentence: 'Block 18 of 24 is the best target for segmentation.',
      source: 'Table 10',
      parts: [{ type: 'best', arm: 'three-quarters', of: ['half', 'five-eighths', 'seven-eighths', 'last'], measure: 'miou' }],
    },
  ],
  inconsistencies: [
    {
      text: 'Block 18 gives the best result.',
      table: 'Classification is best at block 21, 84.8 against 84.6; segmentation is best at block 18.',
      source: 'section 4.2, Table 10',
    },
    {
      text: 'Ablations are pre-trained for 100 epochs.',
      table: 'Classification at block 18 (84.6) is the 100-epoch number; segmentation at block 18 (52.2) equals the 300-epoch number of Tables 3 and 9.',
      source: 'section 4.2, Tables 3, 9 and 10',
    },
  ],
});
