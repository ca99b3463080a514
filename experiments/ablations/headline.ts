/**
 * Table 3: the main comparison, and Table 1 beside it.
 *
 * Purpose   DeiT, MAE and TinyMIM for ViT-T, S and B on the main schedule. TinyMIM-B learns from MAE-L, S from TinyMIM-B,
 *           T from TinyMIM-S. TinyMIM*-T is the same student, fine-tuned ten times as long with a teacher that classifies. The other
 *           methods are published numbers, shown and never run.
 * Expected  TinyMIM above MAE and DeiT at every size: by 4.2, 2.4 and 1.4 points over MAE. TinyMIM*-T 3.8 above TinyMIM-T.
 * Cost      The fine-tuning of TinyMIM*, and that of its teacher, MAE-L; segmenters on all arms, and of those of TinyMIM a second one on the
 *           fine-tuned classifier. All other arms are those of Table 8.
 * Run       make sweep ARGS="--only headline"
 */
import { defineAblation } from 'tinymim-ablations';
import type { Factors } from 'tinymim-ablations/tinymim';
import { published } from '../paper.ts';

const arms = (['T', 'S', 'B'] as const).flatMap(size => {
  const arm = (name: string, label: string, strategy: string, row: string) => ({
    name: `${name}-${size.toLowerCase()}`,
    label: `ViT-${size}, ${label}`,
    group: `ViT-${size}`,
    crossed: [label.charAt(0).toUpperCase() + label.slice(1), `ViT-${size}`] as const,
    sameAs: `strategy-size/${strategy}-${size.toLowerCase()}`,
    published: {
      accuracy: published('Table 3', `ViT-${size}: ${row}`),
      miou: published('Table 3', `ViT-${size}: ${row}`, 'mIoU'),
      ...(name === 'tinymim' && { 'miou-finetuned': published('Table 3', `ViT-${size}: ${row}`, 'mIoU with intermediate IN-1K fine-tuning') }),
    },
  });
  return [arm('scratch', 'from scratch', 'scratch', 'Scratch (DeiT)'), arm('mae', 'MAE', 'mae', size === 'B' ? 'MAE' : 'MAE (dagger: reproduced)'), arm('tinymim', 'TinyMIM', 'relation', 'TinyMIM')];
});

const STAR = 'ViT-T: TinyMIM* (1000-epoch DeiT-style KD fine-tune)';

/** Table 1 has the same model with the same number. */
const star = {
  name: 'tinymim-star-t',
  label: 'ViT-T, TinyMIM*',
  group: 'ViT-T',
  crossed: ['TinyMIM*', 'ViT-T'] as const,
  factors: { student: 'T', teachers: ['L', 'B', 'S'], schedule: 'main', finetuneTeacher: 'L' } satisfies Partial<Factors>,
  published: {
    accuracy: published('Table 3', STAR),
    'miou-finetuned': published('Table 3', STAR, 'mIoU with intermediate IN-1K fine-tuning'),
  },
};

/** Methods of which the paper has no mIoU. */
const WITHOUT_MIOU = ['CIM', 'SIM', 'MaskFeat', 'data2vec'];

function reference(table: string, row: string, label = row) {
  const measured = !WITHOUT_MIOU.some(method => row.endsWith(`: ${method}`));
  return { label, published: { accuracy: published(table, row), ...(measured && { miou: published(table, row, 'mIoU') }) } };
}

/** What Table 1 says of a model, without its classifier. */
const modelSize = (row: string) => `${published('Table 1', row, 'Params (M)').value.toFixed(1)} M parameters, ${published('Table 1', row, 'FLOPs (G)').value.toFixed(1)} GFLOPs`;

export default defineAblation<Factors>({
  name: 'headline',
  order: 8,
  title: 'Main comparison',
  table: 'Table 3',
  question: 'Does TinyMIM beat MAE and training from scratch at every model size?',
  expected: 'TinyMIM first at every size, and its lead grows as the model shrinks.',
  measures: ['accuracy', 'miou', 'miou-finetuned'],
  base: {},
  default: 'tinymim-b',
  arms: [...arms.slice(0, 3), star, ...arms.slice(3)],
  claims: (['T', 'S', 'B'] as const).map(size => ({
    name: `tinymim-above-all-${size.toLowerCase()}`,
    sentence: `TinyMIM beats MAE pre-training and training from scratch for ViT-${size}.`,
    source: 'section 4.1, Table 3',
    parts: [{ type: 'best' as const, arm: `tinymim-${size.toLowerCase()}`, of: [`mae-${size.toLowerCase()}`, `scratch-${size.toLowerCase()}`] }],
  })),
  references: [
    reference('Table 3', 'ViT-T: MoCo'),
    ...['MoCo', 'DINO', 'CIM'].map(method => reference('Table 3', `ViT-S: ${method}`)),
    ...['BEiT (DALLE250M+IN22K+IN1K tokenizer data)', 'SIM', 'CAE (DALLE250M+IN22K+IN1K tokenizer data)', 'MaskFeat', 'SdAE', 'data2vec', 'PeCo (300 ep)', 'PeCo (800 ep)'].map(method =>
      reference('Table 3', `ViT-B: ${method}`),
    ),
    ...['DeiT-T', 'PVT-T', 'CiT-T', 'Swin', 'EdgeViT-XS', 'MobileViTv1-S', 'MobileViTv3-S'].map(model => ({ ...reference('Table 1', model, `${model} (Table 1)`), note: modelSize(model) })),
  ],
  footnotes: [
    `TinyMIM*-T has in Table 1: ${modelSize('TinyMIM*-T')}.`,
    'TinyMIM*-T has 79.6 in Tables 1 and 3. Readings where the paper is silent: the fine-tuned MAE-L classifies for it, by the class that it would choose (hard distillation, as in the command of README_deit.md); its heads read class and distillation token. The ablation `readings` has other teachers and soft distillation.',
    "The segmenter of TinyMIM*-T, in the pictures too, is that on its fine-tuned classifier, of which it has the blocks, as those of the others have. The released one (Segmentation/TinyMIMstar-T) has the distillation token, too, takes its last map behind the layer to 1280 features, and widens the pyramid to ViT-B's 768 channels.",
  ],
});
