/**
 * Ours: the adaptive last block.
 *
 * Purpose   The student's last block has the teacher's number of heads, so that relations compare head by head. Without that,
 *           relations are averaged over the heads of each network, the simplest comparison of unequal numbers of heads.
 * Expected  Alignment helps; the paper has no such table (its figure lists the number of heads as a factor).
 * Cost      One distillation and fine-tuning beyond the default arm.
 * Run       make sweep ARGS="--only head-alignment"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';

export default defineAblation<Factors>({
  name: 'head-alignment',
  title: 'Head alignment',
  table: 'ours',
  question: 'Does it matter that relations are compared head by head?',
  expected: 'Head by head is better.',
  base: { student: 'B' },
  default: 'aligned',
  arms: [
    { name: 'aligned', label: 'Heads aligned (default)', sameAs: 'relation/qk-vv-softmax' },
    { name: 'averaged', label: 'Averaged over heads', factors: { headAlignment: false } },
  ],
});
