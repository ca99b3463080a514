/**
 * Ours: how much of the image the student may miss.
 *
 * Purpose   The paper compares the raw image with one masked by 75 %; here the ratios between.
 * Expected  A fall with the ratio, from the default to Table 12's masked row, both published; the paper says nothing about the way between.
 * Cost      Two distillations and fine-tunings beyond other tables.
 * Run       make sweep ARGS="--only mask-ratio"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

export default defineAblation<Factors>({
  name: 'mask-ratio',
  title: 'Mask ratio of the student',
  table: 'ours',
  question: 'How does accuracy fall with the share of patches that the student does not see?',
  expected: 'It falls with the ratio.',
  axis: 'patches masked (%)',
  base: { student: 'B' },
  default: 'mask-0',
  arms: [
    { name: 'mask-0', label: 'Raw image (default)', at: 0, sameAs: 'relation/qk-vv-softmax', published: published('Table 12', 'TinyMIM, raw image (default)') },
    { name: 'mask-25', label: '25 % masked', at: 25, factors: { maskRatio: 0.25 } },
    { name: 'mask-50', label: '50 % masked', at: 50, factors: { maskRatio: 0.5 } },
    { name: 'mask-75', label: '75 % masked', at: 75, sameAs: 'masking/masked', published: published('Table 12', 'TinyMIM, masked image') },
  ],
  footnotes: ['Published are the two rows of Table 12 without the MAE loss. The ratio of its masked row is not stated; it is taken to be the 75 % of the integrated model.'],
});
