import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { initClassifier, initEncoder, initialise, initMae, warmStart } from '../../../../src/tinymim/nn/init.ts';
import { interpolatePosEmbed, sincosPosEmbed } from '../../../../src/tinymim/nn/pos-embed.ts';
import { linearSpec, maeSpec } from '../../../../src/tinymim/nn/spec.ts';
import { ShapeError } from '../../../../src/engine/shape.ts';
import type { Weights } from '../../../../src/engine/formats/weights.ts';
import { fixture } from '../../../helpers/parity/fixtures.ts';
import { vitConfig, type EncoderFields } from '../../../helpers/parity/model.ts';

const config: ViTConfig = { image_size: [16, 24], patch_size: 8, in_chans: 1, embed_dim: 64, depth: 2, num_heads: 4, mlp_ratio: 4 };
const decoder = { embed_dim: 32, depth: 1, num_heads: 4, mlp_ratio: 4 };

const shapesOf = (weights: Weights) => Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, [...shape]]));
const deviation = (data: Float32Array) => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
const largest = (data: Float32Array) => data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

describe('names and shapes are those of the official models', () => {
  interface Json {
    config: EncoderFields & { image_size: [number, number]; patch_size: number; decoder?: EncoderFields; num_classes?: number };
  }
  const official = (name: string) => {
    const { config, tensors } = fixture<Json>(name);
    const params = Object.entries(tensors).flatMap(([key, { shape }]) => (key.startsWith('param/') ? [[key.slice(6), [...shape]] as const] : []));
    const channels = tensors['param/patch_embed.proj.weight']!.shape[1]!;
    return { config, vit: vitConfig(config, config, channels), shapes: Object.fromEntries(params) };
  };

  it('encoder', () => {
    const { vit, shapes } = official('vit_encoder');
    expect(shapesOf(initEncoder(vit, 0))).toEqual(shapes);
  });

  it('encoder whose last block has other heads', () => {
    expect(shapesOf(initEncoder({ ...config, last_block_heads: 8 }, 0))).toEqual(shapesOf(initEncoder(config, 0)));
  });

  it('MAE', () => {
    const { vit, config, shapes } = official('mae_model');
    expect(shapesOf(initMae(vit, config.decoder!, 0))).toEqual(shapes);
  });

  it('classifier', () => {
    const { vit, config, shapes } = official('finetune');
    expect(shapesOf(initClassifier(vit, config.num_classes!, 0))).toEqual(shapes);
    const ofClassToken = Object.keys(initClassifier({ ...vit, pool: 'class_token' }, config.num_classes!, 0));
    expect(ofClassToken.filter(name => /norm\./.test(name) && !name.startsWith('blocks.'))).toEqual(['norm.weight', 'norm.bias']);
  });
});

describe('values', () => {
  const weights = initMae(config, decoder, 3);

  it('linear layers and patch projection: xavier uniform', () => {
    const bounds = { 'patch_embed.proj.weight': 64 + 64, 'blocks.1.attn.qkv.weight': 64 + 3 * 64, 'blocks.0.mlp.fc1.weight': 64 + 256, 'decoder_pred.weight': 32 + 64 };
    for (const [name, fans] of Object.entries(bounds)) {
      const bound = Math.sqrt(6 / fans),
        { data } = weights[name]!;
      expect(largest(data), name).toBeLessThanOrEqual(bound);
      expect(largest(data), name).toBeGreaterThan(0.98 * bound);
      expect(deviation(data) / (bound / Math.sqrt(3)), name).toBeCloseTo(1, 1);
      expect(Math.abs(data.reduce((sum, x) => sum + x, 0) / data.length), name).toBeLessThan(0.05 * bound);
    }
  });

  it('tokens: normal with std 0.02; head: std 2e-5', () => {
    const spec = maeSpec({ ...config, embed_dim: 2048 }, { ...decoder, embed_dim: 2048 });
    const wide = initialise({ cls_token: spec['cls_token']!, mask_token: spec['mask_token']! }, 3);
    expect(deviation(wide['cls_token']!.data) / 0.02).toBeCloseTo(1, 1);
    expect(deviation(wide['mask_token']!.data) / 0.02).toBeCloseTo(1, 1);
    expect(deviation(initClassifier(config, 100, 3)['head.weight']!.data) / 2e-5).toBeCloseTo(1, 1);
  });

  it('biases 0, norms 1 and 0, but the bias of the patch projection as a Conv2d', () => {
    const norms = Object.keys(weights).filter(name => /norm\d?\.weight$/.test(name));
    const biases = Object.keys(weights).filter(name => name.endsWith('.bias') && name !== 'patch_embed.proj.bias');
    expect([norms.length, biases.length]).not.toContain(0);
    for (const name of norms) expect(new Set(weights[name]!.data), name).toEqual(new Set([1]));
    for (const name of biases) expect(new Set(weights[name]!.data), name).toEqual(new Set([0]));
    const bias = weights['patch_embed.proj.bias']!.data;
    expect(largest(bias)).toBeLessThanOrEqual(1 / 8);
    expect(new Set(bias).size).toBeGreaterThan(50);
  });

  it('position tables: sin-cos of the grid', () => {
    expect(weights['pos_embed']!.data).toEqual(sincosPosEmbed(64, [2, 3]));
    expect(weights['decoder_pos_embed']!.data).toEqual(sincosPosEmbed(32, [2, 3]));
  });
});

