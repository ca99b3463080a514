import { describe, expect, test } from 'vitest';
import { armReference, armsOf, pairsOf } from '../../../../src/core/ablation/claims.ts';
import type { Comparison } from '../../../../src/core/ablation/declaration.ts';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { byName, foreignAblations, foreignReferenceProblems } from '../../../../src/core/ablation/references.ts';
import { problemText } from '../../../../src/core/ablation/problems.ts';
import { parseAblation } from '../../../../src/core/ablation/validate.ts';
import study from '../../../toy/experiments/study.ts';

const name = (arm: string, ablation = 'cut') => ({ ablation, arm });

describe('pairsOf', () => {
  test('a comparison of two is one pair', () => {
    expect(pairsOf({ type: 'greater', arm: 'a', than: 'b' }, 'cut')).toEqual([{ type: 'greater', arm: name('a'), than: name('b') }]);
    expect(pairsOf({ type: 'not-worse', arm: 'a', than: 'variety/oak' }, 'cut')).toEqual([{ type: 'not-worse', arm: name('a'), than: name('oak', 'variety') }]);
  });

  test('the best is above each of the others', () => {
    expect(pairsOf({ type: 'best', arm: 'a', of: ['b', 'variety/c'] }, 'cut')).toEqual([
      { type: 'greater', arm: name('a'), than: name('b') },
      { type: 'greater', arm: name('a'), than: name('c', 'variety') },
    ]);
  });

  test('what is monotone rises from neighbour to neighbour', () => {
    expect(pairsOf({ type: 'monotone', arms: ['low', 'middle', 'high'] }, 'cut')).toEqual([
      { type: 'greater', arm: name('middle'), than: name('low') },
      { type: 'greater', arm: name('high'), than: name('middle') },
    ]);
  });

  test('names no arm that the comparison does not', () => {
    const all: Comparison[] = [
      { type: 'greater', arm: 'a', than: 'b' },
      { type: 'best', arm: 'a', of: ['b', 'c'] },
      { type: 'monotone', arms: ['a', 'b', 'c'] },
    ];
    for (const comparison of all) {
      const inPairs = new Set(pairsOf(comparison, 'cut').flatMap(p => [p.arm.arm, p.than.arm]));
      expect([...inPairs].sort()).toEqual(armsOf(comparison).map(([, arm]) => arm));
    }
  });

  test('an arm is of its own ablation unless it says otherwise', () => {
    expect(armReference('qk-vv', 'relation')).toEqual({ ablation: 'relation', arm: 'qk-vv' });
    expect(armReference('masking/raw', 'relation')).toEqual({ ablation: 'masking', arm: 'raw' });
  });
});

const good = {
  name: 'cut',
  title: 'Where to cut',
  table: 'ours',
  question: 'Where?',
  expected: 'Nothing.',
  base: {},
  default: 'whole',
  arms: [
    { name: 'whole', label: 'Whole', factors: {} },
    { name: 'half', label: 'Half', factors: { cut: 0.5 } },
    { name: 'none', label: 'None', factors: { cut: 0 } },
  ],
};
const claimed = (...parts: unknown[]): object => ({ claims: [{ name: 'c', sentence: 'Whole is best.', source: 'Table 1', parts }] });
const parse = (changes: object) => parseAblation({ ...good, ...changes }, 'file.ts', 'cut', study);

function refusal(changes: object): string[] {
  try {
    parse(changes);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n').map(line => line.replace(/^file\.ts: /, ''));
  }
  throw new Error('expected a refusal');
}

