import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSafetensors, readSafetensors, serializeSafetensors, toFloat16, toFloat32, writeSafetensors, type StoredTensor } from '../../../../src/engine/formats/safetensors.ts';

const x: StoredTensor = { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };

/** A file from header text and data, with the header length right. */
function file(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

describe('writeSafetensors', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('writes a file that reads back, and nothing beside it', () => {
    const path = join(folder, 'weights.safetensors');
    writeSafetensors(path, new Map([['x', x]]), { step: '3' });
    expect(readSafetensors(path)).toEqual({ tensors: new Map([['x', x]]), metadata: { step: '3' } });
    expect(readdirSync(folder)).toEqual(['weights.safetensors']);
  });

  it('leaves the old file as it was when the tensors cannot be written', () => {
    const path = join(folder, 'weights.safetensors');
    writeFileSync(path, 'old');
    expect(() => {
      writeSafetensors(path, new Map([['x', { ...x, shape: [5] }]]));
    }).toThrow('to have 5 elements, got 4');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['weights.safetensors']);
  });

  it('removes its temporary file when the rename fails', () => {
    expect(() => {
      writeSafetensors(folder, new Map([['x', x]]));
    }).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(folder)).toEqual([]);
    expect(readdirSync(join(folder, '..')).filter(name => name.startsWith('.safetensors-') && name.endsWith(`.${process.pid}.tmp`))).toEqual([]);
  });
});

describe('serializeSafetensors', () => {
  it('pads the header to 8 bytes and gives the same bytes whatever the order of insertion', () => {
    const b: StoredTensor = { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2, 3) };
    const one = serializeSafetensors(
      new Map<string, StoredTensor>([
        ['b', b],
        ['x', x],
      ]),
      { k: '1', a: '2' },
    );
    const other = serializeSafetensors(
      new Map<string, StoredTensor>([
        ['x', x],
        ['b', b],
      ]),
      { a: '2', k: '1' },
    );
    expect(one).toEqual(other);
    expect(new DataView(one.buffer, one.byteOffset).getUint32(0, true) % 8).toBe(0);
    expect([...parseSafetensors(one).tensors.keys()]).toEqual(['x', 'b']); // the wider dtype first
  });

  it('writes only the part of a buffer that the array views', () => {
    const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const { tensors } = parseSafetensors(serializeSafetensors(new Map<string, StoredTensor>([['v', { dtype: 'F32', shape: [2], data: view }]])));
    expect([...tensors.get('v')!.data]).toEqual([1, 2]);
  });

  it.each([
    ['INVALID_NAME', '__metadata__', x],
    ['INVALID_NAME', 'lone \ud800', x],
    ['INVALID_SHAPE', 'x', { ...x, shape: [-2, -2] }],
    ['SIZE_MISMATCH', 'x', { ...x, shape: [4, 2] }],
    ['DTYPE_MISMATCH', 'x', { ...x, dtype: 'I32' } as unknown as StoredTensor],
  ])('refuses with %s the tensor %j', (code, name, tensor) => {
    expect(() => serializeSafetensors(new Map([[name, tensor]]))).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('parseSafetensors', () => {
  it('gives arrays of their own', () => {
    const bytes = serializeSafetensors(new Map([['x', x]]));
    const { tensors } = parseSafetensors(bytes);
    bytes.fill(0);
    expect([...tensors.get('x')!.data]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['DUPLICATE_KEY', '{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0078":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'],
    ['DUPLICATE_KEY', '{"x":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'],
    ['DUPLICATE_KEY', '{"__metadata__":{"a":"1","a":"2"}}'],
    ['INVALID_METADATA', '{"__metadata__":["a"]}'],
    ['INVALID_ENTRY', '{"x":null}'],
    ['UNKNOWN_DTYPE', '{"x":{"dtype":"constructor","shape":[0],"data_offsets":[0,0]}}'],
    ['INVALID_NAME', '{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'],
    ['INVALID_OFFSETS', '{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}'],
    ['SIZE_MISMATCH', '{"x":{"dtype":"U8","shape":[9007199254740991,9007199254740991,0],"data_offsets":[0,1]}}'],
    ['INVALID_JSON', ' {}'],
    ['INVALID_JSON', '\ufeff{}'],
    ['INVALID_JSON', 'null'],
  ])('refuses with %s the header %s', (code, header) => {
    expect(() => parseSafetensors(file(header))).toThrow(expect.objectContaining({ code, name: 'SafetensorsError' }) as Error);
  });

  it('is not confused by quotes, braces and colons within names', () => {
    const entry = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    const names = ['a"b', '{', '}', 'a\\', '":{"', 'x'];
    const header = `{${names.map(name => `${JSON.stringify(name)} : ${entry}`).join()}}`;
    expect([...parseSafetensors(file(header)).tensors.keys()]).toEqual(names);
  });

  it('reads a file without tensors', () => {
    expect(parseSafetensors(file('{}'))).toEqual({ tensors: new Map(), metadata: {} });
  });
});

describe('toFloat16', () => {
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  const values = toFloat32({ dtype: 'F16', shape: [halves.length], data: halves });
  const isNumber = (half: number): boolean => (half & 0x7fff) <= 0x7c00;

  it('gives every half back', () => {
    const back = toFloat16(values);
    expect([...halves].filter(half => (isNumber(half) ? back[half] !== half : isNumber(back[half]!)))).toEqual([]);
  });

  it('rounds to the nearest, of two equally near to the even one', () => {
    for (let half = 0; half < 0x7bff; half++) {
      const [lower, upper] = [values[half]!, values[half + 1]!];
      const middle = (lower + upper) / 2, // a float32, as is what comes a quarter before and after it
        quarter = (upper - lower) / 4;
      const even = half % 2 === 0 ? half : half + 1;
      const rounded = toFloat16(Float32Array.of(middle - quarter, middle, middle + quarter, -middle));
      if (rounded.join() !== [half, even, half + 1, even + 0x8000].join()) expect.unreachable(`${middle}: ${rounded.join()}`);
    }
    expect([...toFloat16(Float32Array.of(65_519, 65_520, -1e30, 2 ** -25, 2 ** -26))]).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 0]);
  });
});

describe('toFloat32', () => {
  it('widens every kind of half-precision number', () => {
    const bits = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00];
    const values = toFloat32({ dtype: 'F16', shape: [bits.length], data: Uint16Array.from(bits) });
    expect([...values]).toEqual([0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, -2, 65504, Infinity, -Infinity, NaN]);
  });

  it('widens bfloat16 by appending zero bits', () => {
    const bits = [0x3f80, 0xbf80, 0x8000, 0x7f80, 0x7fc0, 0x0001];
    const values = toFloat32({ dtype: 'BF16', shape: [bits.length], data: Uint16Array.from(bits) });
    expect([...values]).toEqual([1, -1, -0, Infinity, NaN, 2 ** -133]);
  });

  it('refuses integers', () => {
    expect(() => toFloat32({ dtype: 'I32', shape: [1], data: Int32Array.of(1) })).toThrow('Expected tensor to be floating-point (F64, F32, F16, BF16), got I32.');
  });
});
