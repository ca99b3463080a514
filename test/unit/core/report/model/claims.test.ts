import { describe, expect, test } from 'vitest';
import type { Claim } from '../../../../../src/core/ablation/declaration.ts';
import { compose, countClaims, countComparisons, evaluateClaims, survives, type ClaimResult } from '../../../../../src/core/report/model/claims.ts';
import { multiplicity, multiplicitySentences } from '../../../../../src/core/report/model/multiplicity.ts';
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
  ] as const)('undecided parts %j: %s', (directions, expected) => {
    const parts = directions.map(direction => ({ verdict: 'undecided' as const, direction }));
    expect(compose(parts)).toEqual({ verdict: 'undecided', direction: expected });
    // A reproduced part agrees.
    expect(compose([{ verdict: 'reproduced', direction: undefined }, ...parts])).toEqual({ verdict: 'undecided', direction: expected });
  });
});

describe('margin', () => {
  const parts: Claim['parts'] = [{ type: 'greater', arm: 'a', than: 'b' }];

  test('is the paper\u2019s noise in points unless the claim names one', () => {
    expect(judgeOne(parts, RANKED).pairs[0]!.margin).toBe(0.0016);
    const wide = judgeOne(parts, RANKED, { margin: 5 });
    expect(wide.pairs[0]!.margin).toBe(0.05);
    expect(wide).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
  });

  test('is zero without either', () => {
    const input = claimInput([claimAblation('x', ARMS, [claim(parts)])], RANKED);
    const { publishedNoise, ...report } = input.study.report;
    expect(publishedNoise).toBeDefined();
    expect(only(evaluateClaims({ ...input, study: { ...input.study, report } })).pairs[0]!.margin).toBe(0);
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

  test('a gap below the margin or the paper\u2019s noise is within noise', () => {
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }])).toBe('supports');
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }], { margin: 0.3 })).toBe('within noise');
    expect(outcome([{ type: 'greater', arm: 'a', than: 'c' }], { margin: 0 }, { ...published, c: cell(84.5) })).toBe('within noise');
    expect(outcome([{ type: 'not-worse', arm: 'a', than: 'b' }], { margin: 0 }, { ...published, b: cell(84.6) })).toBe('within noise');
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
    expect(countClaims(results)).toEqual({ total: 5, reproduced: 2, contradicted: 1, agrees: 0, disagrees: 0, withinNoise: 1, notRun: 1 });
  });

  test('a comparison counts once, however many claims contain it', () => {
    expect(countComparisons(results)).toMatchObject({ total: 5, tested: 4, reproduced: 2, contradicted: 1 });
  });

  test('Holm\u2019s correction takes back what one claim in many may show by chance', () => {
    // p = 0.04 alone; with 11 others that show nothing it would have to be below 0.05 / 12.
    const edge: Accuracies = { 'x/a': [0.804, 0.812, 0.807], 'x/b': [0.8, 0.8, 0.8] };
    const above = claim([{ type: 'greater', arm: 'a', than: 'b' }], { margin: 0 });
    const alone = only(evaluateClaims(claimInput([claimAblation('x', ['a', 'b'], [above])], edge)));
    expect(alone).toMatchObject({ verdict: 'reproduced', signFlip: { value: 0.125, adjusted: 0.125 } });
    expect(alone.tTest!.adjusted).toBe(alone.tTest!.value);
    expect(survives(alone.tTest)).toBe(true);
    const names = Array.from({ length: 11 }, (_, i) => `n${i}`);
    const others = names.map(than => claim([{ type: 'greater', arm: 'b', than }], { margin: 0, name: than }));
    const many = evaluateClaims(
      claimInput([claimAblation('x', ['a', 'b', ...names], [above, ...others])], { ...edge, ...Object.fromEntries(names.map((name, i) => [`x/${name}`, [0.8 + i / 1e4, 0.799 - i / 1e4, 0.801]])) }),
    );
    expect(many[0]!.verdict).toBe('reproduced');
    expect(many[0]!.tTest!.adjusted).toBeCloseTo(12 * many[0]!.tTest!.value, 12);
    expect(survives(many[0]!.tTest)).toBe(false);
    expect(countComparisons(many)).toMatchObject({ tested: 12, reproduced: 1 });
    expect(multiplicity(many)).toMatchObject({ family: 12, tested: 12, reproduced: 1, afterHolm: { tTest: 0, signFlip: 0 }, seeds: 3, smallestP: 0.125, smallestAdjusted: 1, seedsForHolm: 8 });
  });

  test('a claim has the largest p of its comparisons, and none unless each has one', () => {
    const parts: Claim['parts'] = [
      { type: 'greater', arm: 'a', than: 'b' },
      { type: 'greater', arm: 'a', than: 'c' },
    ];
    const both = judgeOne(parts, RANKED);
    expect(both.tTest!.value).toBe(Math.max(...both.pairs.map(pair => pair.pValue!)));
    expect(both.signFlip!.value).toBe(0.125);
    const half = judgeOne(parts, { ...RANKED, 'x/c': [0.8, null, null] });
    expect(half.pairs.map(pair => pair.pValue === undefined)).toEqual([false, true]);
    expect(half).toMatchObject({ tTest: undefined, signFlip: undefined });
  });

  test('the differences per seed are kept', () => {
    const { perSeed } = judgeOne([{ type: 'greater', arm: 'a', than: 'b' }], { ...RANKED, 'x/a': [0.841, null, 0.84] }).pairs[0]!;
    expect(perSeed).toEqual([
      { seed: 0, delta: 0.021 },
      { seed: 2, delta: 0.019 },
    ]);
  });

  test('an arm that takes over another makes no second test', () => {
    const y = { ...claimAblation('y', ['d'], []), arms: [{ name: 'd', label: 'D', sameAs: 'x/a' }] };
    const x = claimAblation('x', ARMS, [
      claim([
        { type: 'greater', arm: 'a', than: 'b' },
        { type: 'greater', arm: 'y/d', than: 'b' },
      ]),
    ]);
    const shared = evaluateClaims(claimInput([x, y], { ...RANKED, 'y/d': RANKED['x/a']! }));
    expect(shared[0]!.pairs).toHaveLength(2);
    expect(countComparisons(shared)).toMatchObject({ total: 1, tested: 1 });
  });
});

