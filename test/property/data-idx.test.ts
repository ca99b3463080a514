import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdxError, parseIdx } from '../../src/data/idx.ts';

const arrays = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }).chain(shape => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc.record({ shape: fc.constant(shape), data: fc.uint8Array({ minLength: length, maxLength: length }) });
});

function encode(shape: readonly number[], data: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap(size => [0, 0, 0, size]), ...data]);
}

describe('parseIdx', () => {
  it('gives back what was encoded, plain or gzipped', () => {
    fc.assert(fc.property(arrays, fc.boolean(), ({ shape, data }, gzipped) => {
      const bytes = encode(shape, data);
      const parsed = parseIdx(gzipped ? gzipSync(bytes) : bytes, 'x');
      expect(parsed.shape).toEqual(shape);
      expect(Buffer.compare(parsed.data, data)).toBe(0);
    }));
  });

  it('never reads a damaged file as the same array, and fails only with IdxError', () => {
    fc.assert(fc.property(arrays, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), ({ shape, data }, at, flip, cut) => {
      const bytes = encode(shape, data);
      const place = at % bytes.length;
      const damaged = cut ? bytes.slice(0, place) : bytes.map((byte, i) => (i === place ? byte ^ flip : byte));
      try {
        const parsed = parseIdx(damaged, 'x');
        expect({ shape: parsed.shape, data: [...parsed.data] }).not.toEqual({ shape, data: [...data] });
      } catch (error) {
        if (!(error instanceof IdxError)) throw error;
      }
    }));
  });

  it('reads nothing but idx out of random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      try {
        const { shape, data } = parseIdx(bytes, 'x');
        expect(Buffer.compare(encode(shape, data), bytes)).toBe(0);
      } catch (error) {
        if (!(error instanceof IdxError)) throw error;
      }
    }));
  });
});
