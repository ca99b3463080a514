import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { detectableDifference, noncentralTUpperTail, pairedPower } from '../../../../../src/core/report/statistics/power.ts';
import { studentTUpperTail } from '../../../../../src/core/report/statistics/statistics.ts';

describe('the upper tail of the noncentral t distribution', () => {
  // scipy 1.17.1: stats.nct.sf(t, df, noncentrality); the last three agree with mpmath 1.3.0 at 30 digits.
  test.each([
    [2.776, 4, 3, 0.6193777298921483],
    [2.0244, 38, 3.1623, 0.8689561931321921],
    [2, 99, 2.5, 0.6914821728213782],
    [3, 1000, 3, 0.5002989444442386],
    [20, 1, 30, 0.865900134453054],
    [60, 2, 50, 0.50059433462464],
    [4.3, 2, 5, 0.719578324342641],
  ])('beyond %d with %d degrees of freedom and noncentrality %d', (t, df, noncentrality, expected) => {
    expect(noncentralTUpperTail(t, df, noncentrality)).toBeCloseTo(expected, 12);
  });

  it('is that of Student at noncentrality 0', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 50, noNaN: true }), fc.integer({ min: 1, max: 60 }), (t, df) => {
        expect(noncentralTUpperTail(t, df, 0)).toBeCloseTo(studentTUpperTail(t, df), 12);
      }),
      { numRuns: 50 },
    );
  });

  it('is not given for what is no t or no degrees of freedom', () => {
    expect(() => noncentralTUpperTail(0, 4, 1)).toThrow('Expected a positive t, got 0.');
    expect(() => noncentralTUpperTail(1, 0, 1)).toThrow('Expected positive degrees of freedom, got 0.');
  });
});

const question = { n: 5, standardDeviation: 1, alpha: 0.05, margin: 0 };

describe('power of the paired t test', () => {
  test('matched pairs of the manual of G*Power 3.1: 50 pairs of d_z = 0.421637 have 0.832114', () => {
    expect(pairedPower(0.421637, { ...question, n: 50 })).toBeCloseTo(0.832114, 6);
  });

  test('its generic t test, N = 25 and d = 0.25: 0.224525, the wrong direction counted, too', () => {
    const generic = { ...question, n: 25 };
    expect(pairedPower(0.25, generic) + pairedPower(-0.25, generic)).toBeCloseTo(0.224525, 5);
  });

  test('power.t.test(delta = 10, sd = 10 * sqrt(2), power = 0.85, type = "paired") of R: 19.96892 pairs (Dalgaard, Introductory Statistics with R, 2nd edition, section 9.3)', () => {
    const ofPairs = (n: number): number => pairedPower(10, { ...question, n, standardDeviation: 10 * Math.SQRT2 });
    expect(ofPairs(19)).toBeLessThan(0.85);
    expect(ofPairs(20)).toBeGreaterThan(0.85);
    expect(ofPairs(20)).toBeLessThan(0.852);
  });
});

describe('the smallest difference that is shown with 80 % power', () => {
  // scipy 1.17.1: the d at which stats.nct.sf(stats.t.ppf(1 - alpha / 2, n - 1), n - 1, d * sqrt(n)) is 0.8.
  test.each([
    [3, 0.05, 3.2640435498],
    [3, 0.05 / 9, 9.8234448025],
    [5, 0.05, 1.6819972822],
    [5, 0.05 / 9, 3.0697017311],
    [10, 0.05, 0.9960022543],
    [20, 0.05 / 9, 0.900534427],
  ])('%d seeds at level %d', (n, alpha, expected) => {
    expect(detectableDifference({ ...question, n, alpha }, 0.8)).toBeCloseTo(expected, 7);
  });

  it('lies beyond the margin by as much, in the unit of the spread', () => {
    expect(detectableDifference({ ...question, standardDeviation: 0.02, margin: 0.002 }, 0.8)).toBeCloseTo(0.002 + 0.02 * 1.6819972822, 8);
  });
});
