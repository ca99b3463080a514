import { describe, expect, test } from 'vitest';
import type { Replicates } from '../../../../../src/core/report/statistics/compare.ts';
import { judge, type Judgement, type PairType } from '../../../../../src/core/report/statistics/verdict.ts';

/** Margin of 0.16 points, as a fraction. */
const MARGIN = 0.0016;
const TEST_ERROR = 0.003;
const replicates = (values: readonly number[]): Replicates => new Map(values.map((value, seed) => [seed, { value, standardError: TEST_ERROR }]));

/** Judges an arm whose values exceed 0.8 by these differences against one at 0.8. */
const judged = (type: PairType, deltas: readonly number[], margin = MARGIN): Judgement => judge(type, replicates(deltas.map(d => 0.8 + d)), replicates(deltas.map(() => 0.8)), margin);

describe('greater, three seeds or more', () => {
  // Bounds and p-values: scipy.stats.t.ppf(0.95, n - 1) and t.sf of these differences.
  test('reproduced when the lower bound is above the margin', () => {
    const j = judged('greater', [0.01, 0.012, 0.014]);
    expect(j).toMatchObject({ verdict: 'reproduced', direction: undefined, n: 3, seedsNeeded: undefined });
    expect(j.delta).toBeCloseTo(0.012, 11);
    expect(j.standardError).toBeCloseTo(0.0011547005383792516, 11);
    expect(j.bounds!.low).toBeCloseTo(0.008628291078305901, 11);
    expect(j.bounds!.high).toBeCloseTo(0.015371708921694096, 11);
    expect(j.bounds!.level).toBeCloseTo(0.9, 12);
    expect(j.pValue).toBeCloseTo(0.006052026446632397, 9);
  });

  test('contradicted when the upper bound is below the margin on the other side', () => {
    const j = judged('greater', [-0.009, -0.011, -0.01]);
    expect(j.verdict).toBe('contradicted');
    expect(j.pValue).toBeCloseTo(0.9987659786703562, 9);
  });

  test('undecided while the interval reaches into the margin, with the seeds that would decide it', () => {
    const j = judged('greater', [0.002, 0.012, 0.007]);
    expect(j).toMatchObject({ verdict: 'undecided', direction: 'agrees', seedsNeeded: 5 });
    expect(judged('greater', [-0.002, -0.012, -0.007])).toMatchObject({ verdict: 'undecided', direction: 'disagrees', seedsNeeded: 5 });
  });

  test('a mean inside the margin is within noise, and no number of seeds decides it', () => {
    // The whole interval, 0.09 to 0.15 points, lies inside the margin.
    expect(judged('greater', [0.001, 0.0012, 0.0014])).toMatchObject({ verdict: 'undecided', direction: 'within noise', seedsNeeded: undefined });
  });

  test('a mean beyond the margin and below its standard error is within noise', () => {
    expect(judged('greater', [0.012, -0.008, 0.002])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
  });
});

describe('not worse', () => {
  test('reproduced by a lower bound above minus the margin, where greater stays open', () => {
    const j = judged('not-worse', [0.001, 0.0012, 0.0014]);
    expect(j.verdict).toBe('reproduced');
    expect(j.pValue).toBeCloseTo(0.0008481770313952304, 9);
  });

  test('contradicted by an upper bound below minus the margin', () => expect(judged('not-worse', [-0.009, -0.011, -0.01]).verdict).toBe('contradicted'));

  test('a small loss agrees as long as it is within the margin', () => {
    expect(judged('not-worse', [-0.002, -0.001, 0.0005, 0])).toMatchObject({ verdict: 'undecided', direction: 'agrees', seedsNeeded: 6 });
    expect(judged('not-worse', [-0.002, -0.0005, -0.003])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
    expect(judged('not-worse', [-0.002, -0.012, -0.007])).toMatchObject({ verdict: 'undecided', direction: 'disagrees' });
  });
});

describe('few seeds', () => {
  test('one seed decides nothing, whatever the gap; its spread is unknown', () => {
    expect(judged('greater', [0.2])).toMatchObject({ verdict: 'undecided', direction: 'agrees', n: 1, bounds: undefined, pValue: undefined, seedsNeeded: undefined });
    expect(judged('greater', [0.2]).standardError).toBeCloseTo(Math.SQRT2 * TEST_ERROR, 12);
    expect(judged('greater', [0.004])).toMatchObject({ direction: 'within noise' });
  });

  test('two seeds decide nothing, and say how many would', () => {
    expect(judged('greater', [0.01, 0.011])).toMatchObject({ verdict: 'undecided', direction: 'agrees', n: 2, bounds: undefined, seedsNeeded: 3 });
  });

  test('only seeds that both arms have count; without one the comparison is not run', () => {
    const at = (...seeds: readonly number[]): Replicates => new Map(seeds.map(seed => [seed, { value: 0.8, standardError: TEST_ERROR }]));
    expect(judge('greater', at(0, 1, 2), at(2, 3), MARGIN)).toMatchObject({ verdict: 'undecided', n: 1 });
    expect(judge('greater', at(0, 1), at(2, 3), MARGIN)).toMatchObject({ verdict: 'not run', direction: undefined, n: 0, delta: undefined });
    expect(judge('greater', at(0), new Map(), MARGIN).verdict).toBe('not run');
  });
});

describe('seeds that agree to the last image', () => {
  test('give an interval from the error of the test set, not one of no width', () => {
    const j = judged('greater', [0.005, 0.005, 0.005]);
    expect(j).toMatchObject({ verdict: 'undecided', direction: 'agrees', seedsNeeded: undefined });
    expect(j.standardError).toBeCloseTo(Math.SQRT2 * TEST_ERROR, 12);
    expect(judged('greater', [0.05, 0.05, 0.05]).verdict).toBe('reproduced');
  });

  test('a difference of exactly the margin is not above it, although doubles say so', () => {
    expect(0.8516 - 0.85).toBeGreaterThan(MARGIN);
    const exact = new Map([0, 1, 2].map(seed => [seed, { value: 0.8516, standardError: 0 }]));
    const other = new Map([0, 1, 2].map(seed => [seed, { value: 0.85, standardError: 0 }]));
    expect(judge('greater', exact, other, MARGIN).verdict).toBe('undecided');
    expect(judge('greater', exact, other, 0.0015)).toMatchObject({ verdict: 'reproduced', pValue: 0 });
    expect(judge('not-worse', other, exact, MARGIN).verdict).toBe('undecided');
  });
});
