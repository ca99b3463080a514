import { describe, expect, it } from 'vitest';
import type { ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { initClassifier, initEncoder, initialise, initMae, warmStart } from '../../../../src/tinymim/nn/init.ts';
import { sincosPosEmbed } from '../../../../src/tinymim/nn/pos-embed.ts';
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
    const ofClassToken = Object.keys(initClassifier(vit, config.num_classes!, 0, 'class_token'));
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
