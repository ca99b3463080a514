import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { IdxError, parseIdx } from '../../../../src/tinymim/data/idx.ts';

const header = (...sizes: number[]): number[] => sizes.flatMap(size => [size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]);
const valid = Uint8Array.from([0, 0, 8, 2, ...header(2, 3), 1, 2, 3, 4, 5, 255]);

function code(bytes: Uint8Array): string | undefined {
  try {
    parseIdx(bytes, 'test.idx');
    return undefined;
  } catch (error) {
    if (!(error instanceof IdxError)) throw error;
    expect(error.message).toMatch(/^Expected test\.idx to .*, got.*\.$/);
    return error.code;
  }
}

describe('parseIdx', () => {
  it.each([
    ['plain', valid],
    ['gzipped', gzipSync(valid)],
  ])('reads a %s file', (_, bytes) => {
    const { shape, data } = parseIdx(bytes, 'test.idx');
    expect(shape).toEqual([2, 3]);
    expect([...data]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it('reads bytes that do not begin at the start of their buffer', () => {
    const shifted = new Uint8Array(valid.length + 3);
    shifted.set(valid, 3);
    expect([...parseIdx(shifted.subarray(3), 'test.idx').data]).toEqual([1, 2, 3, 4, 5, 255]);
  });

  it.each([
    ['an empty file', Uint8Array.of(), 'TRUNCATED'],
    ['half a header', valid.subarray(0, 9), 'TRUNCATED'],
    ['too few elements', valid.subarray(0, -1), 'TRUNCATED'],
    ['an element too many', Uint8Array.of(...valid, 0), 'TRAILING_DATA'],
    ['another format', Uint8Array.from('PNG...', c => c.charCodeAt(0)), 'MAGIC'],
    ['floats', Uint8Array.of(0, 0, 0x0d, 0), 'ELEMENT_TYPE'],
    ['sizes whose product is beyond any file', Uint8Array.from([0, 0, 8, 3, ...header(2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1)]), 'TOO_LARGE'],
    ['damaged gzip', gzipSync(valid).subarray(0, -9), 'GZIP'],
  ])('refuses %s', (_, bytes, expected) => {
    expect(code(bytes)).toBe(expected);
  });
});
