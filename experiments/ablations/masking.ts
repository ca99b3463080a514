/**
 * Table 12: masked input and MAE's reconstruction loss.
 *
 * Purpose   The student sees the whole image, or only the quarter of its patches that MAE would show, with and without
 *           MAE's reconstruction loss beside the relation loss.
 * Expected  The whole image is best; masking costs 0.7 points, of which the reconstruction loss returns 0.1.
 * Cost      Two distillations and fine-tunings beyond the default arm that Table 7 trains too.
 * Run       make sweep ARGS="--only masking"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

export default defineAblation<Factors>({
  name: 'masking',
  order: 4,
  title: 'Masked input and the MAE loss',
  table: 'Table 12',
  question: 'Should the student see masked images, as in MAE, and should it reconstruct them?',
  expected: 'Raw images are best; the reconstruction loss helps a masked student a little.',
  base: { student: 'B' },
  default: 'raw',
  arms: [
    { name: 'raw', label: 'Raw image (default)', sameAs: 'relation/qk-vv-softmax', published: published('Table 12', 'TinyMIM, raw image (default)') },
    { name: 'masked', label: 'Masked image', factors: { maskRatio: 0.75 }, published: published('Table 12', 'TinyMIM, masked image') },
    {
      name: 'masked-mim',
      label: 'Masked image and MAE loss',
      factors: { maskRatio: 0.75, reconstruction: 1 },
      published: published('Table 12', 'Integrated model: masked image + MAE loss'),
    },
  ],
  claims: [
    {
      name: 'raw-above-masked',
      sentence: 'Distillation on raw images beats distillation on masked ones.',
      source: 'section 4.2, Table 12',
      parts: [{ type: 'greater', arm: 'raw', than: 'masked' }],
    },
    {
      name: 'integrated-below-raw',
      sentence: 'Masked images with the MAE loss do not reach raw images without it.',
      source: 'section 4.2, Table 12',
      parts: [{ type: 'greater', arm: 'raw', than: 'masked-mim' }],
    },
  ],
  footnotes: [
    'What the teacher of a masked student sees is not published; here it sees the whole image, and relations are compared between the visible tokens. The ablation \u201creadings\u201d tries the other way.',
    'The mask ratio of the row without the MAE loss is not stated; it is taken to be the 75 % of the integrated model. Weight of the MAE loss: not published, 1 here.',
  ],
});
