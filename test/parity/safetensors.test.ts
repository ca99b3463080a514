import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors, serializeSafetensors, toFloat32 } from '../../src/engine/formats/safetensors.ts';
import { SafetensorsError } from '../../src/engine/formats/safetensors-error.ts';
import { fixturePath, readFixtureJson } from '../helpers/parity/fixtures.ts';

interface Case {
  readonly valid: boolean | null;
  readonly what: string;
}
const { files } = readFixtureJson('safetensors') as { files: Record<string, Case> };
const path = (file: string) => join(fixturePath('safetensors'), file);
const cases = Object.entries(files).map(([file, { valid, what }]) => ({ file, valid, what }));
const refused = cases.filter(c => c.valid === false);

/** What is wrong with each damaged file, as our error code. */
const codes: Record<string, string> = {
  'bad_7_bytes.safetensors': 'TRUNCATED',
  'bad_empty.safetensors': 'TRUNCATED',
  'bad_header_beyond_file.safetensors': 'TRUNCATED',
  'bad_header_huge.safetensors': 'HEADER_TOO_LARGE',
  'bad_header_too_long.safetensors': 'HEADER_TOO_LARGE',
  'bad_header_short.safetensors': 'INVALID_JSON',
  'bad_header_zero.safetensors': 'INVALID_JSON',
  'bad_json.safetensors': 'INVALID_JSON',
  'bad_not_object.safetensors': 'INVALID_JSON',
  'bad_not_utf8.safetensors': 'NOT_UTF8',
  'bad_duplicate_key.safetensors': 'DUPLICATE_KEY',
  'bad_metadata.safetensors': 'INVALID_METADATA',
  'bad_missing_field.safetensors': 'INVALID_SHAPE',
  'bad_negative_shape.safetensors': 'INVALID_SHAPE',
  'bad_fraction_shape.safetensors': 'INVALID_SHAPE',
  'bad_unknown_dtype.safetensors': 'UNKNOWN_DTYPE',
  'bad_dtype_mismatch.safetensors': 'SIZE_MISMATCH',
  'bad_overflow_shape.safetensors': 'SIZE_MISMATCH',
  'bad_size_mismatch.safetensors': 'SIZE_MISMATCH',
  'bad_offsets_reversed.safetensors': 'INVALID_OFFSETS',
  'bad_offset_beyond_file.safetensors': 'TRUNCATED',
  'bad_truncated.safetensors': 'TRUNCATED',
  'bad_trailing_data.safetensors': 'TRAILING_DATA',
  'bad_hole.safetensors': 'HOLE',
  'bad_overlap.safetensors': 'OVERLAP',
};

function refusal(file: string): SafetensorsError {
  try {
    readSafetensors(path(file));
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
  throw new Error(`Expected ${file} to be refused, got tensors.`);
}

describe('damaged files', () => {
  it('are all listed', () => {
    expect(cases.map(c => c.file).sort()).toEqual(readdirSync(fixturePath('safetensors')).sort());
    expect(refused.length).toBeGreaterThan(0);
  });

  it.each(refused)('refuses $file: $what', ({ file }) => {
    expect(refusal(file).message).toMatch(new RegExp(`${file}: Expected .*, got .*\\.$`, 's'));
  });

  it.each(Object.entries(codes))('refuses %s with the code %s', (file, code) => {
    expect(refusal(file).code).toBe(code);
  });
});

describe('valid files', () => {
  const read = (file: string) => {
    const { tensors, metadata } = readSafetensors(path(file));
    return { metadata, tensors: Object.fromEntries([...tensors].map(([name, { dtype, shape, data }]) => [name, [dtype, shape, [...data]]])) };
  };

  it('reads a tensor and metadata with non-ASCII text', () => {
    expect(read('ok_plain.safetensors')).toEqual({
      metadata: { format: 'pt', ключ: 'значение' },
      tensors: { x: ['F32', [2, 3], [0, 1, 2, 3, 4, 5]] },
    });
  });

  it('reads a header padded with spaces, whose data is not aligned', () => {
    expect(read('ok_padded.safetensors').tensors).toEqual({ x: ['F32', [6], [0, 1, 2, 3, 4, 5]] });
  });

  it('reads 0-dimensional and empty tensors', () => {
    expect(read('ok_scalar_empty.safetensors').tensors).toEqual({ e: ['F32', [0, 5], []], s: ['F32', [], [0]] });
  });

  it('follows the offsets, not the order of the header', () => {
    expect(read('ok_order.safetensors').tensors).toEqual({ a: ['F32', [4], [0, 1, 2, 3]], b: ['F32', [2], [4, 5]] });
  });

  it('reads every dtype', () => {
    const { tensors } = readSafetensors(path('ok_dtypes.safetensors'));
    const values = Object.fromEntries([...tensors].map(([name, tensor]) => [name, name.startsWith('F') || name === 'BF16' ? [...toFloat32(tensor)] : [...tensor.data].map(Number)]));
    const f = Math.fround;
    expect([...tensors.values()].map(t => t.dtype).sort()).toEqual([...tensors.keys()].sort());
    expect([...tensors.get('F64')!.data]).toEqual([0.1, -1e300]);
    expect(values).toEqual({
      F64: [f(0.1), -Infinity],
      F32: [f(0.1), -2.5],
      F16: [0.0999755859375, 65504],
      BF16: [1, -123.5, 2 ** -133],
      I64: [-9007199254740991, 7],
      I32: [-5, 2147483647],
      I16: [-5, 9],
      I8: [-128, 1],
      U8: [0, 255],
      BOOL: [1, 0],
    });
  });

  it('keeps a tensor named __proto__ as an ordinary entry', () => {
    const { tensors } = readSafetensors(path('edge_proto.safetensors'));
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect([...tensors.get('__proto__')!.data]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

it('writes the bytes of the reference implementation', () => {
  // All golden tensors were written by the Python package; any of them serves.
  const written = readdirSync(fixturePath('.')).filter(file => file.endsWith('.safetensors'));
  expect(written.length).toBeGreaterThan(0);
  for (const file of written) {
    const bytes = readFileSync(fixturePath(file));
    const { tensors, metadata } = readSafetensors(fixturePath(file));
    expect(Buffer.compare(serializeSafetensors(tensors, metadata), bytes), file).toBe(0);
  }
});
