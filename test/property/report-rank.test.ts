import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kendallPValue, kendallTauB } from '../../src/core/report/statistics/kendall.ts';
import { signFlipPValue } from '../../src/core/report/statistics/sign-flip.ts';
import { holmDecisions } from '../../src/core/report/statistics/holm.ts';

// Few values, so that ties are common.
const pairs = (max: number) => fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), { minLength: 2, maxLength: max });
const sides = (list: readonly (readonly [number, number])[]): [number[], number[]] => [list.map(([x]) => x), list.map(([, y]) => y)];

test('tau lies between -1 and 1, is symmetric, and changes sign with one side', () => {
  fc.assert(
    fc.property(pairs(12), list => {
      const [x, y] = sides(list);
      const tau = kendallTauB(x, y);
      expect(kendallTauB(y, x)).toBe(tau);
      fc.pre(tau !== undefined);
      expect(Math.abs(tau)).toBeLessThanOrEqual(1 + 1e-12);
      expect(
        kendallTauB(
          x,
          y.map(value => -value),
        ),
      ).toBeCloseTo(-tau, 12);
      expect(kendallTauB(x, x)).toBeCloseTo(1, 12);
    }),
  );
});

test('tau and p see the order only: neither where the list starts nor how far values are apart matters', () => {
  fc.assert(
    fc.property(
      pairs(9).chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      ([list, shuffled]) => {
        const [x, y] = sides(list);
        const stretched = y.map(value => Math.exp(value) - 7);
        const [a, b] = sides(shuffled);
        expect(kendallTauB(x, stretched)).toBe(kendallTauB(x, y));
        expect(kendallTauB(a, b)).toBe(kendallTauB(x, y));
        expect(kendallPValue(x, stretched)).toBe(kendallPValue(x, y));
        expect(kendallPValue(a, b)).toBe(kendallPValue(x, y));
      },
    ),
  );
});

/** Every order of a list. */
function orders<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, i) => orders([...list.slice(0, i), ...list.slice(i + 1)]).map(rest => [first, ...rest]));
}

test('p is the share of all pairings that are as far from no order', () => {
  const score = (x: readonly number[], y: readonly number[]): number => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) for (let j = 0; j < i; j++) sum += Math.sign((x[i]! - x[j]!) * (y[i]! - y[j]!));
    return Math.abs(sum);
  };
  fc.assert(
    fc.property(pairs(6), list => {
      const [x, y] = sides(list);
      const p = kendallPValue(x, y);
      fc.pre(p !== undefined);
      const all = orders(y);
      expect(p).toBeCloseTo(all.filter(order => score(x, order) >= score(x, y)).length / all.length, 12);
    }),
    { numRuns: 60 },
  );
});

// Whole images, as accuracies are.
const differences = fc.array(
  fc.integer({ min: -30, max: 30 }).map(images => images / 10_000),
  { minLength: 1, maxLength: 10 },
);

test('the sign-flip p is the share of sign vectors that reach the sum, whatever the order of the seeds', () => {
  fc.assert(
    fc.property(differences, list => {
      const n = list.length;
      const seen = list.reduce((sum, d) => sum + Math.round(d * 10_000), 0);
      let reaching = 0;
      for (let signs = 0; signs < 2 ** n; signs++) {
        const sum = list.reduce((total, d, i) => total + Math.round(Math.abs(d) * 10_000) * ((signs >> i) & 1 ? -1 : 1), 0);
        if (sum >= seen) reaching += 1;
      }
      expect(signFlipPValue(list)).toBe(reaching / 2 ** n);
      expect(signFlipPValue([...list].reverse())).toBe(reaching / 2 ** n);
      expect(signFlipPValue(list)).toBeGreaterThanOrEqual(2 ** -n);
    }),
  );
});

test('turning all differences turns the sign-flip test: both ps cover everything', () => {
  fc.assert(
    fc.property(differences, list => {
      const [up, down] = [signFlipPValue(list)!, signFlipPValue(list.map(d => -d))!];
      expect(up + down).toBeGreaterThanOrEqual(1);
      if (list.every(d => d > 0)) expect(up).toBe(2 ** -list.length);
    }),
  );
});

const holmAdjusted = (p: readonly number[]): number[] => holmDecisions(p, 0.05).map(({ adjusted }) => adjusted);

test('Holm keeps the order, lowers nothing, and gives each test its own, wherever it stands', () => {
  const ps = fc.array(
    fc.integer({ min: 0, max: 1000 }).map(p => p / 1000),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(ps, list => {
      const adjusted = holmAdjusted(list);
      list.forEach((p, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, list.length * p) + 1e-12);
        list.forEach((q, j) => {
          if (p <= q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
        });
      });
      expect(holmAdjusted([...list].reverse()).reverse()).toEqual(adjusted);
      holmDecisions(list, 0.05).forEach(({ level, adjusted: p }, i) => expect(list[i]! <= level).toBe(p <= 0.05));
    }),
  );
});
