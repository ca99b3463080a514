/**
 * Ours: what the paper leaves open, read in other ways.
 *
 * Purpose   Each arm of another table that rests on a reading of ours, beside the reading that was not taken: how class tokens
 *           become comparable, which loss relations without softmax have, whether features pass through the final norm,
 *           what the teacher of a masked student sees, how many heads the last block of a distilled teacher has, and who classifies
 *           for TinyMIM* in its fine-tuning, and how.
 * Expected  That which reading is taken makes no difference: each pair is a hypothesis of its own. A reading whose published value
 *           lies nearer speaks for itself at a scale where values compare.
 * Cost      Six distillations and fine-tunings beyond other tables, and two fine-tunings of TinyMIM*.
 * Run       make sweep ARGS="--only readings"
 */
import { defineAblation, type Claim } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

/** Two readings of one silence. */
const same = (name: string, what: string, taken: string, other: string): Claim => ({
  name,
  sentence: `It makes no difference ${what}.`,
  parts: [{ type: 'same', arm: other, than: taken }],
});

/** The student of TinyMIM*. */
const star = { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main' } satisfies Partial<Factors>;

export default defineAblation<Factors>({
  name: 'readings',
  title: 'What the paper leaves open',
  table: 'ours',
  question: 'Do conclusions hang on how we read what the paper does not say?',
  expected: 'No difference beyond the margin between the two readings of each.',
  base: { student: 'B' },
  default: 'class-token-kl',
  arms: [
    { name: 'class-token-kl', label: 'Class token, KL divergence (taken)', sameAs: 'class-token/class-token' },
    { name: 'class-token-mse', label: 'Class token, squared error', factors: { target: 'class-token', classTokenLoss: 'mse' } },
    { name: 'class-token-norm', label: 'Class token, KL divergence after the final norm', factors: { target: 'class-token', finalNorm: true } },
    { name: 'relation-mse', label: 'Relations without softmax, squared error (taken)', sameAs: 'relation/qk-vv' },
    { name: 'relation-smooth-l1', label: 'Relations without softmax, smooth L1', factors: { softmax: false, relationLoss: 'smooth-l1' } },
    { name: 'output-norm', label: 'Output feature after the final norm (taken)', sameAs: 'feature/output' },
    { name: 'output-raw', label: 'Output feature without the final norm', factors: { target: 'feature', feature: 'output', finalNorm: false } },
    { name: 'masked-whole', label: 'Masked student, teacher sees all (taken)', sameAs: 'masking/masked' },
    { name: 'masked-visible', label: 'Masked student, teacher sees as much', factors: { maskRatio: 0.75, teacherInput: 'visible' } },
    { name: 'teacher-heads-distilled', label: 'ViT-S from TinyMIM-B, its heads as distilled (taken)', sameAs: 'sequential/s-from-l-b' },
    { name: 'teacher-heads-rebuilt', label: 'ViT-S from TinyMIM-B, its heads rebuilt', factors: { student: 'S', teachers: ['L', 'B'], teacherHeads: 'rebuilt' } },
    { name: 'star-mae-l', label: 'TinyMIM*-T, from the class that MAE-L chooses (taken)', sameAs: 'headline/tinymim-star-t' },
    { name: 'star-tinymim-b', label: 'TinyMIM*-T, from the class that TinyMIM-B chooses', factors: { ...star, finetuneTeacher: 'B' } },
    { name: 'star-soft', label: 'TinyMIM*-T, from the distribution of MAE-L', factors: { ...star, finetuneTeacher: 'L', finetuneDistillation: 'soft' } },
  ],
  claims: [
    same('class-token-loss', 'whether class tokens are compared by KL divergence or by squared error', 'class-token-kl', 'class-token-mse'),
    same('class-token-norm', 'whether class tokens are compared before or after the final norm', 'class-token-kl', 'class-token-norm'),
    same('relation-loss', 'whether relations without softmax have a squared error or a smooth L1 loss', 'relation-mse', 'relation-smooth-l1'),
    same('output-norm', 'whether the output feature is taken before or after the final norm', 'output-norm', 'output-raw'),
    same('masked-teacher', 'whether the teacher of a masked student sees the whole image', 'masked-whole', 'masked-visible'),
    same('teacher-heads', 'whether the last block of a distilled teacher keeps the heads that it was distilled with', 'teacher-heads-distilled', 'teacher-heads-rebuilt'),
    same('star-teacher', 'whether MAE-L or TinyMIM-B classifies for TinyMIM* in its fine-tuning', 'star-mae-l', 'star-tinymim-b'),
    same('star-distillation', 'whether TinyMIM* is fine-tuned with the class that its teacher chooses or with its distribution', 'star-mae-l', 'star-soft'),
  ],
});
