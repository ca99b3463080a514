import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARRAY_OF, BYTES_PER_ELEMENT, type DType } from '../../src/engine/formats/dtype.ts';
import { parseSafetensors, serializeSafetensors, type StoredTensor } from '../../src/engine/formats/safetensors.ts';

const shapes = fc.array(fc.nat(4), { maxLength: 4 });
const dtypes = fc.constantFrom(...(Object.keys(ARRAY_OF) as DType[]));

const storedTensor: fc.Arbitrary<StoredTensor> = fc.tuple(dtypes, shapes).chain(([dtype, shape]) => {
  const bytes = shape.reduce((product, size) => product * size, BYTES_PER_ELEMENT[dtype]);
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(data => ({ dtype, shape, data: new ARRAY_OF[dtype](Uint8Array.from(data).buffer) }) as StoredTensor);
});
const names = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 8 }), // any code point, also controls and astral ones
    fc.constantFrom('__proto__', 'constructor', '0', 'blocks.0.attn.qkv.weight'),
  )
  .filter(name => name !== '__metadata__');
const contents = fc.array(fc.tuple(names, storedTensor), { maxLength: 6 }).map(entries => new Map(entries));
const metadata = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { noNullPrototype: true, maxKeys: 4 });

/** Bytes instead of numbers, so that NaNs with different payloads count as different. */
const comparable = (tensors: ReadonlyMap<string, StoredTensor>) =>
  new Map([...tensors].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex') }]));

describe('safetensors', () => {
  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(contents, metadata, (tensors, texts) => {
        const read = parseSafetensors(serializeSafetensors(tensors, texts));
        expect(comparable(read.tensors)).toEqual(comparable(tensors));
        expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(texts).sort());
      }),
    );
  });

  it('writes what it read, byte for byte', () => {
    fc.assert(
      fc.property(contents, metadata, (tensors, texts) => {
        const bytes = serializeSafetensors(tensors, texts);
        const read = parseSafetensors(bytes);
        expect(Buffer.compare(serializeSafetensors(read.tensors, read.metadata), bytes)).toBe(0);
      }),
    );
  });
});
