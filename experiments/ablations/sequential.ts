/**
 * Table 11: one teacher, or a sequence of them.
 *
 * Purpose   ViT-S from MAE-B, from MAE-L, and from a TinyMIM-B that itself learned from MAE-L; ViT-T likewise one size down.
 * Expected  The sequence is best: +0.3 and +0.6 points over the best single teacher. A much larger single teacher does not help.
 * Cost      Six distillations and fine-tunings, two further distillations for the chains, two further MAE teachers.
 * Run       make sweep ARGS="--only sequential"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors, ModelSize } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const arm = (student: ModelSize, teachers: Factors['teachers'], label: string, row: string) => ({
  name: `${student}-from-${teachers.join('-')}`.toLowerCase(),
  label: `ViT-${student}, from ${label}`,
  group: `ViT-${student}`,
  factors: { student, teachers },
  published: published('Table 11', row),
});

export default defineAblation<Factors>({
  name: 'sequential',
  order: 10,
  title: 'A sequence of teachers',
  table: 'Table 11',
  question: 'Is it better to pass through a teacher of intermediate size?',
  expected: 'The sequence beats both single teachers.',
  base: {},
  default: 's-from-l-b',
  arms: [
    arm('S', ['B'], 'MAE-B', 'ViT-S from MAE-ViT-B'),
    arm('S', ['L'], 'MAE-L', 'ViT-S from MAE-ViT-L'),
    arm('S', ['L', 'B'], 'TinyMIM-B (from MAE-L)', 'ViT-S from TinyMIM-ViT-B (itself from MAE-ViT-L)'),
    arm('T', ['S'], 'MAE-S', 'ViT-T from MAE-ViT-S'),
    arm('T', ['B'], 'MAE-B', 'ViT-T from MAE-ViT-B'),
    arm('T', ['B', 'S'], 'TinyMIM-S (from MAE-B)', 'ViT-T from TinyMIM-ViT-S (itself from MAE-ViT-B)'),
  ],
  claims: [
    {
      name: 'sequence-above-larger-teacher',
      sentence: 'Distilling through a student of intermediate size beats distilling from the larger teacher directly.',
      source: 'section 4.2, Table 11',
      parts: [
        { type: 'greater', arm: 's-from-l-b', than: 's-from-l' },
        { type: 'greater', arm: 't-from-b-s', than: 't-from-b' },
      ],
    },
    {
      name: 'sequence-above-own-teacher-size',
      sentence: 'A distilled teacher beats a MAE teacher of the same size.',
      source: 'Table 11',
      parts: [
        { type: 'greater', arm: 's-from-l-b', than: 's-from-b' },
        { type: 'greater', arm: 't-from-b-s', than: 't-from-s' },
      ],
    },
  ],
  inconsistencies: [
    {
      text: 'The introduction writes the chain as ViT-B, ViT-S, ViT-T.',
      table: 'Table 3 has TinyMIM-B (from MAE-L) teach ViT-S; the last row of Table 11 has a TinyMIM-S that MAE-B taught.',
      source: 'section 1, Tables 3 and 11',
    },
  ],
  footnotes: [
    'A distilled teacher has the number of heads in its last block that it was distilled with (teacherHeads: distilled); the released code would rebuild it with those of its other blocks, and nothing says what the authors did. The ablation `readings` has an arm with rebuilt ones.',
    'Every student has the heads of its teacher in its last block. In the released code ViT-T and ViT-S have 12 and ViT-B has 16 there, whoever the teacher is: that fits MAE-B and MAE-L, and neither MAE-S nor a TinyMIM-S that is rebuilt with 6.',
  ],
});
