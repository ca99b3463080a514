import { describe, expect, it } from 'vitest';
import type { ProfileBase } from '../../../../src/core/ablation/declaration.ts';
import { forecastPower, spreadOf } from '../../../../src/core/inspect/detectable.ts';
import type { PlannedExperiments } from '../../../../src/core/plan/plan.ts';
import { accuracyRecords, claim, claimAblation, type Accuracies } from '../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../helpers/report/sample.ts';

const spread = (accuracies: Accuracies): ReturnType<typeof spreadOf> => spreadOf(sampleStudy, accuracyRecords(accuracies));

describe('the spread that earlier records tell', () => {
  // Differences a - b: 2, 0, 4 (sum of squares about the mean 8); a - c: 0, 3, 0 (6); b - c: -2, 3, -4 (26). 40 / 6 degrees of freedom.
  const three = { 'x/a': [0.84, 0.83, 0.84], 'x/b': [0.82, 0.83, 0.8], 'x/c': [0.84, 0.8, 0.84] };

  it('is pooled over the pairs of arms of one ablation', () => {
    expect(spread(three)).toEqual({ of: 'records', deviation: expect.closeTo(0.01 * Math.sqrt(40 / 6), 12) as number, pairs: 3, seeds: [3] });
    // Another ablation is not compared with the first; its pair counts by its degrees of freedom: 2, 0, 1, -3 has 14.
    const two = { ...three, 'y/a': [0.82, 0.8, 0.81, 0.77], 'y/b': [0.8, 0.8, 0.8, 0.8] };
    expect(spread(two)).toEqual({ of: 'records', deviation: expect.closeTo(0.01 * Math.sqrt(54 / 9), 12) as number, pairs: 4, seeds: [3, 4] });
  });

  it('does not count pairs with fewer than 3 seeds in common, and is not told by fewer than 3 pairs', () => {
    expect(spread({ ...three, 'x/d': [0.9, 0.1], 'x/e': [null, null, 0.2, 0.3, 0.9] })).toEqual(spread(three));
    expect(spread({ ...three, 'x/c': [0.84, 0.8] })).toBeUndefined();
    expect(spread({})).toBeUndefined();
  });

  it('counts the same runs once, in however many ablations they stand', () => {
    const records = accuracyRecords(three).map(record => ({ ...record, uses: record.uses.flatMap(use => [use, { ...use, ablation: 'other' }]) }));
    expect(spreadOf(sampleStudy, records)).toEqual(spread(three));
  });

  it('is none where seeds agree to the last image', () => {
    expect(spread({ 'x/a': [0.8, 0.8, 0.8], 'x/b': [0.81, 0.81, 0.81], 'x/c': [0.82, 0.82, 0.82] })).toBeUndefined();
  });
});

describe('which difference the declared seeds can show', () => {
  const claims = (count: number): ReturnType<typeof claim>[] => Array.from({ length: count }, (_, i) => claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: `c${i}` }));
  const forecast = (profile: Omit<ProfileBase, 'name'>, counts: readonly number[]): ReturnType<typeof forecastPower> => {
    const ablations = counts.map((count, i) => ({ declaration: claimAblation(`x${i}`, ['a', 'b'], claims(count)), arms: [] }));
    const experiments = { study: sampleStudy, profile: { ...profile, name: 'p' }, ablations, plan: { stages: new Map(), arms: [] } };
    return forecastPower(experiments as unknown as PlannedExperiments, { reportDir: '/nowhere/p', store: undefined });
  };
  const seeds = [0, 1, 2, 3, 4];

  it('for a claim by itself and at the first step of Holm in the largest family, with the spread that the profile assumes', () => {
    const verdicts = { margin: 0.2, source: 'assumed', spread: { value: 2, source: 'assumed: a guess' } };
    expect(forecast({ seeds, verdicts }, [1, 9, 2])).toEqual({
      seeds: 5,
      needs: 3,
      gives: true,
      without: [],
      power: 0.8,
      unit: 'fraction',
      shows: {
        margin: 0.002,
        spread: { of: 'profile', deviation: 0.02, source: 'assumed: a guess' },
        // scipy 1.17.1: 0.2 + 2 * 1.6819972822 and 0.2 + 2 * 3.0697017311 points; see power.test.ts.
        one: expect.closeTo(0.035639945644, 9) as number,
        family: { ablation: 'x1', claims: 9, difference: expect.closeTo(0.063394034622, 9) as number },
      },
    });
  });

  it('in standard deviations where nothing tells the spread; a single claim is no family', () => {
    expect(forecast({ seeds }, [1])!.shows).toEqual({ margin: 0, spread: undefined, one: expect.closeTo(1.6819972822, 7) as number, family: undefined });
  });

  it('none with too few seeds or where the profile gives no verdicts; nothing is said without claims', () => {
    expect(forecast({ seeds: [0, 1] }, [2])).toMatchObject({ seeds: 2, gives: true, shows: undefined });
    expect(forecast({ seeds, verdicts: false }, [2])).toMatchObject({ gives: false, shows: undefined });
    expect(forecast({ seeds }, [0, 0])).toBeUndefined();
  });
});
