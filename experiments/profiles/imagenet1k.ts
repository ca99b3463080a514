/**
 * imagenet1k: the paper's own recipe, on GPUs.
 *
 * Purpose   The scale of the published numbers. Every value has its source in `sources`, or the reason for assuming it.
 * Cost      ablate plan --profile imagenet1k prints stages, images, FLOPs and GPU-hours.
 * Run       ablate setup --data imagenet1k=/path/to/imagenet, ablate import, ablate sweep --profile imagenet1k. No card has run it yet.
 */
import type { ProfileDeclaration } from 'tinymim-ablations/tinymim';

const MAE = 'facebookresearch/mae, PRETRAIN.md and main_pretrain.py';
const MAE_FINETUNE = 'facebookresearch/mae, FINETUNE.md';
const TINYMIM = 'OliverRensu/TinyMIM, README.md and main_pretrain.py';
const TINYMIM_MODELS = 'OliverRensu/TinyMIM, models_tinymim.py';
const TINYMIM_FINETUNE = 'OliverRensu/TinyMIM, README.md and main_finetune.py';
const TINYMIM_STAR = 'OliverRensu/TinyMIM, Segmentation/TinyMIMstar-T/backbone/mae.py';
const DEIT = 'facebookresearch/deit, README_deit.md and main.py';
const CROP_RATIO = "assumed: torchvision's default; the official code is known to us by its range of scales";
const CROP = "assumed: timm's defaults, which nothing that we know changes";
const FLIP = "assumed: timm's default, which nothing that we know changes";

