import { describe, expect, test } from 'vitest';
import type { Claim } from '../../../../../src/core/ablation/declaration.ts';
import { composeSides, countClaims, directionOf, evaluateClaims, type ClaimResult } from '../../../../../src/core/report/model/claims.ts';
import { cell, claim, claimAblation, claimInput, type Accuracies } from '../../../../helpers/report/claims.ts';

const ARMS = ['a', 'b', 'c'];
/** a above b above c, each by about 2 points with a small spread. */
const RANKED: Accuracies = { 'x/a': [0.841, 0.842, 0.84], 'x/b': [0.82, 0.822, 0.821], 'x/c': [0.802, 0.801, 0.8] };
const only = (claims: readonly ClaimResult[]): ClaimResult => {
  expect(claims).toHaveLength(1);
  return claims[0]!;
};
const judgeOne = (parts: Claim['parts'], accuracies: Accuracies, rest: Partial<Claim> = {}): ClaimResult =>
  only(evaluateClaims(claimInput([claimAblation('x', ARMS, [claim(parts, rest)])], accuracies)));

describe('claims and their parts', () => {
  test('a claim that holds is reproduced, its reverse contradicted', () => {
    expect(judgeOne([{ type: 'greater', arm: 'a', than: 'b' }], RANKED)).toMatchObject({ verdict: 'reproduced', direction: undefined });
    expect(judgeOne([{ type: 'greater', arm: 'b', than: 'a' }], RANKED)).toMatchObject({ verdict: 'contradicted', direction: undefined });
  });

  test('best and monotone are taken apart into pairs', () => {
    const best = judgeOne([{ type: 'best', arm: 'a', of: ['b', 'c'] }], RANKED);
    expect(best.pairs.map(({ arm, than, verdict }) => [arm.arm, than.arm, verdict])).toEqual([
      ['a', 'b', 'reproduced'],
      ['a', 'c', 'reproduced'],
    ]);
    expect(best.deciding.than.arm).toBe('b');
    expect(best.verdict).toBe('reproduced');
    expect(judgeOne([{ type: 'monotone', arms: ['c', 'b', 'a'] }], RANKED).verdict).toBe('reproduced');
    expect(judgeOne([{ type: 'monotone', arms: ['a', 'b', 'c'] }], RANKED).verdict).toBe('contradicted');
  });

  test('one part that is contradicted contradicts the claim, one that is not run leaves it so', () => {
    const parts: Claim['parts'] = [
      { type: 'greater', arm: 'a', than: 'b' },
      { type: 'greater', arm: 'c', than: 'b' },
    ];
    expect(judgeOne(parts, RANKED).verdict).toBe('contradicted');
    expect(judgeOne(parts, { 'x/a': RANKED['x/a']!, 'x/b': RANKED['x/b']! }).verdict).toBe('not run');
  });

  test.each([
    [['agrees', 'agrees'], 'agrees'],
    [['agrees', 'within noise'], 'within noise'],
    [['within noise', 'disagrees', 'agrees'], 'disagrees'],
  ] as const)('open parts %j: %s', (directions, expected) => {
    const parts = directions.map(direction => ({ verdict: 'undecided' as const, direction }));
    expect(directionOf(parts)).toBe(expected);
    // A reproduced part agrees.
    expect(directionOf([{ verdict: 'reproduced', direction: undefined }, ...parts])).toBe(expected);
    expect(directionOf([{ verdict: 'not run', direction: undefined }, ...parts])).toBeUndefined();
  });

  test('a claim is as reproduced as its least part, and pays for every try at contradicting it', () => {
    const parts = [
      { reproduced: 0.001, contradicted: 0.99 },
      { reproduced: 0.97, contradicted: 0.02 },
      { reproduced: 0.3, contradicted: 0.6 },
    ];
    expect(composeSides(parts)).toEqual({ reproduced: 0.97, contradicted: 0.06 });
    expect(composeSides([...parts, undefined])).toBeUndefined();
  });
});

describe('margin', () => {
  const parts: Claim['parts'] = [{ type: 'greater', arm: 'a', than: 'b' }];

  test('is the profile\u2019s, in points, unless the claim names one', () => {
    expect(judgeOne(parts, RANKED).pairs[0]!.margin).toBe(0.0016);
    const wide = judgeOne(parts, RANKED, { margin: 5 });
    expect(wide.pairs[0]!.margin).toBe(0.05);
    expect(wide).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
  });

  test('is zero without either, whatever the paper\u2019s own noise is', () => {
    const input = claimInput([claimAblation('x', ARMS, [claim(parts)])], RANKED);
    expect(input.study.report.publishedNoise).toBeDefined();
    for (const verdicts of [undefined, false] as const) expect(only(evaluateClaims({ ...input, profile: { ...input.profile, verdicts } })).pairs[0]!.margin).toBe(0);
  });
});

