import { describe, expect, test } from 'vitest';
import { agreement, agreementRule, comparePairs, countOrder, decidable, difference, publishedDifference, type Difference, type Replicates } from '../../../../../src/core/report/statistics/compare.ts';

const replicates = (...values: readonly number[]): Replicates => new Map(values.map((value, seed) => [seed, { value, standardError: 0.003 }]));
const delta = (value: number, standardError: number): Difference => ({ value, standardError, n: 3, error: 'paired', interval: undefined });

describe('difference', () => {
  test('one seed: plain difference with the binomial error of both', () => {
    const d = difference(replicates(0.87), replicates(0.85))!;
    expect(d).toMatchObject({ n: 1, error: 'binomial', interval: undefined });
    expect(d.value).toBeCloseTo(0.02, 12);
    expect(d.standardError).toBeCloseTo(Math.SQRT2 * 0.003, 12);
  });

  test('two seeds: error from the spread of the pairs, no interval', () => {
    const d = difference(replicates(0.87, 0.89), replicates(0.85, 0.86))!;
    expect(d).toMatchObject({ n: 2, error: 'paired', interval: undefined });
    expect(d.value).toBeCloseTo(0.025, 12);
    expect(d.standardError).toBeCloseTo(0.005, 12);
  });

  test('a common shift of a seed drops out of the pairs', () => {
    const d = difference(replicates(0.8, 0.9, 0.7), replicates(0.79, 0.89 - 1e-9, 0.69))!;
    expect(d.standardError).toBeLessThan(1e-9);
    expect(d.interval!.low).toBeCloseTo(0.01, 8);
  });

  test('seeds that all differ by the same have the error of the test set, as a claim about them has, and none without one', () => {
    const d = difference(replicates(0.8, 0.9, 0.7), replicates(0.79, 0.89, 0.69))!;
    expect(d.standardError).toBeCloseTo(Math.SQRT2 * 0.003, 12);
    // scipy 1.17.1: t.ppf(0.975, 2) = 4.302652729749462.
    expect(d.interval!.low).toBeCloseTo(0.01 - 4.302652729749462 * Math.SQRT2 * 0.003, 10);
    const certain = (value: number): Replicates => new Map([0, 1, 2].map(seed => [seed, { value, standardError: 0 }]));
    expect(difference(certain(1), certain(0))).toMatchObject({ value: 1, standardError: 0, interval: undefined });
  });

  test('arms without a common seed have none', () => {
    expect(difference(new Map([[0, { value: 1, standardError: 0 }]]), new Map([[1, { value: 1, standardError: 0 }]]))).toBeUndefined();
  });
});

describe('agreement', () => {
  test.each([
    [0.01, 0.004, 0.5, 'same sign'],
    [-0.01, 0.004, -0.5, 'same sign'],
    [0.01, 0.004, -0.5, 'opposite sign'],
    [0.003, 0.004, 0.5, 'within noise'],
    [0, 0, 0.5, 'within noise'],
    [0.01, 0.004, 0.1, 'published gap within seed noise'],
    [0.01, 0.004, 0, 'published gap within seed noise'],
  ] as const)('measured %d with error %d, published %d', (value, error, published, expected) => {
    expect(agreement(delta(value, error), published, 0.16)).toBe(expected);
  });

  test('an error as large as the difference is not noise', () => expect(agreement(delta(0.004, 0.004), 0.5, 0.16)).toBe('same sign'));

  test('one seed has no sign, however large the difference', () => {
    expect(agreement({ ...delta(0.1, 0.004), n: 1, error: 'binomial' }, 0.5, 0.16)).toBe('one seed');
    expect(agreement({ ...delta(0.1, 0.004), n: 1, error: 'images' }, 0.1, 0.16)).toBe('published gap within seed noise');
  });

  test('the rule names the source of the published noise', () => {
    expect(agreementRule({ value: 0.16, source: 'twice 0.08' })).toContain('below 0.16 points are not counted as an order: twice 0.08');
    expect(agreementRule(undefined)).toContain('Pairs with the same published value are not counted');
  });
});

describe('countOrder', () => {
  test('Table 7 separates 6 of its 10 pairs', () => {
    const measured = [0.85, 0.866, 0.873, 0.869, 0.874];
    const arms = [83.6, 84.4, 84.5, 84.4, 84.6].map((published, i) => ({ what: String(i), published, replicates: replicates(measured[i]!, measured[i]! + 0.0001) }));
    const order = countOrder(comparePairs(arms, 0.16));
    expect(order).toEqual({ same: 6, opposite: 0, withinNoise: 0, oneSeed: 0, publishedNoise: 4, notMeasured: 0 });
    expect(decidable(order)).toBe(6);
  });

  test('tells opposite, noise and missing apart', () => {
    const pairs = comparePairs(
      [
        { what: 'a', published: 1, replicates: replicates(0.9, 0.91) },
        { what: 'b', published: 2, replicates: replicates(0.8, 0.804) },
        { what: 'c', published: 3, replicates: replicates(0.801, 0.803) },
        { what: 'd', published: 4, replicates: replicates() },
        { what: 'e', published: 5, replicates: replicates(0.7) },
      ],
      0.16,
    );
    const order = { same: 0, opposite: 2, withinNoise: 1, oneSeed: 3, publishedNoise: 0, notMeasured: 4 };
    expect(countOrder(pairs)).toEqual(order);
    expect(countOrder([...pairs, ...pairs])).toEqual(order);
  });

  test('published differences are taken in decimals', () => expect(publishedDifference(84.6, 84.4)).toBe(0.2));
});
