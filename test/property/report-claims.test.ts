import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Claim, Comparison } from '../../src/core/ablation/declaration.ts';
import { compose, countClaims, evaluateClaims, type ClaimResult } from '../../src/core/report/model/claims.ts';
import type { Replicates } from '../../src/core/report/statistics/compare.ts';
import type { ReportRecord } from '../../src/core/report/records/records.ts';
import { smallestSignFlipPValue } from '../../src/core/report/statistics/sign-flip.ts';
import { studentTQuantile } from '../../src/core/report/statistics/statistics.ts';
import { judge, type Direction, type Verdict } from '../../src/core/report/statistics/verdict.ts';
import { accuracyRecords, cell, claim, claimAblation, claimInput, type Accuracies } from '../helpers/report/claims.ts';

// Accuracies as a test of 10,000 images gives them, so that ties and differences of exactly the margin do occur.
const accuracy = fc.integer({ min: 8_400, max: 8_460 }).map(images => images / 10_000);
const margin = fc.integer({ min: 0, max: 40 }).map(images => images / 10_000);
const type = fc.constantFrom('greater' as const, 'not-worse' as const);

const replicatesOf = (seeds: readonly number[], values: readonly number[]): Replicates => new Map(seeds.map((seed, i) => [seed, { value: values[i]!, standardError: 0.0036 }]));

/** The same seeds on both sides, and their values. */
const paired = fc.integer({ min: 1, max: 8 }).chain(n => fc.tuple(fc.array(accuracy, { minLength: n, maxLength: n }), fc.array(accuracy, { minLength: n, maxLength: n })));
/** The same, one side raised by so much that many are decided. */
const apart = fc.tuple(paired, fc.integer({ min: -100, max: 100 })).map(([[a, b], images]) => [a.map(value => value + images / 10_000), b] as const);
const places = (values: readonly unknown[]): number[] => values.map((_, i) => i);

test('which seed a pair of values belongs to changes nothing', () => {
  fc.assert(
    fc.property(
      paired.chain(([a, b]) => fc.tuple(fc.constant([a, b] as const), fc.shuffledSubarray(places(a), { minLength: a.length }))),
      type,
      margin,
      ([[a, b], order], kind, m) => {
        const inOrder = judge(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m);
        const permuted = judge(kind, replicatesOf(order, a), replicatesOf(order, b), m);
        expect(permuted).toMatchObject({ verdict: inOrder.verdict, direction: inOrder.direction, seedsNeeded: inOrder.seedsNeeded, delta: inOrder.delta });
      },
    ),
  );
});

const opposite: Readonly<Record<Verdict, Verdict>> = { reproduced: 'contradicted', contradicted: 'reproduced', undecided: 'undecided', 'not run': 'not run' };
const turned: Readonly<Record<Direction, Direction>> = { agrees: 'disagrees', disagrees: 'agrees', 'within noise': 'within noise' };

test('swapping the arms of `greater` swaps verdict and direction', () => {
  fc.assert(
    fc.property(paired, margin, ([a, b], m) => {
      const [first, second] = [replicatesOf(places(a), a), replicatesOf(places(b), b)];
      const [there, back] = [judge('greater', first, second, m), judge('greater', second, first, m)];
      expect(back.verdict).toBe(opposite[there.verdict]);
      expect(back.direction).toBe(there.direction === undefined ? undefined : turned[there.direction]);
      expect(back.seedsNeeded).toBe(there.seedsNeeded);
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
      const [before, after] = [judge(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m), judge(kind, raised(a), raised(b), m)];
      expect(after).toMatchObject({ verdict: before.verdict, direction: before.direction, seedsNeeded: before.seedsNeeded, delta: before.delta });
    }),
  );
});