describe('what the seeds could have shown', () => {
  const claims = (seeds: number, count: number): ClaimResult[] => {
    const values = (from: number): number[] => Array.from({ length: seeds }, (_, i) => from + i / 1e4);
    const parts: Claim['parts'] = [{ type: 'greater', arm: 'a', than: 'b' }];
    return evaluateClaims(
      claimInput(
        [
          claimAblation(
            'x',
            ARMS,
            Array.from({ length: count }, (_, i) => claim(parts, { name: `c${i}` })),
          ),
        ],
        { 'x/a': values(0.85), 'x/b': values(0.8).map((v, i) => v + (i % 2) / 1e3) },
      ),
    );
  };

  test.each([
    // seeds, claims, smallest p, after Holm, seeds that could: the smallest n with claims / 2^n <= 0.05.
    [5, 25, 1 / 32, 25 / 32, 9],
    [5, 1, 1 / 32, 1 / 32, 5],
    [3, 1, 1 / 8, 1 / 8, 5],
    [1, 27, 1 / 2, 1, 10],
  ])('%d seeds, %d claims', (seeds, count, smallestP, smallestAdjusted, seedsForHolm) => {
    expect(multiplicity(claims(seeds, count))).toMatchObject({ family: count, seeds, smallestP, smallestAdjusted, seedsForHolm });
  });

  test('five seeds and many claims cannot reach 5 % after Holm, and the report says so', () => {
    const said = multiplicitySentences(multiplicity(claims(5, 25))).join(' ');
    expect(said).toContain('25 of the 25 reproduced remain by the t test (\u2021 marks those that do not) and 0 by the sign-flip test.');
    expect(said).toContain('cannot give 5 seeds a p below 1/32 = 0.031: 5 seeds cannot reach 5 % after Holm\u2019s correction over 25 claims, whatever they show. From 9 seeds on that is possible.');
    expect(multiplicitySentences(multiplicity(claims(5, 1))).join(' ')).toContain('a p below 1/32 = 0.031, or 0.031 after Holm\u2019s correction over 1 claim.');
    expect(multiplicitySentences(multiplicity([]))).toEqual([]);
  });
});