describe('a classifier that starts as in timm', () => {
  const wide = { ...config, embed_dim: 256, pool: 'class_token' } as const;
  const mae = initClassifier(wide, 100, 3),
    timm = initClassifier(wide, 100, 3, { init: 'trunc_normal', pos_embed: 'learned' });
  const linear = Object.keys(mae).filter(name => name.endsWith('.weight') && mae[name]!.shape.length === 2);

  it('linear layers and head: normal with std 0.02, never beyond +-2', () => {
    expect(linear).toEqual(expect.arrayContaining(['head.weight', 'blocks.0.attn.qkv.weight', 'blocks.1.attn.proj.weight', 'blocks.1.mlp.fc1.weight', 'blocks.1.mlp.fc2.weight']));
    for (const name of linear) {
      const { data } = timm[name]!;
      expect(deviation(data) / 0.02, name).toBeCloseTo(1, 1);
      expect(Math.abs(data.reduce((sum, x) => sum + x, 0) / data.length), name).toBeLessThan(1e-3);
      expect(largest(data), name).toBeGreaterThan(0.06); // no uniform distribution
      expect(largest(data), name).toBeLessThan(2);
    }
  });

  it('patch projection: as a Conv2d', () => {
    const { data } = timm['patch_embed.proj.weight']!;
    expect(largest(data)).toBeLessThanOrEqual(1 / 8);
    expect(largest(data)).toBeGreaterThan(0.98 / 8);
  });

  it('positions: all rows drawn, that of the class token too', () => {
    const { data, shape } = timm['pos_embed']!;
    expect(shape).toEqual(mae['pos_embed']!.shape);
    for (const row of Array.from({ length: shape[1]! }, (_, i) => data.subarray(i * 256, (i + 1) * 256))) expect(Math.abs(deviation(row) / 0.02 - 1)).toBeLessThan(0.2);
  });

  it('all else as in MAE, and what is not asked for, too', () => {
    const others = Object.keys(mae).filter(name => !linear.includes(name) && name !== 'patch_embed.proj.weight' && name !== 'pos_embed');
    expect(others).toEqual(expect.arrayContaining(['cls_token', 'norm.weight', 'head.bias', 'blocks.0.attn.qkv.bias', 'patch_embed.proj.bias']));
    // By hashes: to compare millions of numbers one by one takes longer than to draw them.
    const hashes = (weights: Weights): Record<string, string> =>
      Object.fromEntries(Object.entries(weights).map(([name, { shape, data }]) => [name, createHash('sha256').update(shape.join()).update(data).digest('hex')]));
    const [ofMae, ofTimm] = [hashes(mae), hashes(timm)];
    for (const name of others) expect(ofTimm[name], name).toBe(ofMae[name]);
    expect(hashes(initClassifier(wide, 100, 3, { pos_embed: 'learned' }))).toEqual({ ...ofMae, pos_embed: ofTimm['pos_embed'] });
    expect(hashes(initClassifier(wide, 100, 3, { init: 'mae', pos_embed: 'sincos' }))).toEqual(ofMae);
  });

  it('learned positions are resized as any table, and load into a model of another grid', () => {
    const larger = { ...wide, image_size: [32, 48] } as const;
    const table = interpolatePosEmbed(timm['pos_embed']!.data, 256, [2, 3], [4, 6]);
    const { weights, loaded } = warmStart(initClassifier(larger, 100, 1), { ...timm, pos_embed: { shape: [1, 25, 256], data: table } });
    expect(loaded).toEqual(Object.keys(timm));
    expect(weights['pos_embed']!.data.subarray(0, 256)).toEqual(timm['pos_embed']!.data.subarray(0, 256));
  });
});

describe('streams', () => {
  const small = { ...config, embed_dim: 8 };

  it('the same seed gives the same weights, another seed others', () => {
    expect(initEncoder(small, 1)).toEqual(initEncoder(small, 1));
    expect(initEncoder(small, 2)['cls_token']!.data).not.toEqual(initEncoder(small, 1)['cls_token']!.data);
  });

  it('more blocks, a decoder or a head leave the other parameters as they are', () => {
    const encoder = initEncoder(small, 5);
    for (const larger of [initEncoder({ ...small, depth: 3 }, 5), initMae(small, { ...decoder, embed_dim: 8 }, 5)]) expect(larger).toMatchObject(encoder);
    expect(initClassifier(small, 10, 5)['blocks.1.attn.qkv.weight']).toEqual(encoder['blocks.1.attn.qkv.weight']);
    expect(Object.keys(initialise(linearSpec('projection', 8, 4), 5))).toEqual(['projection.weight', 'projection.bias']);
  });
});

describe('warmStart', () => {
  it('takes the encoder out of an MAE checkpoint and leaves the head as initialised', () => {
    const mae = initMae(config, decoder, 1),
      fresh = initClassifier(config, 10, 2);
    const { weights, loaded, fresh: untouched, unused } = warmStart(fresh, mae);
    expect(weights['blocks.0.attn.qkv.weight']).toBe(mae['blocks.0.attn.qkv.weight']);
    expect(weights['head.weight']).toBe(fresh['head.weight']);
    expect(Object.keys(weights)).toEqual(Object.keys(fresh));
    expect(untouched).toEqual(['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
    expect(loaded.length + untouched.length).toBe(Object.keys(fresh).length);
    expect(unused).toContain('norm.weight');
    expect(unused.filter(name => name.startsWith('decoder')).length).toBeGreaterThan(10);
  });

  it('refuses a parameter of another shape', () => {
    const other = initEncoder({ ...config, image_size: [16, 16] }, 1);
    expect(() => warmStart(initEncoder(config, 1), other)).toThrow(ShapeError);
    expect(() => warmStart(initEncoder(config, 1), other)).toThrow(/"pos_embed" of shape \[1, 7, 64\], got \[1, 5, 64\]/);
  });
});
