/** Names of other libraries, from their sources: models_mae.py and models_vit.py of MAE, timm 1.0.31, transformers 4; 5.24 as it wrote them. */
import { describe, expect, it } from 'vitest';
import type { HostTensor, Weights } from '../../../../src/engine/formats/weights.ts';
import { ModelError } from '../../../../src/tinymim/nn/errors.ts';
import { foreignNames, fromDialect, joinRows, readForeignNames, recogniseDialects, splitRows, toDialect } from '../../../../src/tinymim/nn/foreign-names.ts';

const layers = (...names: string[]): string[] => names.flatMap(name => [`${name}.weight`, `${name}.bias`]);
const within = (prefix: string, names: readonly string[]): string[] => names.map(name => `${prefix}.${name}`);

const OURS = {
  encoder: ['cls_token', 'pos_embed', ...layers('patch_embed.proj'), ...within('blocks.0', layers('norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2')), ...layers('norm')],
  decoder: [
    'mask_token',
    'decoder_pos_embed',
    ...layers('decoder_embed'),
    ...within('decoder_blocks.0', layers('norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2')),
    ...layers('decoder_norm', 'decoder_pred'),
  ],
};

const ATTENTION_4 = ['attention.attention.query', 'attention.attention.key', 'attention.attention.value'];
const ATTENTION_5 = ['attention.q_proj', 'attention.k_proj', 'attention.v_proj'];
const LAYER_4 = layers('layernorm_before', ...ATTENTION_4, 'attention.output.dense', 'layernorm_after', 'intermediate.dense', 'output.dense');
const LAYER_5 = layers('layernorm_before', ...ATTENTION_5, 'attention.o_proj', 'layernorm_after', 'mlp.fc1', 'mlp.fc2');

const transformers = (layer: readonly string[], blocks: string) => ({
  encoder: ['embeddings.cls_token', 'embeddings.position_embeddings', ...layers('embeddings.patch_embeddings.projection'), ...within(`${blocks}.0`, layer), ...layers('layernorm')],
  decoder: [
    'decoder.mask_token',
    'decoder.decoder_pos_embed',
    ...layers('decoder.decoder_embed'),
    ...within('decoder.decoder_layers.0', layer),
    ...layers('decoder.decoder_norm', 'decoder.decoder_pred'),
  ],
});
const HF_4 = transformers(LAYER_4, 'encoder.layer'),
  HF_5 = transformers(LAYER_5, 'layers');
const pretraining = ({ encoder, decoder }: typeof HF_4): string[] => [...within('vit', encoder), ...decoder];

const ours = [...OURS.encoder, ...OURS.decoder];
const written = (names: readonly string[], dialect: 'mae' | 'timm' | 'transformers') => names.flatMap(name => foreignNames(name, dialect) ?? []);

