/** What the seeds say about one comparison of two arms: pure statistics, no declarations. */
import { difference, type Difference, type Replicates } from './compare.ts';
import { signFlipPValue } from './sign-flip.ts';
import { mean, pairedDeltas, sampleStd, studentTQuantile, studentTUpperTail, tidy, type Interval } from './statistics.ts';

export type Verdict = 'reproduced' | 'contradicted' | 'undecided' | 'not run';

/** Where the mean of an undecided comparison points. */
export type Direction = 'agrees' | 'disagrees' | 'within noise';

/** `greater`: the first arm is above the second; `not-worse`: not below it by more than the margin. */
export type PairType = 'greater' | 'not-worse';

export interface Judgement {
  readonly verdict: Verdict;
  /** Of an undecided comparison. */
  readonly direction: Direction | undefined;
  /** Seeds that both arms have. */
  readonly n: number;
  /** The differences themselves, by seed, in the headline's unit. */
  readonly perSeed: readonly { readonly seed: number; readonly delta: number }[];
  /** Mean of the differences per seed, and its standard error; undefined when no seed is common. */
  readonly delta: number | undefined;
  readonly standardError: number | undefined;
  /** Of one difference, as far as the finite test set alone gives it, both arms taken as independent. */
  readonly testError: number | undefined;
  /** Its ends are the one-sided 95 % bounds (together a 90 % interval); undefined below {@link FEWEST_SEEDS}. */
  readonly bounds: Interval | undefined;
  /** One-sided, of the claimed side beyond its margin; undefined below {@link FEWEST_SEEDS}. */
  readonly pValue: number | undefined;
  /** The same by the exact sign-flip test; undefined also for more seeds than it can enumerate. */
  readonly signFlipPValue: number | undefined;
  /** Smallest number of seeds that would decide an undecided comparison if mean and spread stayed; undefined: none up to {@link MOST_SEEDS}. */
  readonly seedsNeeded: number | undefined;
}

/** Chance of a wrong verdict on each side, for one comparison. */
export const ALPHA = 0.05;
/** As for the intervals elsewhere: with one degree of freedom an interval is too wide to inform. */
export const FEWEST_SEEDS = 3;
/** Nobody runs more; a comparison that needs more is as good as even. */
const MOST_SEEDS = 100;

const quantiles = new Map<number, number>();

/** One-sided critical value of `n` differences. */
function critical(n: number): number {
  const known = quantiles.get(n) ?? studentTQuantile(1 - ALPHA, n - 1);
  quantiles.set(n, known);
  return known;
}

/**
 * The verdict of a comparison by a one-sided paired t at 5 % on each side.
 *
 * The margin is a zone of indifference around zero: `greater` needs the interval above it and is contradicted by one below
 * it, so that swapping the arms swaps the verdicts; `not-worse` needs the interval above its lower end.
 * @param margin not negative, in the unit of the replicates
 */
export function judge(type: PairType, arm: Replicates, than: Replicates, margin: number): Judgement {
  const paired = difference(arm, than);
  if (paired === undefined) {
    return {
      verdict: 'not run',
      direction: undefined,
      n: 0,
      perSeed: [],
      delta: undefined,
      standardError: undefined,
      testError: undefined,
      bounds: undefined,
      pValue: undefined,
      signFlipPValue: undefined,
      seedsNeeded: undefined,
    };
  }
  const { n } = paired;
  const pairs = pairedDeltas(valuesOf(arm), valuesOf(than)).map(pair => ({ ...pair, delta: tidy(pair.delta) }));
  const testError = mean(pairs.map(({ seed }) => Math.hypot(arm.get(seed)!.standardError, than.get(seed)!.standardError)));
  const { delta, standardError, spread } = estimate(
    paired,
    pairs.map(pair => pair.delta),
    testError,
  );
  const claimedFrom = type === 'greater' ? margin : -margin;
  const bounds = n < FEWEST_SEEDS ? undefined : boundsOf(delta, standardError, n);
  const verdict = bounds === undefined ? 'undecided' : decide(bounds, claimedFrom, margin);
  const undecided = verdict === 'undecided';
  return {
    verdict,
    direction: undecided ? directionOf(type, delta, standardError, margin) : undefined,
    n,
    perSeed: pairs,
    delta,
    standardError,
    testError,
    bounds,
    pValue: bounds === undefined ? undefined : tail(delta - claimedFrom, standardError, n),
    signFlipPValue: bounds === undefined ? undefined : signFlipPValue(pairs.map(pair => tidy(pair.delta - claimedFrom))),
    seedsNeeded: undecided && spread !== undefined ? seedsNeeded(delta, spread, n, claimedFrom, margin) : undefined,
  };
}

const valuesOf = (replicates: Replicates): Map<number, number> => new Map([...replicates].map(([seed, r]) => [seed, r.value]));

interface Estimate {
  readonly delta: number;
  readonly standardError: number;
  /** Sample standard deviation of the differences, where more seeds would narrow the interval. */
  readonly spread: number | undefined;
}

/**
 * Mean difference and its error. The intervals cover the spread over seeds and nothing else, on one test set that all of them
 * share. Seeds that agree to the last image would give an interval of no width: that says the seeds did not reach the
 * result (or that the metric has run into its end), not that the difference is certain. There the test set's error of
 * both values stands in, undivided, as with a single seed.
 */
function estimate(paired: Difference, deltas: readonly number[], testError: number): Estimate {
  const delta = tidy(paired.value);
  if (paired.n === 1) return { delta, standardError: paired.standardError, spread: undefined };
  const spread = sampleStd(deltas);
  if (tidy(spread) > 0) return { delta, standardError: spread / Math.sqrt(paired.n), spread };
  return { delta, standardError: testError, spread: undefined };
}

function boundsOf(delta: number, standardError: number, n: number): Interval {
  const half = critical(n) * standardError;
  return { low: tidy(delta - half), high: tidy(delta + half), level: 1 - 2 * ALPHA };
}

function decide({ low, high }: Interval, claimedFrom: number, margin: number): Verdict {
  if (low > claimedFrom) return 'reproduced';
  return high < -margin ? 'contradicted' : 'undecided';
}

function directionOf(type: PairType, delta: number, standardError: number, margin: number): Direction {
  if (type === 'not-worse') {
    if (delta >= -margin) return 'agrees';
    return -margin - delta < standardError ? 'within noise' : 'disagrees';
  }
  if (delta === 0 || Math.abs(delta) < margin || Math.abs(delta) < standardError) return 'within noise';
  return delta > 0 ? 'agrees' : 'disagrees';
}

function tail(distance: number, standardError: number, n: number): number {
  if (standardError === 0) return distance > 0 ? 0 : 1;
  return studentTUpperTail(distance / standardError, n - 1);
}

function seedsNeeded(delta: number, spread: number, n: number, claimedFrom: number, margin: number): number | undefined {
  for (let count = Math.max(n + 1, FEWEST_SEEDS); count <= MOST_SEEDS; count++) {
    if (decide(boundsOf(delta, spread / Math.sqrt(count), count), claimedFrom, margin) !== 'undecided') return count;
  }
  return undefined;
}
