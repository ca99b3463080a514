import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSeen, lookalikes } from '../../../../src/core/ablation/lookalike.ts';

const alike = (...labels: string[]): string[] => lookalikes(labels.map((label, i) => [label, ['arms', i, 'label']])).map(({ message }) => message);

describe('labels that look alike', () => {
  test.each([
    ['Oak', 'Oak'],
    ['Oak', 'oak'],
    ['Oak', '\u041eak'], // Cyrillic O
    ['Oak', '\u039f\u0430k'], // Greek O, Cyrillic a
    ['OAK', '\u039f\u0391\u039a'],
    ['Oak', 'Oa\u200bk'], // zero width space
    ['Oak', 'Oak\u00a0'],
    ['Oak', '\u202eOak'],
    ['Oak', '\uff2fak'], // full width
    ['fir tree', 'fir  tree'],
    ['fir tree', '\ufb01r\u2003tree'], // a ligature, a wide space
    ['a-b', 'a\u2010b'],
    ['1\u20132', '1\u22122'],
    ["Ada's", 'Ada\u2019s'],
    ['\u00e9', 'e\u0301'],
  ])('%j and %j', (a, b) => {
    expect(alike(a, b)).toHaveLength(1);
  });

  test.each([
    ['Q-K', 'K-Q'],
    ['Oak', 'Oaks'],
    ['0', 'O'],
    ['1', 'l'],
    ['e', '\u00e9'],
    ['\u03b2', 'b'],
    ['Q K', 'QK'],
    ['樫', '楡'],
  ])('but not %j and %j', (a, b) => {
    expect(alike(a, b)).toEqual([]);
  });

  test('are named both, with what cannot be seen', () => {
    expect(alike('Elm', 'Oak', 'O\u0430k\u200b')).toEqual(["expected a label that a reader can tell from others, got 'O\\u{430}k\\u{200b}', which looks like 'Oak' of arms[1].label"]);
  });

  test('every later one is told of the first, and no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(99), { minLength: 1 }), fc.array(fc.constantFrom('\u200b', ' ', '\u2060')), (numbers, unseen) => {
        const labels = numbers.map(n => `arm ${n}`);
        expect(alike(...labels)).toEqual([]);
        expect(alike(...labels, ...labels.map(label => `${unseen.join('')}${label}${unseen.join('')}`))).toHaveLength(labels.length);
      }),
    );
  });
});

test.each([
  ['', false],
  [' ', false],
  ['\u200b\u00a0\ufeff', false],
  ['\u2800', false],
  ['\u0007', false],
  ['-', true],
  ['\u00a0x', true],
])('%j is seen: %s', (text, seen) => {
  expect(isSeen(text)).toBe(seen);
});
