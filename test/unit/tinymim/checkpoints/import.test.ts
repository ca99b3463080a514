/** Importing files of other libraries: the same encoder is the same checkpoint whoever wrote it, and what does not fit is named. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import type { ImportOptions } from '../../../../src/core/ablation/declaration.ts';
import { readSafetensors, type StoredTensor } from '../../../../src/engine/formats/safetensors.ts';
import { importCheckpoint } from '../../../../src/tinymim/checkpoints/import.ts';
import { encoderFile, importedAs, importedWith } from '../../../../src/tinymim/checkpoints/imported.ts';
import { toDialect } from '../../../../src/tinymim/nn/foreign-names.ts';
import { encoderOf, tinyMae, TINY_MAE, TINY_MAE_SHA256, writeAs } from '../../../helpers/tiny-mae.ts';

const folder = mkdtempSync(join(tmpdir(), 'import-'));
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(folder, 'data-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function importFile(file: string, options: Partial<ImportOptions> = {}) {
  const scratch = mkdtempSync(join(dataDir, 'scratch-'));
  return importCheckpoint(file, { dataDir, scratch, name: 'tiny', ...options });
}

const kept = (): string[] => (readdirSync(dataDir).includes('checkpoints') ? readdirSync(join(dataDir, 'checkpoints')).sort() : []);

/** Text of the refusal. */
const refusal = (file: string, options: Partial<ImportOptions> = {}): Promise<string> =>
  importFile(file, options).then(
    () => {
      throw new Error(`Expected ${file} to be refused.`);
    },
    (error: unknown) => {
      if (error instanceof UsageError) return error.message;
      throw error;
    },
  );

const all = tinyMae();
const encoder = encoderOf(all);
const path = (name: string): string => join(folder, name);

describe('the encoder of a file of PyTorch', () => {
  it('is kept by the SHA-256 of its canonical form, as Python computes it', async () => {
    const imported = await importFile(TINY_MAE);
    expect(imported.sha256).toBe(TINY_MAE_SHA256);
    const bytes = readFileSync(encoderFile(dataDir, TINY_MAE_SHA256));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(TINY_MAE_SHA256);
    const tensors = readSafetensors(imported.path).tensors;
    expect(Object.fromEntries([...tensors].map(([name, { shape, data }]) => [name, { shape, data }]))).toEqual(encoder);
    expect(importedAs(dataDir, 'tiny')).toEqual(importedWith(dataDir, TINY_MAE_SHA256));
    expect(importedAs(dataDir, 'tiny')).toMatchObject({
      file: 'mae_tiny.pth',
      sha256: TINY_MAE_SHA256,
      encoder: { embed_dim: 16, depth: 4, mlp_dim: 32, patch_size: 4, in_chans: 3, patches: 36 },
    });
    expect(kept()).toEqual([`${TINY_MAE_SHA256}.safetensors`, 'tiny.json']);
  });

  it('says what was read, and lists what was left out', async () => {
    const { read, findings } = await importFile(TINY_MAE);
    expect(read.join('\n')).toMatch(/PyTorch \(zip\), 74 tensors of F32 in 'model' \(beside optimizer, epoch, scaler, args, which is not read\)/);
    expect(read.join('\n')).toContain('width 16, depth 4, MLP 32, patches of 4 x 4 pixels of 3 channels, 6 x 6 positions');
    expect(findings).toEqual({ renamed: [], unexpected: [], 'left out': Object.keys(all).filter(name => !(name in encoder)) });
  });
});

