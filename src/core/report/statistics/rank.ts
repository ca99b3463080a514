/** How the measured order of a table's arms agrees with the published one, as one number with its uncertainty. */
import type { Replicates } from './compare.ts';
import { kendallPValue, kendallTauB } from './kendall.ts';
import { mean, tidy } from './statistics.ts';
import { FEWEST_SEEDS } from './verdict.ts';

/** Two arms are in order or not: there is nothing to correlate. */
export const FEWEST_ARMS = 3;

export interface RankAgreement {
  /** Kendall's tau-b between the means and the published values. */
  readonly tau: number;
  /** Measured arms with published values that compare. */
  readonly arms: number;
  /** Two-sided, exact, of no association; undefined for tables too long to count. */
  readonly pValue: number | undefined;
  /** Smallest and largest tau of a single seed, over the seeds that all these arms have; undefined below {@link FEWEST_SEEDS} of them. */
  readonly seeds: { readonly n: number; readonly low: number; readonly high: number } | undefined;
}

/** Undefined below {@link FEWEST_ARMS} measured arms, and where one side sees no difference between any of them. */
export function rankAgreement(arms: readonly { readonly published: number; readonly replicates: Replicates }[]): RankAgreement | undefined {
  const measured = arms.filter(arm => arm.replicates.size > 0);
  if (measured.length < FEWEST_ARMS) return undefined;
  const published = measured.map(arm => arm.published);
  const means = measured.map(arm => tidy(mean([...arm.replicates].sort(([a], [b]) => a - b).map(([, { value }]) => value))));
  const tau = kendallTauB(means, published);
  if (tau === undefined) return undefined;
  return { tau, arms: measured.length, pValue: kendallPValue(means, published), seeds: seedRange(measured, published) };
}

function seedRange(arms: readonly { readonly replicates: Replicates }[], published: readonly number[]): RankAgreement['seeds'] {
  const common = [...arms[0]!.replicates.keys()].filter(seed => arms.every(arm => arm.replicates.has(seed)));
  const taus = common.flatMap(
    seed =>
      kendallTauB(
        arms.map(arm => arm.replicates.get(seed)!.value),
        published,
      ) ?? [],
  );
  return taus.length < FEWEST_SEEDS ? undefined : { n: taus.length, low: Math.min(...taus), high: Math.max(...taus) };
}

/** What the numbers of {@link RankAgreement} mean, for the report. */
export const rankRule =
  'Kendall\u2019s \u03c4 between the measured and the published order of a table\u2019s arms (tau-b, corrected for ties): 1 is the same order, \u22121 the reverse, 0 no relation. ' +
  'p: two-sided and exact, of an order as far from none by chance; it knows the number of arms and nothing of the noise of each. In brackets the range over single seeds, from three seeds on.';
