import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Claim, Comparison } from '../../src/core/ablation/declaration.ts';
import { countClaims, directionOf, evaluateClaims, type ClaimResult } from '../../src/core/report/model/claims.ts';
import type { Replicates } from '../../src/core/report/statistics/compare.ts';
import type { ReportRecord } from '../../src/core/report/records/records.ts';
import { intervalOf, judge, verdictOf, type Direction, type Judgement, type Verdict } from '../../src/core/report/statistics/verdict.ts';
import { accuracyRecords, cell, claim, claimAblation, claimInput, type Accuracies } from '../helpers/report/claims.ts';

// Accuracies as a test of 10,000 images gives them, so that ties and differences of exactly the margin do occur.
const accuracy = fc.integer({ min: 8_400, max: 8_460 }).map(images => images / 10_000);
const margin = fc.integer({ min: 0, max: 40 }).map(images => images / 10_000);
/** Within which many lie. */
const wideMargin = fc.integer({ min: 0, max: 200 }).map(images => images / 10_000);
const type = fc.constantFrom('greater' as const, 'not-worse' as const, 'same' as const);

const replicatesOf = (seeds: readonly number[], values: readonly number[]): Replicates => new Map(seeds.map((seed, i) => [seed, { value: values[i]!, standardError: 0.0036 }]));

/** The same seeds on both sides, and their values. */
const paired = fc.integer({ min: 1, max: 8 }).chain(n => fc.tuple(fc.array(accuracy, { minLength: n, maxLength: n }), fc.array(accuracy, { minLength: n, maxLength: n })));
/** The same, one side raised by so much that many are decided. */
const apart = fc.tuple(paired, fc.integer({ min: -100, max: 100 })).map(([[a, b], images]) => [a.map(value => value + images / 10_000), b] as const);
/** With all of eight seeds declared that are there. */
const judged = (kind: Parameters<typeof judge>[0], a: Replicates, b: Replicates, m: number): Judgement => judge(kind, a, b, m, { seeds: [...a.keys()], gives: true });
const places = (values: readonly unknown[]): number[] => values.map((_, i) => i);

test('which seed a pair of values belongs to changes nothing', () => {
  fc.assert(
    fc.property(
      paired.chain(([a, b]) => fc.tuple(fc.constant([a, b] as const), fc.shuffledSubarray(places(a), { minLength: a.length }))),
      type,
      margin,
      ([[a, b], order], kind, m) => {
        const inOrder = judged(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m);
        const permuted = judged(kind, replicatesOf(order, a), replicatesOf(order, b), m);
        expect(permuted).toMatchObject({ verdict: inOrder.verdict, direction: inOrder.direction, delta: inOrder.delta });
      },
    ),
  );
});

const opposite: Readonly<Record<Verdict, Verdict>> = {
  reproduced: 'contradicted',
  contradicted: 'reproduced',
  undecided: 'undecided',
  interim: 'interim',
  exploratory: 'exploratory',
  'no verdict': 'no verdict',
  'not run': 'not run',
};
const turned: Readonly<Record<Direction, Direction>> = { agrees: 'disagrees', disagrees: 'agrees', 'within noise': 'within noise' };

test('swapping the arms of `greater` swaps verdict and direction', () => {
  fc.assert(
    fc.property(paired, margin, ([a, b], m) => {
      const [first, second] = [replicatesOf(places(a), a), replicatesOf(places(b), b)];
      const [there, back] = [judged('greater', first, second, m), judged('greater', second, first, m)];
      expect(back.verdict).toBe(opposite[there.verdict]);
      expect(back.direction).toBe(there.direction === undefined ? undefined : turned[there.direction]);
    }),
  );
});

test('raising both arms by the same amount changes nothing', () => {
  fc.assert(
    fc.property(paired, type, margin, fc.integer({ min: -3_000, max: 1_500 }), ([a, b], kind, m, images) => {
      const raised = (values: readonly number[]): Replicates =>
        replicatesOf(
          places(values),
          values.map(value => value + images / 10_000),
        );
      const [before, after] = [judged(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m), judged(kind, raised(a), raised(b), m)];
      expect(after).toMatchObject({ verdict: before.verdict, direction: before.direction, delta: before.delta });
    }),
  );
});

test('a larger margin decides no more of `greater`, and reproduces no less of `not-worse` and `same`', () => {
  const held = new Set<string>();
  /** What the first says must hold for the second, too. */
  const implies = (first: string, holds: boolean, check: () => void): void => {
    if (!holds) return;
    held.add(first);
    check();
  };
  fc.assert(
    fc.property(apart, wideMargin, margin, ([a, b], m, more) => {
      const at = (kind: 'greater' | 'not-worse' | 'same', value: number): Verdict => judged(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), value).verdict;
      const [narrow, wide] = [at('greater', m), at('greater', m + more)];
      implies('decided by the wider', ['reproduced', 'contradicted'].includes(wide), () => expect(narrow).toBe(wide));
      implies('not worse', at('not-worse', m) === 'reproduced', () => expect(at('not-worse', m + more)).toBe('reproduced'));
      implies('same', at('same', m) === 'reproduced', () => expect([at('same', m + more), at('not-worse', m)]).toEqual(['reproduced', 'reproduced']));
      implies('greater', narrow === 'reproduced', () => expect(at('not-worse', m)).toBe('reproduced'));
    }),
  );
  expect(held.size).toBe(4);
});

