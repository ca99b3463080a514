/**
 * Table 6: which features to distill.
 *
 * Purpose   A ViT-B student matches features of block 18 of 24 of a MAE pre-trained ViT-L through a linear projection, the
 *           teacher's features whitened by a LayerNorm without affine parameters, smooth L1 with beta 2 (eq. 7, 8).
 * Expected  Features inside a block, before the residual connection, beat the MAE baseline by 0.5 to 0.7 points; after it
 *           they fall 1.8 to 2.3 points below.
 * Cost      Six distillations and six fine-tunings beyond what other tables need.
 * Run       make sweep ARGS="--only feature"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const arm = (name: string, label: string, feature: Factors['feature'], row: string) => ({
  name,
  label,
  factors: { feature },
  published: published('Table 6', row),
});

export default defineAblation<Factors>({
  name: 'feature',
  order: 2,
  title: 'Which features to distill',
  table: 'Table 6',
  question: 'Which feature of a block is the best target, and does it matter whether it is taken before the residual connection?',
  expected: 'Q/K/V features best; FFN and attention features good before the residual connection and bad after it.',
  base: { student: 'B', target: 'feature' },
  default: 'qkv',
  arms: [
    { name: 'mae', label: 'MAE baseline', sameAs: 'relation/mae', published: published('Table 6', 'MAE baseline') },
    arm('output', 'Output feature', 'output', 'Output feature'),
    arm('ffn', 'FFN feature, before the residual', 'ffn', 'FFN feature, before residual'),
    arm('ffn-residual', 'FFN feature, after the residual', 'ffn-residual', 'FFN feature, after residual'),
    arm('attention', 'Attention feature, before the residual', 'attention', 'Attention feature, before residual'),
    arm('attention-residual', 'Attention feature, after the residual', 'attention-residual', 'Attention feature, after residual'),
    arm('qkv', 'Q/K/V features', 'qkv', 'Q/K/V features'),
  ],
  claims: [
    {
      name: 'ffn-before-residual',
      sentence: 'The FFN feature is a better target before the residual connection than after it.',
      source: 'section 4.2, Table 6',
      parts: [{ type: 'greater', arm: 'ffn', than: 'ffn-residual' }],
    },
    {
      name: 'attention-before-residual',
      sentence: 'The attention feature is a better target before the residual connection than after it.',
      source: 'section 4.2, Table 6',
      parts: [{ type: 'greater', arm: 'attention', than: 'attention-residual' }],
    },
    {
      name: 'features-above-mae',
      sentence: 'Features inside a block, before the residual connection, beat the MAE baseline.',
      source: 'section 4.2, Table 6',
      parts: ['ffn', 'attention', 'qkv'].map(feature => ({ type: 'greater' as const, arm: feature, than: 'mae' })),
    },
    {
      name: 'qkv-best-feature',
      sentence: 'Q/K/V features are the best of all features.',
      source: 'section 4.2, Table 6',
      parts: [{ type: 'best', arm: 'qkv', of: ['output', 'ffn', 'ffn-residual', 'attention', 'attention-residual'] }],
    },
  ],
  inconsistencies: [
    {
      text: 'The prose under equation 2 calls the tensor after the residual the attention feature and the one before it the FFN feature.',
      table: 'Table 6 lists both features with and without the residual; the arms follow the table.',
      source: 'section 3 (equation 2), Table 6',
    },
  ],
  footnotes: [
    'After its residual connection the FFN feature is the output of the block. The output feature is that of the last block, after the final norm of its network as in Feature-Distillation (the paper does not say); the FFN feature is taken from block 18 without it.',
    'The paper leaves open whether Q/K/V features have one loss or three; here there are three, each with a projection of its own, summed.',
  ],
});