describe('the same encoder', () => {
  const huggingFace = toDialect(all, 'transformers').weights;
  const apart = Object.fromEntries(
    Object.entries(encoder).flatMap(([name, tensor]) => {
      const [, before, end] = /^(.*attn\.)qkv\.(.*)$/.exec(name) ?? [];
      if (before === undefined) return [[name, tensor] as const];
      const size = tensor.data.length / 3;
      return ['q', 'k', 'v'].map((part, i) => [`${before}${part}.${end}`, { shape: [tensor.shape[0]! / 3, ...tensor.shape.slice(1)], data: tensor.data.subarray(i * size, (i + 1) * size) }] as const);
    }),
  );
  const behind = (prefix: string, weights: typeof all) => Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`${prefix}${name}`, tensor]));

  it.each([
    ['without a decoder, as timm has it', encoder],
    ['with a classifier on it', { ...encoder, 'head.weight': { shape: [2, 16], data: new Float32Array(32) }, 'head.bias': { shape: [2], data: new Float32Array(2) } }],
    ["with the names of Hugging Face's ViTMAE, q, k and v apart", huggingFace],
    ['with the names of its encoder alone', Object.fromEntries(Object.entries(huggingFace).flatMap(([name, tensor]) => (name.startsWith('vit.') ? [[name.slice(4), tensor]] : [])))],
    ['with q, k and v apart in names of MAE', apart],
    ['behind module.', behind('module.', all)],
    ['behind _orig_mod. and module.', behind('_orig_mod.module.', all)],
  ])('%s is the same checkpoint', async (what, weights) => {
    expect((await importFile(writeAs(path(`${what}.safetensors`), weights))).sha256).toBe(TINY_MAE_SHA256);
  });

  it('lists every tensor that has another name', async () => {
    const { findings } = await importFile(writeAs(path('hf.safetensors'), huggingFace));
    expect(findings['renamed']).toHaveLength(Object.keys(encoder).length);
    const parts = ['query', 'key', 'value'].map(part => `vit.encoder.layer.3.attention.attention.${part}.weight`);
    expect(findings['renamed']).toContain(`${parts.join(', ')} is blocks.3.attn.qkv.weight`);
  });

  it('in another precision is the checkpoint of its float32 values', async () => {
    const bits = new Uint32Array(1),
      view = new Float32Array(bits.buffer);
    const rounded = (value: number): number => {
      view[0] = value;
      bits[0]! &= 0xffff0000;
      return view[0];
    };
    const exact = Object.fromEntries(Object.entries(encoder).map(([name, { shape, data }]) => [name, { shape, data: data.map(rounded) }]));
    const wide = await importFile(writeAs(path('wide.safetensors'), exact));
    const bfloat16 = await importFile(
      writeAs(path('bfloat16.safetensors'), exact, ({ shape, data }): StoredTensor => ({ dtype: 'BF16', shape, data: Uint16Array.from(new Uint32Array(data.slice().buffer), word => word >>> 16) })),
    );
    expect(bfloat16.sha256).toBe(wide.sha256);
    const float64 = await importFile(
      writeAs(path('float64.safetensors'), encoder, ({ shape, data }): StoredTensor => ({ dtype: 'F64', shape, data: Float64Array.from(data) })),
      { name: 'other' },
    );
    expect(float64.sha256).toBe(TINY_MAE_SHA256);
    expect(float64.read.join()).toContain('54 tensors of F64');
    const ones = Object.fromEntries(Object.entries(encoder).map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 1) }]));
    const float16 = await importFile(
      writeAs(path('float16.safetensors'), ones, ({ shape, data }): StoredTensor => ({ dtype: 'F16', shape, data: Uint16Array.from(data, () => 0x3c00) })),
      { name: 'half' },
    );
    expect(float16.sha256).toBe((await importFile(writeAs(path('ones.safetensors'), ones), { name: 'ones' })).sha256);
  });
});