const pretraining = {
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.95] },
  augment: { crop: { scale: [0.2, 1], ratio: [3 / 4, 4 / 3] }, flip: true },
} satisfies Partial<ProfileDeclaration['pretrain']>;
const classification = {
  optimizer: { weight_decay: 0.05, betas: [0.9, 0.999] },
  augment: {
    crop: { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
    flip: true,
    rand_augment: 'rand-m9-mstd0.5-inc1',
    random_erase: 0.25,
    mixing: { mixup: 0.8, cutmix: 1, switch_prob: 0.5 },
  },
  label_smoothing: 0.1,
} satisfies Partial<ProfileDeclaration['supervise']>;

export default {
  name: 'imagenet1k',
  title: "ImageNet-1K with the paper's recipe",
  seeds: [0],
  verdicts: { margin: 0.16, source: 'twice the standard deviation of four seeds of MAE ViT-B (facebookresearch/mae, FINETUNE.md)' },
  teacher_seed: 0,
  data: { name: 'imagenet1k' },
  unlabelled_images: null,
  labelled_images: null,
  model: {
    image_size: [224, 224],
    patch_size: 16,
    in_chans: 3,
    mlp_ratio: 4,
    sizes: {
      T: { embed_dim: 192, depth: 12, num_heads: 6, classifier_heads: 3 },
      S: { embed_dim: 384, depth: 12, num_heads: 6 },
      B: { embed_dim: 768, depth: 12, num_heads: 12 },
      L: { embed_dim: 1024, depth: 24, num_heads: 16 },
    },
  },
  teachers: {
    L: { checkpoint: 'mae-vit-l', file: 'mae_pretrain_vit_large.pth' },
    B: { checkpoint: 'mae-vit-b', file: 'mae_pretrain_vit_base.pth' },
  },
  pretrain: {
    ...pretraining,
    schedule: { epochs: 1600, warmup_epochs: 40, batch_size: 4096, accumulation_steps: 16, base_lr: 1.5e-4, min_lr: 0 },
    decoder: { embed_dim: 512, depth: 8, num_heads: 16, mlp_ratio: 4 },
    mask_ratio: 0.75,
    norm_pix_loss: true,
  },
  distill: {
    ...pretraining,
    schedule: { epochs: 100, warmup_epochs: 5, batch_size: 4096, accumulation_steps: 16, base_lr: 1.5e-4, min_lr: 0 },
    jitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 },
  },
  finetune: {
    ...classification,
    schedule: { epochs: 100, warmup_epochs: 5, batch_size: 1024, accumulation_steps: 4, base_lr: 5e-4, min_lr: 1e-6 },
    layer_decay: 0.65,
    drop_path: 0.2,
    sizes: { L: { epochs: 50, base_lr: 1e-3, layer_decay: 0.75, drop_path: 0.2 } },
    mae: { drop_path: 0.1 },
  },
  finetune_with_teacher: { epochs: 1000, num_heads: 12, feature_dim: 1280, alpha: 0.5, tau: 1 },
  supervise: {
    ...classification,
    optimizer: { ...classification.optimizer, ema_decay: 0.99996 },
    init: 'trunc_normal',
    pos_embed: 'learned',
    pool: 'class_token',
    augment: { ...classification.augment, repeats: 3 },
    schedule: { epochs: 300, warmup_epochs: 5, batch_size: 1024, accumulation_steps: 4, base_lr: 2.5e-4, min_lr: 1e-5 },
    drop_path: 0.1,
  },
  evaluate: { batch_size: 250, crop: { resize: 256 } },
  robustness: { imagenet_a: { name: 'imagenet-a' }, imagenet_r: { name: 'imagenet-r' }, imagenet_c: { name: 'imagenet-c' } },
  comparable: true,
  sources: {
    seeds: 'assumed: the paper repeats no run',
    teacher_seed: 'assumed: of the MAE ViT-S, for which no checkpoint is released',
    data: 'ImageNet-1K, 1,281,167 training images and the 50,000 of its validation split as the test (paper, section 4)',
    unlabelled_images: 'paper, section 4: all of ImageNet-1K',
    labelled_images: 'paper, section 4: all of ImageNet-1K',
    'model.image_size': TINYMIM,
    'model.patch_size': TINYMIM,
    'model.in_chans': TINYMIM_MODELS,
    'model.mlp_ratio': TINYMIM_MODELS,
    'model.sizes.T': `${TINYMIM_MODELS} (6 heads in pre-training) and models_vit.py (3 in fine-tuning, as DeiT)`,
    'model.sizes.T.num_heads': `assumed: that MAE pre-training has the 6 of ${TINYMIM_MODELS}, too; the heads of the paper's own MAE ViT-T are not stated`,
    'model.sizes.S': `${TINYMIM_MODELS} and models_vit.py`,
    'model.sizes.B': `${TINYMIM_MODELS} and models_vit.py`,
    'model.sizes.L': 'facebookresearch/mae, models_mae.py (mae_vit_large_patch16)',
    'teachers.L': 'facebookresearch/mae, README.md: the pre-trained checkpoint of ViT-Large (OliverRensu/TinyMIM, issue 9), CC BY-NC 4.0; timm has it as vit_large_patch16_224.mae',
    'teachers.B': "assumed: the paper's MAE ViT-B is the pre-trained checkpoint of ViT-Base in facebookresearch/mae, README.md, CC BY-NC 4.0; timm has it as vit_base_patch16_224.mae",
    'pretrain.schedule.epochs': `${MAE_FINETUNE}: released checkpoints have 1600 epochs; the paper's own ViT-T and ViT-S as well (Table 3)`,
    'pretrain.schedule.warmup_epochs': MAE,
    'pretrain.schedule.batch_size': MAE,
    'pretrain.schedule.accumulation_steps': 'assumed: 256 images at a time fit one GPU; the sum is the published batch',
    'pretrain.schedule.base_lr': MAE,
    'pretrain.schedule.min_lr': MAE,
    'pretrain.sizes': `${MAE}: one recipe for all sizes`,
    'pretrain.optimizer': MAE,
    'pretrain.augment': MAE,
    'pretrain.augment.crop.ratio': CROP_RATIO,
    'pretrain.decoder': "assumed: MAE's decoder for every size; the decoder of the paper's own MAE ViT-T and ViT-S is not stated (facebookresearch/mae, models_mae.py has it for B and L)",
    'pretrain.mask_ratio': MAE,
    'pretrain.norm_pix_loss': MAE,
    'distill.schedule.epochs': 'paper, section 4.2: 100 epochs for ablations; 300 for main results is schedule `main`',
    'distill.schedule.warmup_epochs': 'assumed: the README has 15 epochs of 300; the same share of 100, which the paper does not state',
    'distill.schedule.batch_size': `${TINYMIM}; issue 2`,
    'distill.schedule.accumulation_steps': 'assumed: 256 images at a time fit one GPU; the sum is the published batch',
    'distill.schedule.base_lr': TINYMIM,
    'distill.schedule.min_lr': 'OliverRensu/TinyMIM, util/lr_sched.py',
    'distill.optimizer': TINYMIM,
    'distill.augment': TINYMIM,
    'distill.augment.crop.ratio': CROP_RATIO,
    'distill.jitter': TINYMIM,
    'finetune.schedule.epochs': TINYMIM_FINETUNE,
    'finetune.schedule.warmup_epochs': TINYMIM_FINETUNE,
    'finetune.schedule.batch_size': `assumed: ViT-B's of ${TINYMIM_FINETUNE}; for T and S the author names a larger batch without its value (issue 5)`,
    'finetune.schedule.accumulation_steps': 'assumed: 256 images at a time fit one GPU; the sum is the published batch',
    'finetune.schedule.base_lr': `assumed: ViT-B's of ${TINYMIM_FINETUNE}; for T and S the author names a higher rate without its value (issue 5)`,
    'finetune.schedule.min_lr': TINYMIM_FINETUNE,
    'finetune.optimizer': TINYMIM_FINETUNE,
    'finetune.augment': TINYMIM_FINETUNE,
    'finetune.augment.crop': CROP,
    'finetune.augment.flip': FLIP,
    'finetune.augment.repeats': 'assumed: once an epoch; no repeated augmentation is named',
    'finetune.pool': `${TINYMIM_FINETUNE} and models_vit.py`,
    'finetune.drop_path': `assumed: ViT-B's of ${TINYMIM_FINETUNE} for T and S, too`,
    'finetune.layer_decay': `assumed: ViT-B's of ${TINYMIM_FINETUNE} for T and S, too`,
    'finetune.label_smoothing': TINYMIM_FINETUNE,
    'finetune.sizes.L': MAE_FINETUNE,
    'finetune.mae': `assumed: ${MAE_FINETUNE} has drop path 0.1 for ViT-B, whose other values are those of the distilled students; taken for T and S, too, of which nothing is stated`,
    finetune_with_teacher:
      "assumed: what is not named here is as in fine-tuning, of which the paper has the length alone; heads on class and distillation token, as the author says 'like DeiT' (issue 6); the new token's position starts at zero, as the class token's",
    'finetune_with_teacher.epochs': 'paper, Table 3: 1000 epochs',
    'finetune_with_teacher.num_heads': TINYMIM_STAR,
    'finetune_with_teacher.feature_dim': `assumed: ${TINYMIM_STAR} has LayerNorm, a linear layer from 192 to 1280 and GELU after the last block; that the heads read it, with no other norm between, is ours`,
    'finetune_with_teacher.alpha': `assumed: the default of ${DEIT}`,
    'finetune_with_teacher.tau': `assumed: the default of ${DEIT}`,
    'supervise.schedule.epochs': `assumed: ${DEIT}, without the 10 epochs of cool-down at the least rate that its arguments name, too`,
    'supervise.schedule.warmup_epochs': `assumed: ${DEIT}; there from a rate of 1e-6, here from 0`,
    'supervise.schedule.batch_size': `${DEIT}: 4 x 256 for T and S, 2 x 8 x 64 for B`,
    'supervise.schedule.accumulation_steps': 'assumed: 256 images at a time fit one GPU; the sum is the published batch',
    'supervise.schedule.base_lr': `${DEIT}: 5e-4 per 512 images`,
    'supervise.schedule.min_lr': DEIT,
    'supervise.optimizer.weight_decay': DEIT,
    'supervise.optimizer.betas': "assumed: AdamW's default, as in fine-tuning; DeiT names its epsilon alone",
    'supervise.optimizer.ema_decay': `assumed: ${DEIT}; that the average is what is tested: there it is kept beside the weights, and which of the two a published number is of is not stated`,
    'supervise.init': "assumed: DeiT's models are those of timm, which draws linear layers so; stated in no source of ours",
    'supervise.pos_embed': "assumed: DeiT's models are those of timm, whose positions are learned; stated in no source of ours",
    'supervise.pool': "assumed: DeiT's models are those of timm, which classify by the class token; stated in no source of ours",
    'supervise.augment': `${DEIT}; its colour jitter is replaced by RandAugment there`,
    'supervise.augment.crop': CROP,
    'supervise.augment.flip': FLIP,
    'supervise.drop_path': `assumed: ${DEIT} for T, S and B; for L no recipe is stated`,
    'supervise.label_smoothing': DEIT,
    'evaluate.split': "OliverRensu/TinyMIM, util/datasets.py: ImageNet's validation images, which are the test split here",
    'evaluate.batch_size': 'assumed: changes no number but the order of a sum',
    'evaluate.crop': 'OliverRensu/TinyMIM, util/datasets.py',
    'robustness.imagenet_a': 'hendrycks/natural-adv-examples, eval.py: top-1 among the 200 classes, of images resized to 256 and cut to 224',
    'robustness.imagenet_r': 'hendrycks/imagenet-r, eval.py: top-1 among the 200 classes, of images resized to 256 and cut to 224',
    'robustness.imagenet_c': 'hendrycks/robustness, ImageNet-C/test.py: the images as they are; errors of AlexNet as in google-research/augmix, imagenet.py',
    'engine.mode': 'assumed: how a step is computed changes its last digits only',
    'engine.precision': 'assumed: float32, as everywhere here; the official code trains with mixed precision of float16 (facebookresearch/mae, main_pretrain.py)',
    'throughput.precisions':
      "assumed: peaks of NVIDIA's data sheet of the A100 (dense); a training reaches 70 % of that of float32 and, fed by the same memory, 40 % of those of tensor cores; not measured",
  },
  throughput: {
    device: 'A100 GPU',
    precisions: {
      float32: { peak_flops_per_second: 19.5e12, sustained: 0.7 },
      tf32: { peak_flops_per_second: 156e12, sustained: 0.4 },
      bfloat16: { peak_flops_per_second: 312e12, sustained: 0.4 },
    },
    source: "NVIDIA's data sheet of the A100, dense; the share is assumed, not measured",
  },
} satisfies ProfileDeclaration;