test('a comparison is decided exactly where its interval lies beyond the margin, at whichever level', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(apart, type, margin, fc.constantFrom(0.05, 0.025, 0.01), ([a, b], kind, m, level) => {
      const found = judged(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m);
      fc.pre(found.sides !== undefined);
      const { low, high } = intervalOf(found, 1 - level)!;
      // Apart from where the two fall together to the last bits.
      fc.pre([low - m, low + m, high - m, high + m].every(distance => Math.abs(distance) > 1e-9));
      const expected: Readonly<Record<typeof kind, readonly [boolean, boolean]>> = {
        greater: [low > m, high < -m],
        'not-worse': [low > -m, high < -m],
        same: [low > -m && high < m, low > m || high < -m],
      };
      const verdict = verdictOf(found.sides, level);
      seen.add(`${kind} ${verdict}`);
      expect([verdict === 'reproduced', verdict === 'contradicted']).toEqual(expected[kind]);
    }),
    { numRuns: 400 },
  );
  expect(seen.size).toBeGreaterThan(6);
});

test('seeds beyond the declared ones change no verdict', () => {
  fc.assert(
    fc.property(apart, type, margin, fc.array(accuracy, { minLength: 1, maxLength: 4 }), ([a, b], kind, m, extra) => {
      const rule = { seeds: places(a), gives: true };
      const before = judge(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m, rule);
      const [more, moreToo] = [
        [...a, ...extra],
        [...b, ...extra.map(() => 0.8)],
      ];
      const after = judge(kind, replicatesOf(places(more), more), replicatesOf(places(moreToo), moreToo), m, rule);
      expect({ ...after, exploratory: undefined }).toEqual({ ...before, exploratory: undefined });
      expect(after.exploratory!.n).toBe(more.length);
    }),
  );
});

// Whole claims, from records.
const ARMS = ['a', 'b', 'c', 'd'];
const arm = fc.constantFrom(...ARMS);
const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({ type: fc.constantFrom('greater' as const, 'not-worse' as const, 'same' as const), arm, than: arm }),
  fc.record({ type: fc.constant('best' as const), arm, of: fc.uniqueArray(arm, { minLength: 1 }) }),
  fc.record({ type: fc.constant('monotone' as const), arms: fc.uniqueArray(arm, { minLength: 2 }) }),
);
const claims: fc.Arbitrary<Claim[]> = fc.array(
  fc.array(comparison, { minLength: 1, maxLength: 3 }).map(parts => claim(parts)),
  { minLength: 1, maxLength: 4 },
);
const accuracies: fc.Arbitrary<Accuracies> = fc
  .array(fc.array(fc.option(accuracy), { minLength: 4, maxLength: 4 }), { minLength: 4, maxLength: 4 })
  .map(values => Object.fromEntries(ARMS.map((name, i) => [`x/${name}`, values[i]!])));
const evaluate = (declared: readonly Claim[], records: readonly ReportRecord[]): ClaimResult[] => {
  const ablation = claimAblation('x', ARMS, declared, { a: cell(84), b: cell(83), c: cell(82.9) });
  return evaluateClaims({ ...claimInput([ablation], {}), records });
};

test('the order of the records changes nothing', () => {
  fc.assert(
    fc.property(
      claims,
      accuracies.map(accuracyRecords).chain(records => fc.tuple(fc.constant(records), fc.shuffledSubarray(places(records), { minLength: records.length }))),
      (declared, [records, order]) => {
        expect(
          evaluate(
            declared,
            order.map(i => records[i]!),
          ),
        ).toEqual(evaluate(declared, records));
      },
    ),
  );
});

test('counts add up, a correction makes no p smaller, and decides nothing anew', () => {
  fc.assert(
    fc.property(claims, accuracies, (declared, values) => {
      const results = evaluate(declared, accuracyRecords(values));
      const { total, agrees, disagrees, withinNoise, beforeCorrection, ...verdicts } = countClaims(results);
      expect(total).toBe(declared.length);
      expect(Object.values(verdicts).reduce((a, b) => a + b, 0)).toBe(total);
      expect(agrees + disagrees + withinNoise).toBe(total - verdicts.reproduced - verdicts.contradicted - verdicts.notRun);
      expect(beforeCorrection.reproduced).toBeGreaterThanOrEqual(verdicts.reproduced);
      for (const { pairs, verdict, beforeCorrection: before, direction, p, deciding } of results) {
        if (verdict !== before) expect([before === 'reproduced' || before === 'contradicted', verdict]).toEqual([true, 'undecided']);
        if (direction !== undefined) expect(direction).toBe(directionOf(pairs));
        if (p !== undefined) expect(p.adjusted).toBeGreaterThanOrEqual(p.value);
        expect(p === undefined).toBe(!pairs.every(pair => pair.n === 3));
        expect(pairs).toContain(deciding);
        if (verdict === 'contradicted' && deciding.type === 'greater') expect(deciding.interval!.high).toBeLessThan(-deciding.margin);
        if (verdict === 'reproduced') for (const pair of pairs) expect(pair.interval!.low).toBeGreaterThan(pair.type === 'greater' ? pair.margin : -pair.margin);
      }
    }),
  );
});
