/**
 * Ours: colour jitter of the student's image.
 *
 * Purpose   The released code jitters the student's image alone, which the paper's text does not mention.
 * Expected  Unknown, small. Grey images have brightness and contrast to jitter, no saturation.
 * Cost      One distillation and fine-tuning beyond the default arm.
 * Run       make sweep ARGS="--only jitter"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'jitter',
  title: "Colour jitter of the student's image",
  table: 'ours',
  question: 'Does it help that the student sees other colours than its teacher?',
  expected: 'Unknown; the released code has it on.',
  base: { student: 'B' },
  default: 'on',
  arms: [
    { name: 'on', label: 'With jitter (default)', sameAs: 'relation/qk-vv-softmax' },
    { name: 'off', label: 'Without jitter', factors: { jitter: false } },
  ],
});
