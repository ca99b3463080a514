import { describe, expect, test } from 'vitest';
import { formatCount, formatDelta, formatFlops, formatPublished, formatPublishedDelta, formatValue, plural } from '../../../../src/core/text/format.ts';

describe('number formats', () => {
  test.each([
    [0.87344, 'fraction', '87.34'],
    [1, 'fraction', '100.00'],
    [0.2852941, 'ratio', '0.285'],
    [2.84e-4, 'ratio', '2.8e\u22124'],
    [0, 'ratio', '0.000'],
    [1234567, 'count', '1,234,567'],
    [0.0795432, 'loss', '0.07954'],
    [12.3456, 'loss', '12.35'],
    [123456, 'loss', '123456'],
    [0.0000123, 'loss', '1.23e\u22125'],
    [0, 'loss', '0'],
  ] as const)('%d as %s', (value, unit, expected) => expect(formatValue(value, unit)).toBe(expected));

  test.each([
    [0.0035, 'fraction', '+0.35'],
    [-0.0035, 'fraction', '\u22120.35'],
    [-0.00001, 'fraction', '0.00'],
    [0.5, 'loss', '+0.5000'],
    [-2, 'count', '\u22122'],
  ] as const)('difference %d of %s', (value, unit, expected) => expect(formatDelta(value, unit)).toBe(expected));

  test('published numbers keep the digits of the paper', () => {
    expect([83.6, 84, 72.25].map(formatPublished)).toEqual(['83.6', '84.0', '72.25']);
    expect([1, -0.2, 0].map(formatPublishedDelta)).toEqual(['+1.0', '\u22120.2', '0.0']);
  });

  test.each([
    [0, 'unknown'],
    [999, '999 FLOP'],
    [999_999, '1.00 MFLOP'],
    [1.234e12, '1.23 TFLOP'],
    [6.2e20, '620 EFLOP'],
  ])('%d operations', (flops, expected) => expect(formatFlops(flops)).toBe(expected));

  test('counts', () => {
    expect([0, 999, 1000, 1234567.4].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([plural(1, 'pair'), plural(2000, 'pair'), plural(2, 'entry', 'entries')]).toEqual(['1 pair', '2,000 pairs', '2 entries']);
  });
});