describe('arms of other ablations', () => {
  const parts: Claim['parts'] = [{ type: 'greater', arm: 'a', than: 'y/d' }];
  const records: Accuracies = { ...RANKED, 'y/d': [0.7, 0.71, 0.72] };

  test('are found and named with their ablation', () => {
    const x = claimAblation('x', ARMS, [claim(parts)]);
    const result = only(evaluateClaims(claimInput([x, claimAblation('y', ['d'], [])], records)));
    expect(result).toMatchObject({ verdict: 'reproduced', ablation: 'x' });
    expect(result.pairs[0]!.than).toEqual({ ablation: 'y', arm: 'd', label: 'y: D' });
    expect(result.pairs[0]!.arm.label).toBe('A');
  });

  test('whose ablation is not in the report count where the records have them', () => {
    expect(judgeOne(parts, records).verdict).toBe('reproduced');
    expect(judgeOne(parts, RANKED)).toMatchObject({ verdict: 'not run', pairs: [{ than: { label: 'y/d' }, published: undefined }] });
  });
});

describe('the published side', () => {
  const published = { a: cell(84.6), b: cell(84.8), c: cell(84.4) };
  const outcome = (parts: Claim['parts'], rest: Partial<Claim> = {}, cells = published): ClaimResult['published'] =>
    only(evaluateClaims(claimInput([claimAblation('x', ARMS, [claim(parts, rest)], cells)], {}))).published;

  test('a sentence that the paper\u2019s own table contradicts is told', () => {
    expect(outcome([{ type: 'best', arm: 'a', of: ['b', 'c'] }])).toBe('contradicts');
    const { pairs } = only(evaluateClaims(claimInput([claimAblation('x', ARMS, [claim([{ type: 'best', arm: 'a', of: ['b', 'c'] }])], published)], {})));
    expect(pairs.map(pair => pair.published)).toEqual([
      { gap: -0.2, outcome: 'contradicts' },
      { gap: 0.2, outcome: 'supports' },
    ]);
  });

  test('a gap below the claim\u2019s own margin or the paper\u2019s noise is within noise', () => {
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }])).toBe('supports');
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }], { margin: 0.3 })).toBe('within noise');
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }], { margin: 0 }, { ...published, c: cell(84.5) })).toBe('within noise');
    expect(outcome([{ type: 'not-worse', arm: 'a', than: 'b' }], { margin: 0 }, { ...published, b: cell(84.6) })).toBe('within noise');
  });

  test('values that are as good as equal support a claim of no difference', () => {
    expect(outcome([{ type: 'same', arm: 'a', than: 'b' }], {}, { ...published, b: cell(84.7) })).toBe('supports');
    expect(outcome([{ type: 'same', arm: 'a', than: 'b' }])).toBe('contradicts');
  });

  test('values of different units do not compare', () => {
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }], {}, { ...published, c: cell(50, 'mIoU') })).toBeUndefined();
  });
});