describe('names of other libraries', () => {
  it('are ours in MAE, and in timm but for the decoder', () => {
    const classifier = layers('fc_norm', 'head');
    expect(written([...ours, ...classifier], 'mae')).toEqual([...ours, ...classifier]);
    expect(written([...OURS.encoder, ...classifier], 'timm')).toEqual([...OURS.encoder, ...classifier]);
    expect(written(OURS.decoder, 'timm')).toEqual([]);
  });

  it('are those of files in transformers', () => {
    expect(written(ours, 'transformers').sort()).toEqual(pretraining(HF_4).sort());
    expect(foreignNames('blocks.11.attn.qkv.bias', 'transformers')).toEqual(within('vit.encoder.layer.11.attention.attention', ['query.bias', 'key.bias', 'value.bias']));
    expect(foreignNames('head.weight', 'transformers')).toEqual(['classifier.weight']);
    expect(foreignNames('fc_norm.weight', 'transformers')).toBeUndefined();
  });

  it.each([
    ['files of ViTMAEForPreTraining', pretraining(HF_4), ours],
    ['files of ViTMAEModel', HF_4.encoder, OURS.encoder],
    ['the memory of transformers 5', pretraining(HF_5), ours],
    ['files of transformers 5', pretraining(HF_4).map(name => name.replace('decoder_layers.', 'decoder_encoder.layer.')), ours],
  ])('are read from %s', (_, names, expected) => {
    const read = readForeignNames(names.toReversed(), 'transformers');
    expect([...read.sources.keys()].sort()).toEqual([...expected].sort());
    expect([read.unknown, [...read.incomplete]]).toEqual([[], []]);
  });

  it('may have q, k and v apart in MAE and timm', () => {
    const apart = (...parts: string[]) => new Map([['blocks.3.attn.qkv.weight', parts.map(part => `blocks.3.attn.${part}.weight`)]]);
    expect(readForeignNames(['blocks.3.attn.v.weight', 'blocks.3.attn.q.weight', 'blocks.3.attn.k.weight'], 'mae').sources).toEqual(apart('q', 'k', 'v'));
    expect(readForeignNames(['blocks.3.attn.k_proj.weight', 'blocks.3.attn.q_proj.weight', 'blocks.3.attn.v_proj.weight'], 'timm').sources).toEqual(apart('q_proj', 'k_proj', 'v_proj'));
  });

  it('that are unknown, doubled or incomplete are listed', () => {
    const qkv = (part: string) => `vit.encoder.layer.0.attention.attention.${part}.bias`;
    const read = readForeignNames(
      ['vit.pooler.dense.weight', qkv('query'), qkv('value'), 'vit.layernorm.bias', 'layernorm.bias', 'vit.encoder.layer.01.layernorm_before.bias', 'decoder_blocks.#.norm1.bias'],
      'transformers',
    );
    expect(Object.fromEntries(read.sources)).toEqual({ 'norm.bias': ['vit.layernorm.bias'] });
    expect(Object.fromEntries(read.incomplete)).toEqual({ 'blocks.0.attn.qkv.bias': [qkv('key')] });
    expect(read.unknown).toEqual(['vit.pooler.dense.weight', 'layernorm.bias', 'vit.encoder.layer.01.layernorm_before.bias', 'decoder_blocks.#.norm1.bias']);
  });
});

describe('the dialect of a file', () => {
  it.each([
    ['an encoder of MAE or timm', OURS.encoder, ['mae', 'timm']],
    ['a classifier', [...OURS.encoder, ...layers('fc_norm', 'head')], ['mae', 'timm']],
    ['MAE with its decoder', ours, ['mae']],
    ['ViTMAEForPreTraining', pretraining(HF_4), ['transformers']],
    ['ViTMAEModel', HF_4.encoder, ['transformers']],
    ['ViTMAEForPreTraining of transformers 5', pretraining(HF_5), ['transformers']],
    ['another network', ['conv1.weight', 'layer1.0.bn1.weight', 'fc.bias'], []],
    ['nothing', [], []],
  ])('%s', (_, names, dialects) => {
    expect(recogniseDialects(names)).toEqual(dialects);
  });
});

describe('rows', () => {
  const tensor = (shape: number[], ...data: number[]): HostTensor => ({ shape, data: Float32Array.from(data) });
  const fused = tensor([6, 2], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
  const parts = [tensor([2, 2], 1, 2, 3, 4), tensor([2, 2], 5, 6, 7, 8), tensor([2, 2], 9, 10, 11, 12)];

  it('of queries stand above those of keys and values', () => {
    expect(splitRows(fused, 3)).toEqual(parts);
    expect(joinRows(parts)).toEqual(fused);
    const apart: Weights = {
      'vit.encoder.layer.2.attention.attention.value.weight': parts[2]!,
      'vit.encoder.layer.2.attention.attention.query.weight': parts[0]!,
      'vit.encoder.layer.2.attention.attention.key.weight': parts[1]!,
    };
    expect(fromDialect(apart, 'transformers').weights).toEqual({ 'blocks.2.attn.qkv.weight': fused });
    expect(toDialect({ 'blocks.2.attn.qkv.weight': fused, 'fc_norm.bias': tensor([1], 0) }, 'transformers')).toEqual({ weights: apart, without: ['fc_norm.bias'] });
  });

  it('that do not fit together are refused with their shapes', () => {
    expect(() => joinRows([parts[0]!, tensor([1, 2], 0, 0)])).toThrow(new ModelError('PARAMETER_SHAPE', 'Expected tensors of one shape to join, got [2, 2], [1, 2].'));
    expect(() => joinRows([tensor([], 1), tensor([], 1)])).toThrow('got [], []');
    expect(() => splitRows(tensor([4], 1, 2, 3, 4), 3)).toThrow(new ModelError('PARAMETER_SHAPE', 'Expected rows that 3 divides, got a tensor of shape [4].'));
  });
});