test('a larger margin decides no more of `greater`, and no less of `not-worse`', () => {
  const held = new Set<string>();
  /** What the first says must hold for the second, too. */
  const implies = (first: string, holds: boolean, check: () => void): void => {
    if (!holds) return;
    held.add(first);
    check();
  };
  fc.assert(
    fc.property(apart, margin, margin, ([a, b], m, more) => {
      const at = (kind: 'greater' | 'not-worse', value: number): Verdict => judge(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), value).verdict;
      const [narrow, wide] = [at('greater', m), at('greater', m + more)];
      implies('decided by the wider', wide !== 'undecided', () => expect(narrow).toBe(wide));
      implies('not worse', at('not-worse', m) === 'reproduced', () => expect(at('not-worse', m + more)).toBe('reproduced'));
      implies('greater', narrow === 'reproduced', () => expect(at('not-worse', m)).toBe('reproduced'));
    }),
  );
  expect(held.size).toBe(3);
});

test('the seeds it says are needed are the fewest that decide, mean and spread as they were', () => {
  fc.assert(
    fc.property(paired, type, margin, ([a, b], kind, m) => {
      const { verdict, delta, standardError, n, seedsNeeded } = judge(kind, replicatesOf(places(a), a), replicatesOf(places(b), b), m);
      fc.pre(seedsNeeded !== undefined);
      expect(verdict).toBe('undecided');
      const decided = (count: number): boolean => {
        const half = (studentTQuantile(0.95, count - 1) * standardError! * Math.sqrt(n)) / Math.sqrt(count);
        const from = kind === 'greater' ? m : -m;
        return delta! - half > from + 1e-12 || delta! + half < -m - 1e-12;
      };
      expect(decided(seedsNeeded)).toBe(true);
      for (let count = Math.max(3, n); count < seedsNeeded; count++) expect(decided(count)).toBe(false);
    }),
  );
});

const verdicts = fc.constantFrom<Verdict>('reproduced', 'contradicted', 'undecided', 'not run');
const part = fc.tuple(verdicts, fc.constantFrom<Direction>('agrees', 'disagrees', 'within noise')).map(([verdict, direction]) => ({
  verdict,
  direction: verdict === 'undecided' ? direction : undefined,
}));

test('a claim is reproduced by all its parts, and never said to be by fewer', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), parts => {
      const { verdict, direction } = compose(parts);
      const all = (wanted: Verdict): boolean => parts.every(p => p.verdict === wanted);
      const any = (wanted: Verdict): boolean => parts.some(p => p.verdict === wanted);
      expect(verdict === 'reproduced').toBe(all('reproduced'));
      expect(verdict === 'not run').toBe(any('not run'));
      expect(verdict === 'contradicted').toBe(any('contradicted') && !any('not run'));
      expect(direction === undefined).toBe(verdict !== 'undecided');
      if (direction === 'agrees') expect(parts.every(p => p.verdict === 'reproduced' || p.direction === 'agrees')).toBe(true);
    }),
  );
});

// Whole claims, from records.
const ARMS = ['a', 'b', 'c', 'd'];
const arm = fc.constantFrom(...ARMS);
const comparison: fc.Arbitrary<Comparison> = fc.oneof(
  fc.record({ type: fc.constantFrom('greater' as const, 'not-worse' as const), arm, than: arm }),
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

test('counts add up, and a correction makes no p smaller', () => {
  fc.assert(
    fc.property(claims, accuracies, (declared, values) => {
      const results = evaluate(declared, accuracyRecords(values));
      const { total, reproduced, contradicted, agrees, disagrees, withinNoise, notRun } = countClaims(results);
      expect(total).toBe(declared.length);
      expect(reproduced + contradicted + agrees + disagrees + withinNoise + notRun).toBe(total);
      for (const { pairs, verdict, tTest, signFlip } of results) {
        expect(verdict).toBe(compose(pairs).verdict);
        for (const p of [tTest, signFlip]) if (p !== undefined) expect(p.adjusted).toBeGreaterThanOrEqual(p.value);
        if (signFlip !== undefined) expect(signFlip.value).toBeGreaterThanOrEqual(Math.max(...pairs.map(pair => smallestSignFlipPValue(pair.n))));
        expect(tTest === undefined).toBe(!pairs.every(pair => pair.n >= 3));
      }
    }),
  );
});