describe('what is refused', () => {
  const without = (...names: string[]) => Object.fromEntries(Object.entries(encoder).filter(([name]) => !names.includes(name)));
  const filled = (shape: number[], value = 0.5) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) });

  it('lists every missing, misshapen and unexpected tensor, and keeps nothing', async () => {
    const wrong = {
      ...without('blocks.1.norm1.bias', 'norm.weight'),
      'blocks.2.mlp.fc2.bias': filled([17]),
      'blocks.0.ls1.gamma': filled([16]),
      'pooler.weight': filled([2]),
      'blocks.7.norm1.weight': filled([16]),
    };
    const message = await refusal(writeAs(path('wrong.safetensors'), wrong));
    expect(message).toMatch(/missing +blocks\.1\.norm1\.bias\n.*missing +norm\.weight\n/s);
    expect(message).toMatch(/misshapen +blocks\.2\.mlp\.fc2\.bias: expected \[16\], got \[17\]\n/);
    for (const name of ['blocks.0.ls1.gamma', 'pooler.weight', 'blocks.7.norm1.weight']) expect(message).toMatch(new RegExp(`unexpected +${name}\n`));
    expect(message).toContain('--allow-unexpected');
    expect(message).toMatch(/Nothing was imported\.$/);
    expect(kept()).toEqual([]);
  });

  it('takes what is asked for without unexpected tensors, and lists them', async () => {
    const more = writeAs(path('more.safetensors'), { ...all, 'pooler.weight': filled([2]) });
    expect(await refusal(more)).toContain('pooler.weight');
    const { sha256, findings } = await importFile(more, { allowUnexpected: true });
    expect([sha256, findings['unexpected']]).toEqual([TINY_MAE_SHA256, ['pooler.weight']]);
  });

  it.each([
    ['a part of q, k and v', { ...without('blocks.0.attn.qkv.bias'), 'blocks.0.attn.q.bias': filled([16]), 'blocks.0.attn.v.bias': filled([16]) }, /missing +blocks\.0\.attn\.k\.bias/],
    [
      'parts of different shapes',
      { ...without('blocks.0.attn.qkv.bias'), 'blocks.0.attn.q.bias': filled([16]), 'blocks.0.attn.k.bias': filled([16]), 'blocks.0.attn.v.bias': filled([12]) },
      /misshapen +blocks\.0\.attn\.qkv\.bias: expected \[48\], got \[16\] and \[16\] and \[12\]/,
    ],
    ['no embedding of positions', without('pos_embed'), /a tensor "pos_embed" of 3 dimensions, got none/],
    ['a classifier over mean tokens', { ...without('norm.weight', 'norm.bias'), 'fc_norm.weight': filled([16]), 'fc_norm.bias': filled([16]) }, /no final norm of the encoder/],
    ['no patch embedding', without('patch_embed.proj.weight'), /Expected a ViT with a tensor "patch_embed\.proj\.weight" of 4 dimensions, got none/],
    ['another network', { 'conv1.weight': filled([4, 3, 7, 7]), 'fc.bias': filled([2]) }, /Expected the names of MAE, timm or Hugging Face's ViTMAE, got 2 others \(conv1\.weight, fc\.bias\)/],
    ['numbers that are none', { ...encoder, 'norm.bias': filled([16], NaN) }, /Expected "norm\.bias" to be finite in float32, got NaN at element 0/],
  ])('%s', async (what, weights, expected) => {
    const file = writeAs(path(`${what}.safetensors`), weights);
    expect(await refusal(file)).toMatch(expected);
    expect(kept()).toEqual([]);
  });

  it('integers in the place of weights', async () => {
    const file = writeAs(path('integers.safetensors'), encoder, ({ shape, data }, name) =>
      name === 'norm.bias' ? { dtype: 'I64', shape, data: BigInt64Array.from(data, () => 1n) } : { dtype: 'F32', shape, data },
    );
    expect(await refusal(file)).toMatch(/misshapen +norm\.bias: expected floating-point numbers, got I64/);
  });

  it('what is no file of weights', async () => {
    writeFileSync(path('page.pth'), '<html>not found</html>');
    mkdirSync(path('folder'));
    expect(await refusal(path('page.pth'))).toContain('Expected a file of safetensors or of torch.save, got one that begins with "<html>');
    expect(await refusal(path('folder'))).toContain('Expected a file of weights, got a folder.');
    expect(await refusal(path('nowhere.pth'))).toContain('Expected a file of weights, got no such file.');
  });

  it('a name that means other tensors, unless it is to be replaced', async () => {
    await importFile(TINY_MAE);
    const other = writeAs(path('other.safetensors'), { ...encoder, 'norm.bias': filled([16]) });
    expect(await refusal(other)).toMatch(new RegExp(`Expected a new name, got tiny, which means other tensors already \\(SHA-256 ${TINY_MAE_SHA256}, of mae_tiny\\.pth\\).*--as.*--replace`));
    expect(importedAs(dataDir, 'tiny')!.sha256).toBe(TINY_MAE_SHA256);
    const { sha256 } = await importFile(other, { replace: true });
    expect(importedAs(dataDir, 'tiny')!.sha256).toBe(sha256);
    expect(importedWith(dataDir, TINY_MAE_SHA256)).toBeUndefined(); // no name means it any more
    await importFile(TINY_MAE, { name: 'again' });
    expect(importedWith(dataDir, TINY_MAE_SHA256)!.name).toBe('again');
  });

  it('a name that cannot be typed', async () => {
    expect(await refusal(TINY_MAE, { name: '../up' })).toMatch(/got '\.\.\/up'.*--as/);
    expect((await importFile(TINY_MAE, { name: undefined })).name).toBe('mae-tiny');
  });

  it('a record of an import that is damaged', async () => {
    await importFile(TINY_MAE);
    writeFileSync(join(dataDir, 'checkpoints/tiny.json'), '{');
    expect(() => importedAs(dataDir, 'tiny')).toThrow(/Expected what was imported as tiny, got something else\. Remove the file/);
    expect(importedAs(dataDir, 'unknown')).toBeUndefined();
    rmSync(encoderFile(dataDir, TINY_MAE_SHA256));
    expect(importedWith(dataDir, TINY_MAE_SHA256)).toBeUndefined();
  });
});
