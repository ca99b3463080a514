/** What the seeds say about one comparison of two arms: pure statistics, no declarations. */
import { difference, type Replicates } from './compare.ts';
import { signFlipPValue } from './sign-flip.ts';
import { mean, pairedDeltas, studentTUpperTail, tidy, tInterval, tIntervalOf, type Interval } from './statistics.ts';

/**
 * `interim`: not all declared seeds are there yet. `exploratory`: there are only seeds that nobody declared. `no verdict`: the
 * profile gives none.
 */
export type Verdict = 'reproduced' | 'contradicted' | 'undecided' | 'interim' | 'exploratory' | 'no verdict' | 'not run';

/** Where the mean of a comparison without a verdict points. */
export type Direction = 'agrees' | 'disagrees' | 'within noise';

/** `greater`: the first arm is above the second; `not-worse`: not below it by more than the margin; `same`: neither is above the other by more. */
type PairType = 'greater' | 'not-worse' | 'same';

/** What was declared before anything was run. */
export interface VerdictRule {
  /** A verdict is given when both arms have all of these, and on these alone. */
  readonly seeds: readonly number[];
  /** False: no verdict is given, however many seeds there are. */
  readonly gives: boolean;
}

/** One-sided p-values of the two sides of a comparison, by the paired t test. */
export interface Sides {
  readonly reproduced: number;
  readonly contradicted: number;
}

export interface Judgement {
  /** By the 95 % interval, as if it were the only comparison. */
  readonly verdict: Verdict;
  /** Of a comparison without a verdict. */
  readonly direction: Direction | undefined;
  /** Seeds that both arms have, of those that count. */
  readonly n: number;
  /** The differences themselves, by seed, in the headline's unit. */
  readonly perSeed: readonly { readonly seed: number; readonly delta: number }[];
  /** Mean of the differences per seed, and its standard error; undefined when no seed is common. */
  readonly delta: number | undefined;
  readonly standardError: number | undefined;
  /** Undefined unless a verdict can be given. */
  readonly sides: Sides | undefined;
  /** One-sided, of the claimed side beyond its margin, by the exact sign-flip test, which supposes no normal distribution; undefined also for more seeds than it can enumerate. */
  readonly signFlipPValue: number | undefined;
  /** The same comparison over all seeds, where both arms have some beyond the declared ones. */
  readonly exploratory: { readonly n: number; readonly delta: number; readonly interval: Interval | undefined } | undefined;
}

/** Chance of a wrong verdict, on either side, for one comparison alone and for all claims of one ablation together. */
export const ALPHA = 0.05;
/** As for the intervals elsewhere: with one degree of freedom an interval is too wide to inform. */
export const FEWEST_SEEDS = 3;

const NOT_RUN: Judgement = {
  verdict: 'not run',
  direction: undefined,
  n: 0,
  perSeed: [],
  delta: undefined,
  standardError: undefined,
  sides: undefined,
  signFlipPValue: undefined,
  exploratory: undefined,
};

/**
 * The verdict of a comparison by a two-sided paired t interval.
 *
 * The margin is a zone of indifference around zero. `greater` needs the interval above it and is contradicted by one below it, so
 * that swapping the arms swaps the verdicts; `not-worse` needs the interval above its lower end; `same` needs it inside (two
 * one-sided tests: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15) and is contradicted by one outside.
 * @param margin not negative, in the unit of the replicates
 */
export function judge(type: PairType, arm: Replicates, than: Replicates, margin: number, rule: VerdictRule): Judgement {
  const counted = countedSeeds(arm, than, rule.seeds);
  const paired = difference(ofSeeds(arm, counted), ofSeeds(than, counted));
  if (paired === undefined) return NOT_RUN;
  const perSeed = pairedDeltas(valuesOf(ofSeeds(arm, counted)), valuesOf(ofSeeds(than, counted))).map(pair => ({ ...pair, delta: tidy(pair.delta) }));
  const [delta, { standardError }] = [tidy(paired.value), paired];
  const state = stateOf(counted, rule);
  const sides = state === undefined ? sidesOf(type, delta, standardError, perSeed.length, margin) : undefined;
  const verdict = sides === undefined ? state! : verdictOf(sides);
  return {
    verdict,
    direction: verdict === 'reproduced' || verdict === 'contradicted' ? undefined : directionOf(type, delta, standardError, margin),
    n: perSeed.length,
    perSeed,
    delta,
    standardError,
    sides,
    signFlipPValue: sides === undefined || type === 'same' ? undefined : signFlipPValue(perSeed.map(pair => tidy(pair.delta - (type === 'greater' ? margin : -margin)))),
    exploratory: exploratory(arm, than, counted, rule),
  };
}

