import { describe, expect, it } from 'vitest';
import { headsOf, patchCount, patchDim, patchGrid, validateDecoder, validateViT, type ViTConfig } from '../../../../src/tinymim/nn/config.ts';
import { MAE_DECODER, VIT_SIZES, type ViTSize } from '../../../helpers/paper-sizes.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';

const config: ViTConfig = { image_size: [28, 14], patch_size: 7, in_chans: 1, embed_dim: 24, depth: 3, num_heads: 3, mlp_ratio: 2 };

describe('validateViT', () => {
  it('accepts a model', () => expect(() => validateViT({ ...config, last_block_heads: 4 })).not.toThrow());

  it.each<[Partial<ViTConfig>, RegExp]>([
    [{ image_size: [28, 15] }, /patch_size of the encoder to be a divisor of both sides of image_size \[28, 15\], got 7/],
    [{ num_heads: 5 }, /num_heads of the encoder to be a divisor of embed_dim 24, got 5/],
    [{ last_block_heads: 7 }, /last_block_heads of the encoder to be a divisor of embed_dim 24, got 7/],
    [{ embed_dim: 30 }, /embed_dim of the encoder to be a multiple of 4/],
    [{ depth: 0 }, /depth of the encoder to be an integer of at least 1, got 0/],
    [{ patch_size: 3.5 }, /patch_size of the encoder to be an integer/],
    [{ in_chans: -1 }, /in_chans/],
    [{ mlp_ratio: 0 }, /mlp_ratio of the encoder to be at least/],
    [{ mlp_ratio: 1 / 25 }, /mlp_ratio of the encoder to be at least 0\.0417, a hidden layer of 1 for embed_dim 24, got 0.04/],
    [{ mlp_ratio: Number.NaN }, /mlp_ratio of the encoder to be at least/],
  ])('refuses %j', (change, message) => {
    expect(() => validateViT({ ...config, ...change })).toThrow(ModelError);
    expect(() => validateViT({ ...config, ...change })).toThrow(message);
  });
});

it('derived dimensions', () => {
  expect(patchGrid(config)).toEqual([4, 2]);
  expect(patchCount(config)).toBe(8);
  expect(patchDim({ ...config, in_chans: 3 })).toBe(147);
  expect([1, 2, 3].map(block => headsOf({ ...config, last_block_heads: 6 }, block))).toEqual([3, 3, 6]);
  expect(headsOf(config, 3)).toBe(3);
});

describe("the paper's sizes", () => {
  it('are four', () => expect(Object.keys(VIT_SIZES)).toHaveLength(4));

  it.each(Object.entries(VIT_SIZES as Record<string, ViTSize>))('%s is a valid model in pre-training and fine-tuning', (_, { embed_dim, depth, heads }) => {
    const base = { image_size: [224, 224] as const, patch_size: 16, in_chans: 3, embed_dim, depth, mlp_ratio: 4 };
    const lastBlock = heads.last_block === undefined ? {} : { last_block_heads: heads.last_block };
    expect(() => validateViT({ ...base, num_heads: heads.pretrain, ...lastBlock })).not.toThrow();
    expect(() => validateViT({ ...base, num_heads: heads.finetune })).not.toThrow();
  });

  it('the decoder is valid', () => expect(() => validateDecoder(MAE_DECODER)).not.toThrow());
});
