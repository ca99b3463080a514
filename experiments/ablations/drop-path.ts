/**
 * Table 13: drop path of teacher and student.
 *
 * Purpose   Drop path rates 0 to 0.3 in the student's blocks during distillation, and 0.1 in the teacher's.
 * Expected  0.1 in the student and none in the teacher is best, by 0.3 points over its neighbours.
 * Cost      Four distillations and fine-tunings beyond the default arm that Table 7 trains too.
 * Run       make sweep ARGS="--only drop-path"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const arm = (name: string, teacherDropPath: number, studentDropPath: number, row: string) => ({
  name,
  label: `Teacher ${teacherDropPath}, student ${studentDropPath}`,
  at: studentDropPath,
  group: `Teacher ${teacherDropPath}`,
  factors: { teacherDropPath, studentDropPath },
  published: published('Table 13', row),
});

export default defineAblation<Factors>({
  name: 'drop-path',
  order: 6,
  title: 'Drop path',
  table: 'Table 13',
  question: 'How much drop path should the student have, and does the teacher want any?',
  expected: 'A little drop path in the student helps (0.1); in the teacher it hurts.',
  axis: 'drop path rate of the student',
  base: { student: 'B' },
  default: 'student-01',
  arms: [
    arm('none', 0, 0, 'teacher 0.0 / student 0.0'),
    {
      name: 'student-01',
      label: 'Teacher 0, student 0.1 (default)',
      at: 0.1,
      group: 'Teacher 0',
      sameAs: 'relation/qk-vv-softmax',
      published: published('Table 13', 'teacher 0.0 / student 0.1 (default)'),
    },
    arm('student-02', 0, 0.2, 'teacher 0.0 / student 0.2'),
    arm('student-03', 0, 0.3, 'teacher 0.0 / student 0.3'),
    arm('both-01', 0.1, 0.1, 'teacher 0.1 / student 0.1'),
  ],
  claims: [
    {
      name: 'student-drop-path-01-best',
      sentence: 'A drop path rate of 0.1 is best for the student.',
      source: 'section 4.2, Table 13',
      parts: [{ type: 'best', arm: 'student-01', of: ['none', 'student-02', 'student-03'] }],
    },
    {
      name: 'teacher-without-drop-path',
      sentence: 'Drop path in the teacher hurts.',
      source: 'section 4.2, Table 13',
      parts: [{ type: 'greater', arm: 'student-01', than: 'both-01' }],
    },
  ],
  footnotes: ['As in the released code the rate is the same in all blocks of the student but the last, which has none; the teacher is treated likewise, for which there is no code.'],
});