describe('a claim', () => {
  test('may compare arms of this ablation and of others', () => {
    const changes = claimed({ type: 'best', arm: 'whole', of: ['half', 'cut/none'] }, { type: 'greater', arm: 'whole', than: 'variety/elm' });
    expect(parse(changes).claims).toHaveLength(1);
    expect(foreignAblations(parse(changes))).toEqual(['variety']);
  });

  test.each<[string, unknown, string]>([
    ['an arm that is not there', { type: 'greater', arm: 'hole', than: 'half' }, "claims[0].parts[0].arm: no arm 'hole'; did you mean 'whole'?"],
    ['an arm that is not there, named in full', { type: 'greater', arm: 'whole', than: 'cut/hlf' }, "claims[0].parts[0].than: no arm 'hlf'; did you mean 'half'?"],
    ['an arm above itself', { type: 'greater', arm: 'half', than: 'cut/half' }, "claims[0].parts[0].than: expected an arm other than claims[0].parts[0].arm, got 'cut/half' again"],
    ['the best of a set with itself in it', { type: 'best', arm: 'half', of: ['none', 'half'] }, "claims[0].parts[0].of[1]: expected an arm other than claims[0].parts[0].arm, got 'cut/half' again"],
    ['a set that names an arm twice', { type: 'best', arm: 'half', of: ['none', 'none'] }, "claims[0].parts[0].of[1]: expected an arm other than claims[0].parts[0].of[0], got 'cut/none' again"],
    ['an order that comes back', { type: 'monotone', arms: ['half', 'none', 'half'] }, "claims[0].parts[0].arms[2]: expected an arm other than claims[0].parts[0].arms[0], got 'cut/half' again"],
    ['the best of nothing', { type: 'best', arm: 'half', of: [] }, 'claims[0].parts[0].of: too small: expected array to have >=1 items, got a list of 0'],
    ['an order of one', { type: 'monotone', arms: ['half'] }, 'claims[0].parts[0].arms: too small: expected array to have >=2 items, got a list of 1'],
    ['a name with two slashes', { type: 'greater', arm: 'a/b/c', than: 'half' }, "claims[0].parts[0].arm: expected 'arm' or 'ablation/arm', got 'a/b/c' (string)"],
    ['an unknown field', { type: 'greater', arm: 'whole', then: 'half', than: 'half' }, "claims[0].parts[0].then: unknown field; did you mean 'than'?"],
  ])('refuses %s', (_, part, message) => {
    expect(refusal(claimed(part))).toEqual([message]);
  });

  test('needs words, a source, parts, a margin that is none below zero, and a name of its own', () => {
    const part = { type: 'greater', arm: 'whole', than: 'half' };
    const whole = { name: 'c', sentence: 's', source: 's', parts: [part] };
    expect(refusal({ claims: [{ ...whole, sentence: '', margin: -1, parts: [] }] })).toEqual([
      "claims[0].sentence: expected a text that can be seen, got '' (string)",
      'claims[0].parts: too small: expected array to have >=1 items, got a list of 0',
      'claims[0].margin: too small: expected number to be >=0, got -1 (number)',
    ]);
    expect(refusal({ claims: [whole, whole] })).toEqual(["claims[1].name: 'c' is already taken by claims[0].name"]);
  });
});

describe('an arm that is the same as another', () => {
  const shared = (changes: object): object => ({ arms: [...good.arms, { name: 'same', label: 'Same', ...changes }] });

  test('has no factors of its own', () => {
    expect(refusal(shared({ sameAs: 'variety/oak', factors: {} }))).toEqual(["arms[3]: expected either 'factors' or 'sameAs', got an object with name, label, sameAs, factors"]);
    expect(refusal(shared({}))).toEqual(["arms[3]: expected either 'factors' or 'sameAs', got an object with name, label"]);
  });

  test('is of another ablation', () => {
    expect(refusal(shared({ sameAs: 'oak' }))).toEqual(["arms[3].sameAs: expected 'ablation/arm', got 'oak' (string)"]);
    expect(refusal(shared({ sameAs: 'cut/half' }))).toEqual(["arms[3].sameAs: expected 'ablation/arm' of another ablation, got 'cut/half' of this one"]);
  });

  test('must be there, with factors', () => {
    const others = new Map([['variety', byName(parseAblation({ ...good, name: 'variety', ...shared({ sameAs: 'cut/half' }) }, 'file.ts', 'variety', study))]]);
    const found = (sameAs: string): string[] => foreignReferenceProblems(parse(shared({ sameAs })), others, ['cut', 'variety'], study).map(problemText);
    expect(found('variety/half')).toEqual([]);
    expect(found('varity/half')).toEqual(["arms[3].sameAs: no ablation 'varity'; did you mean 'variety'?"]);
    expect(found('variety/hlf')).toEqual(["arms[3].sameAs: ablation 'variety' has no arm 'hlf'; did you mean 'half'?"]);
    expect(found('variety/same')).toEqual(["arms[3].sameAs: expected an arm with factors of its own, got 'variety/same', which is the same as 'cut/half': name that one"]);
  });
});

describe('reference rows and inconsistencies', () => {
  const published = { value: 1, unit: 'kg', table: 'T', row: 'r', column: 'c', source: 's', quote: 'q' };

  test('are data with a source', () => {
    expect(parse({ references: [{ label: 'Theirs', published }], inconsistencies: [{ text: 'a', table: 'b', source: 'c' }] }).references).toHaveLength(1);
    expect(refusal({ references: [{ label: 'Theirs' }], inconsistencies: [{ text: '', table: 'b', source: 'c' }] })).toEqual([
      'references[0].published: expected object, got nothing',
      "inconsistencies[0].text: expected a text that can be seen, got '' (string)",
    ]);
  });
});
