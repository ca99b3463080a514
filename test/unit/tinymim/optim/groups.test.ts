import { describe, expect, it } from 'vitest';
import { finetuneGroups, isTrainedInPretraining, pretrainGroups } from '../../../../src/tinymim/optim/groups.ts';

const shapes = {
  cls_token: { shape: [1, 1, 8] },
  mask_token: { shape: [1, 1, 8] },
  pos_embed: { shape: [1, 5, 8] },
  decoder_pos_embed: { shape: [1, 5, 8] },
  'patch_embed.proj.weight': { shape: [8, 3, 2, 2] },
  'patch_embed.proj.bias': { shape: [8] },
  'blocks.0.norm1.weight': { shape: [8] },
  'blocks.0.attn.qkv.weight': { shape: [24, 8] },
  'odd.bias': { shape: [2, 4] },
};

describe('pretrainGroups', () => {
  const groups = pretrainGroups(shapes, 0.05);

  it('decays what is neither 1-D nor a bias, tokens included', () => {
    const decayed = Object.keys(groups).filter(name => groups[name]!.weightDecay === 0.05);
    expect(decayed).toEqual(['cls_token', 'mask_token', 'patch_embed.proj.weight', 'blocks.0.attn.qkv.weight']);
    expect(Object.values(groups).every(group => group.lrScale === 1)).toBe(true);
  });

  it('leaves out the fixed position tables', () => {
    expect(Object.keys(shapes).filter(name => !(name in groups))).toEqual(['pos_embed', 'decoder_pos_embed']);
    expect(Object.keys(shapes).filter(name => !isTrainedInPretraining(name))).toEqual(['pos_embed', 'decoder_pos_embed']);
  });
});

describe('finetuneGroups', () => {
  it('does not take blocks.1 for blocks.10, and refuses blocks beyond the depth', () => {
    const names = { 'blocks.1.attn.qkv.weight': { shape: [2, 2] }, 'blocks.10.attn.qkv.weight': { shape: [2, 2] } };
    const groups = finetuneGroups(names, { depth: 12, weightDecay: 0.05, layerDecay: 0.5 });
    expect(groups['blocks.1.attn.qkv.weight']!.lrScale).toBe(0.5 ** 11);
    expect(groups['blocks.10.attn.qkv.weight']!.lrScale).toBe(0.5 ** 2);
    expect(() => finetuneGroups(names, { depth: 10, weightDecay: 0.05, layerDecay: 0.5 })).toThrow('Expected blocks below the depth 10, got the parameter "blocks.10.attn.qkv.weight".');
  });

  it('scales nothing with a layer decay of 1', () => {
    const groups = finetuneGroups(shapes, { depth: 1, weightDecay: 0.05, layerDecay: 1 });
    expect(new Set(Object.values(groups).map(group => group.lrScale))).toEqual(new Set([1]));
  });
});
