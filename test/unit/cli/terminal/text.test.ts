import { describe, expect, it } from 'vitest';
import { shorten } from '../../../../src/core/text/clean.ts';
import { formatAmount, formatCount, listed, plural } from '../../../../src/core/text/format.ts';
import { columns, duration, firstOf, textTable, when, wrap } from '../../../../src/cli/terminal/text.ts';

describe('numbers for the terminal', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [60, '1 min 00 s'],
    [125, '2 min 05 s'],
    [3600, '1 h 00 min'],
    [7384, '2 h 03 min'],
    [-3, '0 s'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 FLOP'],
    [999, '999 FLOP'],
    [1234, '1.23 kFLOP'],
    [3.1e12, '3.1 TFLOP'],
    [2.5e21, '2.5 ZFLOP'],
  ])('%d operations are %s', (n, text) => {
    expect(formatAmount(n, 'FLOP')).toBe(text);
  });

  it('groups thousands and counts things', () => {
    expect(formatCount(1234567)).toBe('1,234,567');
    expect(plural(1, 'stage')).toBe('1 stage');
    expect(plural(2000, 'stage')).toBe('2,000 stages');
  });
});

describe('table', () => {
  it('aligns the first column left and the others right, colours not counted', () => {
    const green = '\u001b[32mdone\u001b[39m';
    expect(
      textTable([
        ['name', 'n'],
        ['a', '10'],
        [green, '5'],
      ]),
    ).toBe(`  name   n\n  a     10\n  ${green}   5`);
  });
});

describe('the width of the terminal', () => {
  it.each([
    [{ isTTY: true, columns: 132 }, 132],
    [{ isTTY: true, columns: 0 }, 80],
    [{ isTTY: true, columns: 7 }, 40],
    [{ isTTY: false, columns: 0 }, 100],
  ])('%j gives %d columns', (screen, width) => {
    expect(columns(screen)).toBe(width);
  });
});

describe('lines for the terminal', () => {
  it('wrap at the width, with an indent that counts, and keep long words whole', () => {
    expect(wrap('one two three', 7, '  ')).toBe('one two\n  three');
    expect(wrap('one two three', 6, '  ')).toBe('one\n  two\n  three');
    expect(wrap('unbreakable', 4, '  ')).toBe('unbreakable');
  });

  it('list things as people do', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
    expect(firstOf(['a', 'b', 'c'], 3)).toBe('a, b and c');
    expect(firstOf(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1.234e9, '1.23 GB'],
    [5e15, '5 PB'],
  ])('%d bytes are %s', (n, text) => {
    expect(formatAmount(n, 'B')).toBe(text);
  });

  it('give times in the local time zone, to the minute', () => {
    expect(when(new Date(2026, 0, 2, 3, 4, 5).toISOString())).toBe('2026-01-02 03:04');
  });

  it('cut what is too long', () => {
    expect([shorten('abcd', 4), shorten('abcde', 4)]).toEqual(['abcd', 'abc…']);
  });
});
