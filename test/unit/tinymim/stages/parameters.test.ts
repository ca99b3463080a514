import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject, StageKind } from '../../../../src/core/ablation/kind.ts';
import { classifierSpec, decoderSpec, encoderSpec, maeSpec, type ModelSpec } from '../../../../src/tinymim/nn/spec.ts';
import { kinds } from '../../../../src/tinymim/stages/kinds.ts';
import { studentSpec } from '../../../../src/tinymim/stages/distill-objective.ts';
import { classifierParameters, decoderParameters, distillExtras, encoderParameters } from '../../../../src/tinymim/stages/parameters.ts';
import type { DistillRecipe, PretrainRecipe, SuperviseRecipe, VitRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { classifierShape, distillShape, pretrainShape } from '../../../../src/tinymim/stages/shape.ts';

const count = (spec: ModelSpec): number => Object.values(spec).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
const model = (changes: Partial<VitRecipe> = {}): VitRecipe => ({ image_size: [28, 56], patch_size: 7, in_chans: 3, embed_dim: 24, depth: 3, num_heads: 4, mlp_ratio: 3.5, ...changes });
const decoder = { embed_dim: 16, depth: 2, num_heads: 2, mlp_ratio: 2 };
const teacher = model({ embed_dim: 40, depth: 5 });
const schedule = { epochs: 2, warmup_epochs: 0, batch_size: 32, accumulation_steps: 1, base_lr: 1e-3, min_lr: 0 };
const common = { data: { name: 'fashion-mnist' }, images: 4096, model: model(), schedule, optimizer: { weight_decay: 0, betas: [0.9, 0.95] }, augment: { crop: null, flip: true } } as const;
const pretrain = { ...common, decoder, mask_ratio: 0.75, norm_pix_loss: true } as unknown as PretrainRecipe;
const relation = { family: 'relation', pairs: ['qk', 'vv'], loss: 'kl', heads: 'aligned' } as const;
const distill = {
  ...common,
  target: relation,
  teacher_block: 4,
  drop_path: 0.1,
  teacher_drop_path: 0,
  mask_ratio: 0,
  teacher_input: 'whole',
  reconstruction: null,
  student_jitter: null,
} as unknown as DistillRecipe;
const supervise = {
  ...common,
  drop_path: 0,
  label_smoothing: 0.1,
  augment: { ...common.augment, rand_augment: null, random_erase: 0, repeats: 1, mixing: null },
} as unknown as SuperviseRecipe;
const features = [
  relation,
  { family: 'feature', feature: 'block', final_norm: false, class_token: true },
  { family: 'feature', feature: 'qkv', final_norm: false, class_token: true },
  { family: 'class-token', loss: 'kl', temperature: 1, final_norm: true },
] as const;

describe('numbers of parameters', () => {
  it.each([model(), model({ in_chans: 1, mlp_ratio: 4, patch_size: 14 }), teacher])('are those of the specs', config => {
    expect(encoderParameters(config)).toBe(count(encoderSpec(config)));
    expect(decoderParameters(config, decoder)).toBe(count(decoderSpec(config, decoder)));
    expect(encoderParameters(config) + decoderParameters(config, decoder)).toBe(count(maeSpec(config, decoder)));
    expect(classifierParameters(config, 11)).toBe(count(classifierSpec(config, 11)));
  });

  it('of a published model: ViT-B/16 as a classifier of 1,000 has 86.6 million', () => {
    const base = model({ image_size: [224, 224], patch_size: 16, embed_dim: 768, depth: 12, num_heads: 12, mlp_ratio: 4 });
    expect(classifierParameters(base, 1000)).toBe(86_567_656);
  });

  it.each(features)('of what a student trains beside its encoder for $family $feature', target => {
    for (const reconstruction of [null, { weight: 1, decoder, norm_pix_loss: true }]) {
      const recipe = { ...distill, target, reconstruction } as DistillRecipe;
      expect(encoderParameters(recipe.model) + distillExtras(recipe, teacher)).toBe(count(studentSpec(recipe, teacher)));
    }
  });
});

const kind = (name: string): StageKind => kinds.find(k => k.name === name)!;
const json = (recipe: object): JsonObject => recipe as JsonObject;

describe('what stages leave on the disk', () => {
  it.each([
    ['pretrain', pretrain, {}],
    ['distill', distill, { teacher: json(pretrain) }],
    ['supervise', supervise, {}],
  ] as const)('%s: as much as its weights take, and the untrained ones stand in for them', async (name, recipe, upstream) => {
    const stageKind = kind(name);
    const folder = mkdtempSync(join(tmpdir(), 'ablate-untrained-'));
    await (
      await stageKind.loadUntrained!()
    )(json(recipe), folder);
    const bytes = statSync(join(folder, 'model.safetensors')).size;
    const { output, checkpoint } = stageKind.disk!(json(recipe), upstream);
    const header = bytes - output;
    expect(header).toBeGreaterThan(0);
    expect(header).toBeLessThan(20_000);
    expect(checkpoint).toBeGreaterThanOrEqual(3 * output);
    const averaged = { ...recipe, optimizer: { ...recipe.optimizer, ema_decay: 0.9 } };
    expect(stageKind.disk!(json(averaged), upstream).checkpoint).toBeCloseTo((4 / 3) * checkpoint, 6);
    expect(stageKind.memory!(json(averaged), upstream, 1).own - stageKind.memory!(json(recipe), upstream, 1).own).toBeCloseTo(checkpoint / 3, 6);
  });
});

describe('the shape of a stage', () => {
  it('does not depend on length, rates, or the number of images', () => {
    const other = { schedule: { ...schedule, epochs: 7, base_lr: 1, warmup_epochs: 1, min_lr: 1e-6 }, optimizer: { weight_decay: 1, betas: [0, 0] as [number, number] }, images: null };
    expect(pretrainShape({ ...pretrain, ...other })).toEqual(pretrainShape(pretrain));
    expect(distillShape({ ...distill, ...other, drop_path: 0.3 }, teacher)).toEqual(distillShape(distill, teacher));
    const finetune = { ...supervise, ...other, label_smoothing: 0, layer_decay: 0.5 };
    expect(classifierShape(finetune)).toEqual(classifierShape(supervise));
    expect(classifierShape({ ...supervise, init: 'trunc_normal', pos_embed: 'learned' })).toEqual(classifierShape(supervise));
  });

  it('depends on the models, the batch, the target and whether there is drop path', () => {
    const changes: Partial<DistillRecipe>[] = [
      { model: model({ depth: 2 }) },
      { schedule: { ...schedule, batch_size: 16 } },
      { schedule: { ...schedule, accumulation_steps: 2 } },
      { target: { ...relation, pairs: ['qk'] } },
      { target: { ...features[1] } },
      { drop_path: 0 },
      { teacher_block: 5 },
      { mask_ratio: 0.5 },
      { reconstruction: { weight: 1, decoder, norm_pix_loss: true } },
      { optimizer: { ...common.optimizer, betas: [0.9, 0.95], ema_decay: 0.9 } },
    ];
    const shapes = [distillShape(distill, teacher), distillShape(distill, model()), ...changes.map(c => distillShape({ ...distill, ...c }, teacher))];
    expect(new Set(shapes.map(s => JSON.stringify(s))).size).toBe(changes.length + 2);
  });

  it('takes one relation for another, as they cost the same', () => {
    expect(distillShape({ ...distill, target: { ...relation, pairs: ['qq', 'kk'] } }, teacher)).toEqual(distillShape(distill, teacher));
  });
});
