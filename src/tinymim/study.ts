/** TinyMIM as a study: what joins the declarations of `experiments/` to the stages of `src/stages`. */
import { defineStudy } from '../ablation/define.ts';
import { dataTitle, imageCount } from '../data/spec.ts';
import { kinds } from '../stages/kinds.ts';
import { factors, type Factors } from './factors.ts';
import { profile, type Profile } from './profile.ts';
import { realise } from './realise.ts';

const size = ({ embed_dim, depth, num_heads }: { embed_dim: number; depth: number; num_heads: number }): string =>
  `width ${embed_dim}, depth ${depth}, heads ${num_heads}`;

const epochs = (stage: { schedule: { epochs: number; batch_size: number; base_lr: number } }): string =>
  `${stage.schedule.epochs} epochs, batch ${stage.schedule.batch_size}, base rate ${stage.schedule.base_lr} per 256 images`;

const images = (count: number | null, all: number): string => (count ?? all).toLocaleString('en-US');

function facts(p: Profile): { label: string; value: string }[] {
  const train = imageCount(p.data, 'train');
  return [
    { label: 'Data', value: dataTitle(p.data) },
    { label: 'Images', value: `${images(p.unlabelled_images, train)} without labels, ${images(p.labelled_images, train)} with, ${images(imageCount(p.data, 'test'), 0)} for the test` },
    { label: 'Tokens', value: `${(p.model.image_size[0] / p.model.patch_size) * (p.model.image_size[1] / p.model.patch_size)} patches of ${p.model.patch_size} x ${p.model.patch_size} pixels and a class token` },
    ...(['L', 'B', 'S', 'T'] as const).map(s => ({ label: `ViT-${s}`, value: size(p.model.sizes[s]) })),
    { label: 'MAE pre-training', value: `${epochs(p.pretrain)}, mask ratio ${p.pretrain.mask_ratio}` },
    { label: 'Distillation', value: epochs(p.distill) },
    { label: 'Fine-tuning', value: `${epochs(p.finetune)}, layer decay ${p.finetune.layer_decay}` },
    { label: 'From scratch', value: epochs(p.supervise) },
  ];
}

export default defineStudy<Factors, Profile>({
  name: 'TinyMIM',
  factors,
  profile,
  kinds,
  realise,
  report: {
    headline: { role: 'evaluate', metric: 'accuracy', standardError: 'accuracy_se' },
    columns: [
      { role: 'distill', metric: 'val_loss', label: 'held-out distillation loss' },
      { role: 'distill', metric: 'val_loss_untrained', label: 'untrained student' },
      { role: 'distill', metric: 'val_loss_ratio', label: 'ratio' },
    ],
    curves: [
      { role: 'distill', metric: 'loss', title: 'Distillation loss' },
      { role: 'pretrain', metric: 'loss', title: 'MAE reconstruction loss' },
      { role: 'finetune', metric: 'val_accuracy', title: 'Validation accuracy in fine-tuning' },
      { role: 'supervise', metric: 'val_accuracy', title: 'Validation accuracy from scratch' },
    ],
    ownRoles: ['pretrain', 'distill', 'finetune', 'supervise', 'evaluate'],
    notes: p =>
      p.comparable
        ? []
        : [
            `${dataTitle(p.data)} at this scale compares order and sign with the paper, not values: the published numbers are top-1 on ImageNet-1K with far larger models and far longer schedules.`,
          ],
    comparable: p => p.comparable,
    publishedNoise: { value: 0.16, source: 'twice the standard deviation of four seeds of MAE ViT-B (facebookresearch/mae, FINETUNE.md)' },
    facts,
  },
});
