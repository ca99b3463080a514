import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject, StageKind } from '../../../../src/core/ablation/kind.ts';
import { classifierSpec, decoderSpec, encoderSpec, maeSpec, type ModelSpec } from '../../../../src/tinymim/nn/spec.ts';
import { encoderFlops } from '../../../../src/tinymim/stages/cost.ts';
import { imagesSeen, kinds } from '../../../../src/tinymim/stages/kinds.ts';
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
    for (const changes of [{}, { pool: 'class_token', dist_token: true }, { pool: 'class_token', feature_dim: 30 }, { pool: 'class_token', dist_token: true, feature_dim: 30 }] as const)
      expect(classifierParameters({ ...config, ...changes }, 11)).toBe(count(classifierSpec({ ...config, ...changes }, 11)));
  });

  it('of a published model: ViT-B/16 as a classifier of 1,000 has 86.6 million', () => {
    const base = model({ image_size: [224, 224], patch_size: 16, embed_dim: 768, depth: 12, num_heads: 12, mlp_ratio: 4 });
    expect(classifierParameters(base, 1000)).toBe(86_567_656);
  });

  it('of TinyMIM*-T without its heads: 5.77 million, 0.25 more than ViT-T, for a token, its position and the layer to 1280 (Table 1 has 5.8 and 5.5)', () => {
    const tiny = model({ image_size: [224, 224], patch_size: 16, embed_dim: 192, depth: 12, num_heads: 12, mlp_ratio: 4 });
    const star = { ...tiny, pool: 'class_token', dist_token: true, feature_dim: 1280 } as const;
    const backbone = classifierParameters(star, 1000) - 2 * 1281 * 1000;
    expect(backbone).toBe(5_771_840);
    expect(backbone - encoderParameters(tiny)).toBe(2 * 192 + 193 * 1280);
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

describe('a fine-tuning with a teacher', () => {
  const finetune = kind('finetune');
  const model = { ...common.model, pool: 'class_token', dist_token: true, feature_dim: 30 };
  const plain = json({ ...supervise, layer_decay: 0.75 }),
    taught = json({ ...supervise, model, layer_decay: 0.75, distillation: { type: 'hard', alpha: 0.5 } });
  const [weights, ofTeacher] = [json({ model: common.model }), json({ ...supervise, model: teacher })];

  it('costs the forward pass of its teacher beside its own, which has one token more', () => {
    const flops = (recipe: JsonObject, upstream: Record<string, JsonObject>): number => finetune.cost(recipe, upstream).flops / imagesSeen(supervise);
    const own = flops(taught, { weights });
    expect(own).toBeGreaterThan(flops(plain, { weights }));
    expect(own).toBeLessThan(1.2 * flops(plain, { weights }));
    expect(flops(taught, { weights, teacher: ofTeacher }) - own).toBeCloseTo(encoderFlops(teacher), 3);
  });

  it('takes memory for it, as weights and as what they compute of a micro-batch', () => {
    const shared = (upstream: Record<string, JsonObject>, microBatches: number): number => finetune.memory!(taught, upstream, microBatches).shared;
    const [once, twice] = [1, 2].map(n => shared({ weights, teacher: ofTeacher }, n) - shared({ weights }, n)) as [number, number];
    expect(twice).toBeGreaterThan(2 * 4 * encoderParameters(teacher));
    expect(once).toBeGreaterThan(twice);
    expect(finetune.disk!(taught, { weights, teacher: ofTeacher })).toEqual(finetune.disk!(taught, { weights }));
  });

  const grey = { name: 'procedural', classes: 10, image_size: [28, 56], channels: 1, train: 64, validation: 8, test: 8, seed: 1 };
  it.each<[string, object, object | undefined, string[]]>([
    ['nothing, where all goes together', {}, {}, []],
    ['a token whose head would learn from nobody', {}, undefined, ['model.dist_token: false without a teacher, from which its head would learn', 'distillation: null without a teacher']],
    ['no token', { model: { ...model, dist_token: false } }, {}, ['model.dist_token: true with a teacher, from which the head of the distillation token learns']],
    ['a mean of the patches', { model: { ...model, pool: 'mean' } }, {}, ['model.pool: class_token with a distillation token, as heads read single tokens then']],
    ['a teacher that is not learned from', { distillation: null }, {}, ['distillation: how it learns from its teacher, as it has one']],
    ['a teacher of other classes', { data: { ...grey, classes: 5 } }, { data: grey }, ['data: images of the 10 classes that its teacher was trained for']],
    ['a teacher of other images', { data: grey }, { data: grey, model: { ...teacher, in_chans: 3 } }, ["data: images of the size and channels of its teacher's"]],
    ['labels that count for nothing', { distillation: { type: 'hard', alpha: 1 } }, {}, ['distillation.alpha: below 1: nothing is learned from the labels']],
    ['a teacher that counts for nothing', { distillation: { type: 'hard', alpha: 0 } }, {}, ['distillation.alpha: above 0, or no teacher: nothing is learned from it']],
  ])('is told of %s', (_, change, teaching, expected) => {
    const data = { ...grey, channels: 3 };
    const given = finetune.recipe.parse({ ...taught, data, images: null, engine: {}, ...change });
    const upstream = { weights, ...(teaching && { teacher: json({ data, model: teacher, ...teaching }) }) };
    const told = finetune.check!(given, upstream).filter(({ field }) => /^(?:data|distillation|model\.(?:dist|pool))/.test(field));
    expect(told.map(({ field, expected: right }) => `${field}: ${right}`)).toEqual(expect.arrayContaining(expected));
    if (expected.length === 0) expect(told).toEqual([]);
  });

  it('is what a distillation token needs, so that no training from scratch has one', () => {
    const told = kind('supervise').check!(json({ ...supervise, model }), {});
    expect(told).toContainEqual({ weight: 'impossible', field: 'model.dist_token', expected: 'false without a teacher, from which its head would learn' });
  });

  it('has the shape of its teacher in its own', () => {
    const shape = (upstream: Record<string, JsonObject>): string => JSON.stringify(finetune.shape!(taught, upstream));
    expect(new Set([shape({ weights }), shape({ weights, teacher: ofTeacher }), shape({ weights, teacher: json({ ...supervise, model: common.model }) })]).size).toBe(3);
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
