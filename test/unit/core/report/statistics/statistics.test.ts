import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { holmDecisions } from '../../../../../src/core/report/statistics/holm.ts';
import { mean, pairedDeltas, sampleStd, standardErrorOfDifference, studentTQuantile, studentTUpperTail, tInterval } from '../../../../../src/core/report/statistics/statistics.ts';

const reference = JSON.parse(readFileSync(new URL('../../../../fixtures/report/statistics.json', import.meta.url), 'utf8')) as { holm: { p: number[]; adjusted: number[] }[] };

describe('studentTQuantile', () => {
  // scipy 1.17.1, scipy.stats.t.ppf(p, df).
  test.each([
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.975, 4, 2.7764451051977934],
    [0.975, 9, 2.262157162798205],
    [0.975, 30, 2.0422724563012378],
    [0.975, 200, 1.9718962236339088],
    [0.995, 3, 5.840909309733355],
    [0.9, 7, 1.4149239276505086],
    [0.6, 5, 0.2671808657041451],
    [0.025, 6, -2.4469118511449794],
    [0.9999, 2, 70.70007107496818],
  ])('p %d, df %d', (p, df, expected) => {
    expect(Math.abs(studentTQuantile(p, df) / expected - 1)).toBeLessThan(1e-11);
  });

  test('the median is zero', () => expect(studentTQuantile(0.5, 3)).toBeCloseTo(0, 15));

  test('refuses what is not a probability or a count', () => {
    expect(() => studentTQuantile(1, 3)).toThrow('Expected a probability between 0 and 1, got 1');
    expect(() => studentTQuantile(0.9, 2.5)).toThrow('Expected a positive whole number of degrees of freedom, got 2.5');
  });
});

describe('studentTUpperTail', () => {
  // scipy 1.17.1, scipy.stats.t.sf(t, df).
  test.each([
    [0, 3, 0.5],
    [2.92, 2, 0.0499995777813536],
    [-1.5, 4, 0.896],
    [10, 9, 1.789118715962368e-6],
    [0.3, 1, 0.4072264209222577],
    [4, 30, 0.0001909228180418782],
  ])('t %d, df %d', (t, df, expected) => expect(studentTUpperTail(t, df)).toBeCloseTo(expected, 14));

  test('is what is left above the quantile', () => expect(studentTUpperTail(studentTQuantile(0.95, 7), 7)).toBeCloseTo(0.05, 12));
});

const holmAdjusted = (p: readonly number[]): number[] => holmDecisions(p, 0.05).map(({ adjusted }) => adjusted);

describe('holmDecisions', () => {
  test('has values of statsmodels', () => expect(reference.holm.length).toBeGreaterThan(0));

  test.each(reference.holm)('of $p agrees with statsmodels', ({ p, adjusted }) => {
    const found = holmAdjusted(p);
    expect(found).toHaveLength(adjusted.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(adjusted[i]!, 12));
  });

  test('steps down from the smallest and stops at the first that fails', () => {
    // 0.05 / 4 = 0.0125, / 3 = 0.0167, / 2 = 0.025: 0.03 fails, and 0.04 with it though it is below 0.05.
    expect(holmAdjusted([0.03, 0.01, 0.04, 0.015]).map(p => p <= 0.05)).toEqual([false, true, false, true]);
  });

  test('one test is not corrected, none is no error', () => {
    expect(holmAdjusted([0.05])).toEqual([0.05]);
    expect(holmAdjusted([])).toEqual([]);
  });

  test('each test has the level that decides about it: beyond the first that fails all have that one\u2019s', () => {
    expect(holmDecisions([0.03, 0.01, 0.04, 0.015], 0.05).map(({ level }) => level)).toEqual([0.025, 0.0125, 0.025, 0.05 / 3]);
  });
});

describe('location and spread', () => {
  const values = [0.8571, 0.8622, 0.8498, 0.8605];

  // numpy.std(ddof=1) and scipy.stats.t.interval(0.95, 3, mean, sem) of these values.
  test('agree with numpy and scipy', () => {
    expect(mean(values)).toBeCloseTo(0.8574, 14);
    expect(sampleStd(values)).toBeCloseTo(0.005492419017761359, 14);
    const interval = tInterval(values)!;
    expect(interval.low).toBeCloseTo(0.8486603356949277, 12);
    expect(interval.high).toBeCloseTo(0.8661396643050724, 12);
    expect(interval.level).toBe(0.95);
  });

  test('two values give no interval, one no deviation', () => {
    expect(tInterval([1, 2])).toBeUndefined();
    expect(() => sampleStd([1])).toThrow('at least two values');
    expect(() => mean([])).toThrow('at least one value');
  });

  test('errors of independent estimates add in squares', () => expect(standardErrorOfDifference(3, 4)).toBe(5));
});

test('pairedDeltas pairs by seed and leaves out seeds that one side lacks', () => {
  const a = new Map([
    [2, 0.5],
    [0, 0.9],
    [1, 0.7],
  ]);
  const b = new Map([
    [0, 0.5],
    [2, 0.75],
    [3, 0.1],
  ]);
  expect(pairedDeltas(a, b)).toEqual([
    { seed: 0, delta: 0.4 },
    { seed: 2, delta: -0.25 },
  ]);
});
