/** The steps that are timed, as plain data that both sides read: recipes in the words of `src/tinymim/stages/recipes.ts`. */
import type { DecoderConfig, ViTConfig } from '../../../src/tinymim/nn/config.ts';
import { MAE_DECODER, VIT_SIZES } from '../../helpers/paper-sizes.ts';
import type { DistillTarget } from '../../../src/tinymim/stages/recipes.ts';

interface CaseBase {
  readonly name: string;
  readonly title: string;
  readonly batch: number;
  readonly model: ViTConfig;
  readonly optimizer: { readonly weight_decay: number; readonly betas: readonly [number, number] };
  /** Of every step: the curves are compared, so the rate is large enough to move the loss. */
  readonly lr: number;
  /** Per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Inputs beside the images, in the order in which PyTorch's objective takes them. */
  readonly inputs: readonly string[];
}

export interface DistillCase extends CaseBase {
  readonly kind: 'distill';
  readonly teacher: ViTConfig;
  readonly teacher_block: number;
  readonly target: DistillTarget;
}

interface PretrainCase extends CaseBase {
  readonly kind: 'pretrain';
  readonly decoder: DecoderConfig;
  readonly mask_ratio: number;
}

interface FinetuneCase extends CaseBase {
  readonly kind: 'finetune';
  readonly classes: number;
  readonly layer_decay: number;
}

export type StepCase = DistillCase | PretrainCase | FinetuneCase;

const rgb = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const pretraining = { ...rgb, optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] as const }, lr: 3e-4, inputs: [] };
const relation: DistillTarget = { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' };

const small = { image_size: [32, 32] as const, patch_size: 4, in_chans: 3, mlp_ratio: 4 };
const large = { image_size: [224, 224] as const, patch_size: 16, in_chans: 3, mlp_ratio: 4 };
const desk = { image_size: [28, 28] as const, patch_size: 7, in_chans: 1, mlp_ratio: 4 };

/** The teacher is a TinyMIM-S, whose last block has the heads that the student's is aligned to. */
const vitS: ViTConfig = { ...large, embed_dim: 384, depth: 12, num_heads: VIT_SIZES.small.heads.pretrain, last_block_heads: VIT_SIZES.small.heads.last_block };
const vitT: ViTConfig = { ...large, embed_dim: 192, depth: 12, num_heads: VIT_SIZES.tiny.heads.pretrain, last_block_heads: VIT_SIZES.tiny.heads.last_block };

export const CASES: readonly StepCase[] = [
  {
    ...pretraining,
    name: 'distill-32',
    title: 'Distillation, 64 x 32x32 (65 tokens), width 192 teaches 128',
    kind: 'distill',
    batch: 64,
    model: { ...small, embed_dim: 128, depth: 8, num_heads: 4, last_block_heads: 8 },
    teacher: { ...small, embed_dim: 192, depth: 12, num_heads: 8 },
    teacher_block: 9,
    target: relation,
  },
  {
    ...pretraining,
    name: 'distill-224',
    title: 'Distillation, 8 x 224x224 (197 tokens), ViT-S teaches ViT-T',
    kind: 'distill',
    batch: 8,
    model: vitT,
    teacher: vitS,
    teacher_block: 12,
    target: relation,
  },
  {
    ...pretraining,
    name: 'pretrain-32',
    title: 'MAE pre-training, 64 x 32x32 (17 of 65 tokens), width 192',
    kind: 'pretrain',
    batch: 64,
    model: { ...small, embed_dim: 192, depth: 12, num_heads: 8 },
    decoder: { ...MAE_DECODER, embed_dim: 128, depth: 4, num_heads: 8 },
    mask_ratio: 0.75,
    inputs: ['ids_keep', 'ids_restore', 'mask'],
  },
  {
    ...rgb,
    name: 'finetune-224',
    title: 'Fine-tuning with layer decay, 8 x 224x224 (197 tokens), ViT-T',
    kind: 'finetune',
    batch: 8,
    model: { ...large, embed_dim: 192, depth: 12, num_heads: VIT_SIZES.tiny.heads.finetune },
    classes: 1000,
    layer_decay: 0.65,
    optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
    lr: 1e-3,
    inputs: ['targets'],
  },
];

/** A distillation of the sweep (profile `desk`), on one thread as there: what the sweep's bound is reckoned from. */
export const SWEEP_STEP: StepCase = {
  ...pretraining,
  name: 'distill-desk',
  title: 'Distillation of the sweep, 256 x 28x28 (17 tokens), width 128 teaches 64, one thread',
  kind: 'distill',
  batch: 256,
  mean: [0.286],
  std: [0.353],
  model: { ...desk, embed_dim: 64, depth: 4, num_heads: 4, last_block_heads: 8 },
  teacher: { ...desk, embed_dim: 128, depth: 8, num_heads: 8 },
  teacher_block: 6,
  target: relation,
};
