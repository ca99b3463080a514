import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIdx } from '../../src/tinymim/data/idx.ts';

const arrays = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }).chain(shape => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc.record({ shape: fc.constant(shape), data: fc.uint8Array({ minLength: length, maxLength: length }) });
});

function encode(shape: readonly number[], data: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap(size => [0, 0, 0, size]), ...data]);
}

describe('parseIdx', () => {
  it('gives back what was encoded, plain or gzipped', () => {
    fc.assert(
      fc.property(arrays, fc.boolean(), ({ shape, data }, gzipped) => {
        const bytes = encode(shape, data);
        const parsed = parseIdx(gzipped ? gzipSync(bytes) : bytes, 'x');
        expect(parsed.shape).toEqual(shape);
        expect(Buffer.compare(parsed.data, data)).toBe(0);
      }),
    );
  });
});
