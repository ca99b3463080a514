import { describe, expect, test } from 'vitest';
import type { Replicates } from '../../../../../src/core/report/statistics/compare.ts';
import { intervalOf, judge, verdictOf, type Judgement, type VerdictRule } from '../../../../../src/core/report/statistics/verdict.ts';

/** Margin of 0.16 points, as a fraction. */
const MARGIN = 0.0016;
const TEST_ERROR = 0.003;
const replicates = (values: readonly number[], from = 0): Replicates => new Map(values.map((value, i) => [from + i, { value, standardError: TEST_ERROR }]));
/** As many declared as there are. */
const declared = (n: number): VerdictRule => ({ seeds: Array.from({ length: n }, (_, seed) => seed), gives: true });

/** Judges an arm whose values exceed 0.8 by these differences against one at 0.8. */
const judged = (type: Parameters<typeof judge>[0], deltas: readonly number[], rule = declared(deltas.length), margin = MARGIN): Judgement =>
  judge(type, replicates(deltas.map(d => 0.8 + d)), replicates(deltas.map(() => 0.8)), margin, rule);

describe('greater, all declared seeds', () => {
  // scipy 1.17.1: stats.t.interval(0.95, n - 1, mean, se) and stats.ttest_1samp(deltas, +-margin, alternative).
  test('reproduced when the interval lies above the margin', () => {
    const j = judged('greater', [0.01, 0.012, 0.014]);
    expect(j).toMatchObject({ verdict: 'reproduced', direction: undefined, n: 3 });
    expect(j.delta).toBeCloseTo(0.012, 11);
    expect(j.standardError).toBeCloseTo(0.0011547005383792516, 11);
    expect(intervalOf(j, 0.95)!.low).toBeCloseTo(0.007031724576499338, 11);
    expect(intervalOf(j, 0.95)!.high).toBeCloseTo(0.01696827542350066, 11);
    expect(j.sides!.reproduced).toBeCloseTo(0.006052026446632397, 9);
    expect(j.sides!.contradicted).toBeCloseTo(0.9964341293647938, 9);
  });

  test('contradicted when it lies below the margin on the other side', () => {
    const j = judged('greater', [-0.009, -0.011, -0.01]);
    expect(j.verdict).toBe('contradicted');
    expect(j.sides!.reproduced).toBeCloseTo(0.9987659786703562, 9);
    expect(j.sides!.contradicted).toBeCloseTo(0.002345448714848075, 9);
  });

  test('undecided while it reaches into the margin', () => {
    expect(judged('greater', [0.002, 0.012, 0.007])).toMatchObject({ verdict: 'undecided', direction: 'agrees' });
    expect(judged('greater', [-0.002, -0.012, -0.007])).toMatchObject({ verdict: 'undecided', direction: 'disagrees' });
  });

  test('what one side alone would show at 5 % is open: both sides share them', () => {
    const j = judged('greater', [0.004, 0.012, 0.007], declared(3), 0);
    expect(j.sides!.reproduced).toBeCloseTo(0.040734238297248766, 9);
    expect(j).toMatchObject({ verdict: 'undecided', direction: 'agrees' });
    expect(intervalOf(j, 0.95)!.low).toBeCloseTo(-0.0023728563694154136, 11);
  });

  test('a mean inside the margin is within noise', () => {
    expect(judged('greater', [0.001, 0.0012, 0.0014])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
  });

  test('a mean beyond the margin and below its standard error is within noise', () => {
    expect(judged('greater', [0.012, -0.008, 0.002])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
  });
});

describe('not worse', () => {
  test('reproduced by an interval above minus the margin, where greater stays open', () => {
    const j = judged('not-worse', [0.001, 0.0012, 0.0014]);
    expect(j.verdict).toBe('reproduced');
    expect(j.sides!.reproduced).toBeCloseTo(0.0008481770313952304, 9);
  });

  test('contradicted by one below minus the margin', () => expect(judged('not-worse', [-0.009, -0.011, -0.01]).verdict).toBe('contradicted'));

  test('a small loss agrees as long as it is within the margin', () => {
    expect(judged('not-worse', [-0.002, -0.001, 0.0005, 0])).toMatchObject({ verdict: 'undecided', direction: 'agrees' });
    expect(judged('not-worse', [-0.002, -0.0005, -0.003])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
    expect(judged('not-worse', [-0.002, -0.012, -0.007])).toMatchObject({ verdict: 'undecided', direction: 'disagrees' });
  });
});

describe('makes no difference', () => {
  // scipy 1.17.1: the larger of ttest_1samp(deltas, -margin, alternative='greater') and (deltas, margin, alternative='less').
  test('reproduced by an interval within the margin: two one-sided tests', () => {
    const j = judged('same', [0.0005, -0.0003, 0.0002, 0.0001, -0.0002]);
    expect(j.verdict).toBe('reproduced');
    expect(j.sides!.reproduced).toBeCloseTo(0.00021381261916952158, 9);
    expect(intervalOf(j, 0.95)!.low).toBeCloseTo(-0.0003384948392348911, 11);
    expect(intervalOf(j, 0.95)!.high).toBeCloseTo(0.0004584948392348912, 11);
  });

  test('contradicted by one outside, on whichever side', () => {
    const deltas = [0.006, 0.0052, 0.0061, 0.0049];
    expect(judged('same', deltas).verdict).toBe('contradicted');
    expect(judged('same', deltas).sides!.contradicted).toBeCloseTo(0.0004539022487567049, 9);
    expect(
      judged(
        'same',
        deltas.map(d => -d),
      ).verdict,
    ).toBe('contradicted');
  });

  test('no difference that is found is no difference that is shown: a wide interval decides nothing', () => {
    expect(judged('same', [0.01, -0.01, 0.001])).toMatchObject({ verdict: 'undecided', direction: 'agrees' });
    expect(judged('same', [0.002, 0.0012, 0.0019])).toMatchObject({ verdict: 'undecided', direction: 'within noise' });
    expect(judged('same', [0.002, 0.006, 0.007])).toMatchObject({ verdict: 'undecided', direction: 'disagrees' });
    expect(judged('same', [0, 0.0001, -0.0001], declared(3), 0).verdict).toBe('undecided');
  });
});

describe('seeds are declared', () => {
  const deltas = [0.05, 0.051, 0.049];

  test('before all of them are there a result is interim, however clear', () => {
    expect(judged('greater', deltas, declared(4))).toMatchObject({ verdict: 'interim', direction: 'agrees', n: 3, sides: undefined, signFlipPValue: undefined });
    expect(judged('greater', deltas, declared(3)).verdict).toBe('reproduced');
  });

  test('those beyond decide nothing, and are told apart', () => {
    const more = judged('greater', [...deltas, -0.2, -0.3], declared(3));
    expect(more).toMatchObject({ verdict: 'reproduced', n: 3 });
    expect(more.exploratory).toMatchObject({ n: 5, delta: -0.07 });
    expect(more.delta).toBeCloseTo(0.05, 11);
    const none = judge('greater', replicates([0.85, 0.86, 0.84], 7), replicates([0.8, 0.8, 0.8], 7), MARGIN, declared(3));
    expect(none).toMatchObject({ verdict: 'exploratory', direction: 'agrees', n: 3, sides: undefined, exploratory: undefined });
  });

  test('a profile that gives no verdicts, or declares fewer than three seeds, decides nothing', () => {
    expect(judged('greater', deltas, { ...declared(3), gives: false })).toMatchObject({ verdict: 'no verdict', direction: 'agrees', sides: undefined });
    expect(judged('greater', [0.2, 0.21], declared(2))).toMatchObject({ verdict: 'no verdict', direction: 'agrees', n: 2, sides: undefined });
  });

  test('one seed has the error of its test set; its spread is unknown', () => {
    expect(judged('greater', [0.2], declared(5))).toMatchObject({ verdict: 'interim', direction: 'agrees', n: 1 });
    expect(judged('greater', [0.2]).standardError).toBeCloseTo(Math.SQRT2 * TEST_ERROR, 12);
    expect(judged('greater', [0.004])).toMatchObject({ direction: 'within noise' });
  });

  test('only seeds that both arms have count; without one the comparison is not run', () => {
    expect(judge('greater', replicates([0.8, 0.8, 0.8]), replicates([0.8, 0.8], 2), MARGIN, declared(3))).toMatchObject({ verdict: 'interim', n: 1 });
    expect(judge('greater', replicates([0.8, 0.8]), replicates([0.8, 0.8], 2), MARGIN, declared(3))).toMatchObject({ verdict: 'not run', direction: undefined, n: 0, delta: undefined });
    expect(judge('greater', replicates([0.8]), new Map(), MARGIN, declared(3)).verdict).toBe('not run');
  });
});

test('interval and verdict agree at every level', () => {
  const j = judged('greater', [0.01, 0.012, 0.014]);
  for (const level of [0.2, 0.05, 0.0125, 0.0122, 0.012, 0.001]) {
    expect([level, verdictOf(j.sides!, level) === 'reproduced']).toEqual([level, intervalOf(j, 1 - level)!.low > MARGIN]);
  }
  // p = 0.0061 on one side.
  expect([verdictOf(j.sides!, 0.0122), verdictOf(j.sides!, 0.012)]).toEqual(['reproduced', 'undecided']);
});

describe('seeds that agree to the last image', () => {
  test('give an interval from the error of the test set, not one of no width', () => {
    const j = judged('greater', [0.005, 0.005, 0.005]);
    expect(j).toMatchObject({ verdict: 'undecided', direction: 'agrees' });
    expect(j.standardError).toBeCloseTo(Math.SQRT2 * TEST_ERROR, 12);
    expect(judged('greater', [0.05, 0.05, 0.05]).verdict).toBe('reproduced');
  });

  test('and that have no error of the test set either decide nothing: they have run into their end', () => {
    const saturated = (value: number): Replicates => new Map([0, 1, 2].map(seed => [seed, { value, standardError: 0 }]));
    for (const type of ['greater', 'not-worse', 'same'] as const) {
      const j = judge(type, saturated(1), saturated(1), MARGIN, declared(3));
      expect([j.verdict, intervalOf(j, 0.95)]).toEqual(['undecided', undefined]);
    }
  });

  test('a difference of exactly the margin is not above it, although doubles say so', () => {
    expect(0.8516 - 0.85).toBeGreaterThan(MARGIN);
    const exact = new Map([0, 1, 2].map(seed => [seed, { value: 0.8516, standardError: 1e-9 }]));
    const other = new Map([0, 1, 2].map(seed => [seed, { value: 0.85, standardError: 1e-9 }]));
    expect(judge('greater', exact, other, MARGIN, declared(3)).verdict).toBe('undecided');
    expect(judge('greater', exact, other, 0.0015, declared(3)).verdict).toBe('reproduced');
    expect(judge('not-worse', other, exact, MARGIN, declared(3)).verdict).toBe('undecided');
  });
});