describe('all claims together', () => {
  const claims: readonly Claim[] = [
    claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: 'holds' }),
    claim([{ type: 'best', arm: 'a', of: ['b', 'c'] }], { name: 'holds-too' }),
    claim([{ type: 'greater', arm: 'c', than: 'b' }], { name: 'fails' }),
    claim([{ type: 'greater', arm: 'a', than: 'missing/arm' }], { name: 'open' }),
    claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: 'wide', margin: 3 }),
  ];
  const results = evaluateClaims(claimInput([claimAblation('x', ARMS, claims)], RANKED));

  test('are counted by verdict', () => {
    expect(countClaims(results)).toEqual({
      total: 5,
      reproduced: 2,
      contradicted: 1,
      undecided: 1,
      interim: 0,
      exploratory: 0,
      noVerdict: 0,
      notRun: 1,
      agrees: 0,
      disagrees: 0,
      withinNoise: 1,
      beforeCorrection: { reproduced: 2, contradicted: 1 },
    });
  });

  test('Holm\u2019s correction takes back what one claim in many may show by chance, and the interval shows it', () => {
    const edge: Accuracies = { 'x/a': [0.806, 0.812, 0.809], 'x/b': [0.8, 0.8, 0.8] };
    const above = claim([{ type: 'greater', arm: 'a', than: 'b' }], { margin: 0 });
    const alone = only(evaluateClaims(claimInput([claimAblation('x', ['a', 'b'], [above])], edge)));
    expect(alone).toMatchObject({ verdict: 'reproduced', beforeCorrection: 'reproduced' });
    expect(alone.p!.adjusted).toBe(alone.p!.value);
    expect(alone.deciding.interval!.level).toBe(0.95);
    expect(alone.deciding.interval!.low).toBeGreaterThan(0);
    // Not run, and yet asked for: that is part of what might have come out by chance.
    const others = Array.from({ length: 11 }, (_, i) => claim([{ type: 'greater', arm: 'a', than: 'missing/arm' }], { name: `n${i}` }));
    const [first, second] = evaluateClaims(claimInput([claimAblation('x', ['a', 'b'], [above, ...others])], edge));
    expect(first).toMatchObject({ verdict: 'undecided', beforeCorrection: 'reproduced', direction: 'agrees' });
    expect(first!.p!.adjusted).toBeCloseTo(12 * first!.p!.value, 12);
    expect(first!.deciding.interval!.level).toBeCloseTo(1 - 0.05 / 12, 12);
    expect(first!.deciding.interval!.low).toBeLessThan(0);
    expect(second).toMatchObject({ verdict: 'not run', p: undefined });
  });

  test('each ablation is a family of its own', () => {
    const edge: Accuracies = { 'x/a': [0.806, 0.812, 0.809], 'x/b': [0.8, 0.8, 0.8] };
    const above = claim([{ type: 'greater', arm: 'x/a', than: 'x/b' }], { margin: 0 });
    const others = Array.from({ length: 11 }, (_, i) => claim([{ type: 'greater', arm: 'd', than: 'e' }], { name: `n${i}` }));
    expect(evaluateClaims(claimInput([claimAblation('x', ['a', 'b'], [above]), claimAblation('y', ['d', 'e'], others)], edge))[0]!.verdict).toBe('reproduced');
  });

  test('a claim has a p only where each comparison has one', () => {
    const parts: Claim['parts'] = [
      { type: 'greater', arm: 'a', than: 'b' },
      { type: 'greater', arm: 'a', than: 'c' },
    ];
    const both = judgeOne(parts, RANKED);
    expect(both.p!.value).toBe(2 * Math.max(...both.pairs.map(pair => pair.sides!.reproduced)));
    const half = judgeOne(parts, { ...RANKED, 'x/c': [0.8, null, null] });
    expect(half).toMatchObject({ verdict: 'interim', direction: 'agrees', p: undefined, seeds: { n: 1, declared: 3 }, deciding: { interval: undefined } });
  });

  test('of several comparisons, the one that contradicts the claim decides, at the level that its tries leave it', () => {
    const result = judgeOne([{ type: 'monotone', arms: ['c', 'a', 'b'] }], RANKED);
    expect(result).toMatchObject({ verdict: 'contradicted', deciding: { arm: { arm: 'b' }, than: { arm: 'a' } } });
    expect(result.deciding.interval!.level).toBeCloseTo(1 - 0.05 / 2, 12);
    expect(result.deciding.interval!.high).toBeLessThan(-0.0016);
  });

  test('which is the one with the smallest p against it, not the one with the largest for it', () => {
    const values: Accuracies = { 'x/a': [0.8, 0.801, 0.802], 'x/b': [0.85, 0.862, 0.846], 'x/c': [0.801, 0.8021, 0.8028] };
    const result = judgeOne([{ type: 'best', arm: 'a', of: ['b', 'c'] }], values);
    expect(result).toMatchObject({ verdict: 'contradicted', deciding: { than: { arm: 'b' } } });
    expect(result.deciding.interval!.high).toBeLessThan(-0.0016);
  });

  test('and while one waits for seeds, the one that is furthest from what it needs', () => {
    const values: Accuracies = { 'x/a': [0.8, 0.81, 0.802], 'x/b': [0.801, 0.807, 0.805], 'x/c': [0.9, null, null] };
    expect(judgeOne([{ type: 'best', arm: 'a', of: ['b', 'c'] }], values)).toMatchObject({ verdict: 'interim', seeds: { n: 1 }, deciding: { than: { arm: 'c' } } });
  });

  test('the differences per seed are kept', () => {
    const { perSeed } = judgeOne([{ type: 'greater', arm: 'a', than: 'b' }], { ...RANKED, 'x/a': [0.841, null, 0.84] }).pairs[0]!;
    expect(perSeed).toEqual([
      { seed: 0, delta: 0.021 },
      { seed: 2, delta: 0.019 },
    ]);
  });
});