/** The verdict that the two sides give at a level: half of it for each. @param level of both sides together */
export function verdictOf({ reproduced, contradicted }: Sides, level = ALPHA): 'reproduced' | 'contradicted' | 'undecided' {
  if (reproduced <= level / 2) return 'reproduced';
  return contradicted <= level / 2 ? 'contradicted' : 'undecided';
}

/** Two-sided t interval of the mean difference of `n` seeds: it lies beyond the margin exactly where {@link verdictOf} decides at `1 - level`. */
export function intervalOf({ delta, standardError, n }: Pick<Judgement, 'delta' | 'standardError' | 'n'>, level: number): Interval | undefined {
  if (delta === undefined || standardError === undefined || standardError === 0 || n < FEWEST_SEEDS) return undefined;
  const { low, high } = tIntervalOf(delta, standardError, n, level);
  return { low: tidy(low), high: tidy(high), level };
}

/** Seeds of both arms that were declared; where there is none of them, whichever both have. In order. */
function countedSeeds(arm: Replicates, than: Replicates, declared: readonly number[]): number[] {
  const common = [...arm.keys()].filter(seed => than.has(seed)).sort((a, b) => a - b);
  return declaredOf(common, declared);
}

/** The declared ones of these seeds; all of them, as exploratory, where none is declared. */
export function declaredOf(seeds: readonly number[], declared: readonly number[]): number[] {
  const own = seeds.filter(seed => declared.includes(seed));
  return own.length > 0 ? own : [...seeds];
}

const ofSeeds = (replicates: Replicates, seeds: readonly number[]): Replicates => new Map(seeds.flatMap(seed => (replicates.has(seed) ? [[seed, replicates.get(seed)!] as const] : [])));

const valuesOf = (replicates: Replicates): Map<number, number> => new Map([...replicates].map(([seed, r]) => [seed, r.value]));

/** Why there is no verdict yet, or ever; undefined where there is. */
function stateOf(seeds: readonly number[], rule: VerdictRule): 'interim' | 'exploratory' | 'no verdict' | undefined {
  if (!seeds.every(seed => rule.seeds.includes(seed))) return 'exploratory';
  if (!rule.gives || rule.seeds.length < FEWEST_SEEDS) return 'no verdict';
  return seeds.length < rule.seeds.length ? 'interim' : undefined;
}

function sidesOf(type: PairType, delta: number, standardError: number, n: number, margin: number): Sides {
  const above = (bound: number): number => tail(tidy(delta - bound), standardError, n);
  const below = (bound: number): number => tail(tidy(bound - delta), standardError, n);
  switch (type) {
    case 'greater':
      return { reproduced: above(margin), contradicted: below(-margin) };
    case 'not-worse':
      return { reproduced: above(-margin), contradicted: below(-margin) };
    case 'same':
      return { reproduced: Math.max(above(-margin), below(margin)), contradicted: Math.min(above(margin), below(-margin)) };
  }
}

function tail(distance: number, standardError: number, n: number): number {
  // Values that vary neither over seeds nor over images have run into their end: that tells nothing of a difference.
  if (standardError === 0) return 1;
  return studentTUpperTail(distance / standardError, n - 1);
}

function directionOf(type: PairType, delta: number, standardError: number, margin: number): Direction {
  // How far it lies on the claimed side of the nearest bound; negative: on the other.
  const distance = type === 'greater' ? Math.sign(delta) * Math.max(0, Math.abs(delta) - margin) : type === 'not-worse' ? delta + margin : margin - Math.abs(delta);
  if (type !== 'greater') return distance >= 0 ? 'agrees' : -distance < standardError ? 'within noise' : 'disagrees';
  if (distance === 0 || Math.abs(delta) < standardError) return 'within noise';
  return distance > 0 ? 'agrees' : 'disagrees';
}

/** Another look, at whatever there is: it shows what it shows, and decides nothing. */
function exploratory(arm: Replicates, than: Replicates, counted: readonly number[], { seeds }: VerdictRule): Judgement['exploratory'] {
  const deltas = pairedDeltas(valuesOf(arm), valuesOf(than)).map(({ delta }) => delta);
  if (deltas.length <= counted.length || counted.some(seed => !seeds.includes(seed))) return undefined;
  return { n: deltas.length, delta: tidy(mean(deltas)), interval: tInterval(deltas) };
}
