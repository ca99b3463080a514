/**
 * Table 5: distilling the class token.
 *
 * Purpose   A ViT-B student matches the class token of a MAE pre-trained ViT-L, alone and together with MAE's own
 *           reconstruction loss. The paper leaves open how features become distributions and how widths are matched: here a
 *           linear projection to the teacher's width, then KL divergence of softmaxes over features (eq. 6).
 * Expected  Below the MAE baseline by 3.0 points; with the reconstruction loss by 1.5.
 * Cost      Two distillations and two fine-tunings beyond what other tables need.
 * Run       make sweep ARGS="--only class-token"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

export default defineAblation<Factors>({
  name: 'class-token',
  order: 1,
  title: 'Distilling the class token',
  table: 'Table 5',
  question: "Is the class token a good target, and does MAE's reconstruction loss help it?",
  expected: 'Class token distillation stays below the MAE baseline; the reconstruction loss raises it without closing the gap.',
  base: { student: 'B' },
  default: 'mae',
  arms: [
    { name: 'mae', label: 'MAE baseline', sameAs: 'relation/mae', published: published('Table 5', 'MAE baseline') },
    { name: 'class-token', label: 'Class token', factors: { target: 'class-token' }, published: published('Table 5', 'TinyMIM w/ Cls') },
    {
      name: 'class-token-mim',
      label: 'Class token and MAE loss',
      factors: { target: 'class-token', maskRatio: 0.75, reconstruction: 1 },
      published: published('Table 5', 'TinyMIM w/ Cls + reconstruction'),
    },
  ],
  claims: [
    {
      name: 'class-token-below-mae',
      sentence: 'Distilling the class token does worse than MAE pre-training of the same model.',
      source: 'section 4.2, Table 5',
      parts: [{ type: 'greater', arm: 'mae', than: 'class-token' }],
    },
    {
      name: 'mae-loss-helps-class-token',
      sentence: 'The MAE reconstruction loss raises class token distillation, but it stays below the MAE baseline.',
      source: 'section 4.2, Table 5',
      parts: [
        { type: 'greater', arm: 'class-token-mim', than: 'class-token' },
        { type: 'greater', arm: 'mae', than: 'class-token-mim' },
      ],
    },
  ],
  footnotes: ['The weight of the reconstruction loss is not published; both losses have weight 1 here. The teacher sees the whole image.'],
});
