/** Differences between arms and what they say about the order that the paper found. */
import { pairedShareError, pairItems } from './paired-items.ts';
import { mean, pairedDeltas, sampleStd, standardErrorOfDifference, tidy, tIntervalOf, type Interval } from './statistics.ts';

/** One replicate's headline number with the standard error that the finite test set gives it. */
export interface Replicate {
  readonly value: number;
  readonly standardError: number;
  /** Of each test item whether it was found right, in the order of the test set; read when asked for, undefined where the record does not tell. */
  readonly items?: (() => readonly boolean[] | undefined) | undefined;
}

export type Replicates = ReadonlyMap<number, Replicate>;

export interface Difference {
  readonly value: number;
  readonly standardError: number;
  /** Seeds that both arms have. */
  readonly n: number;
  /** `paired`: over seeds, as {@link pairedError} has it. All else is one seed, so only what {@link testSetError} says of two trained models. */
  readonly error: 'paired' | TestSetError['of'];
  /** 95 %; undefined below three seeds, where it is too wide to inform, and where nothing is known of the error. */
  readonly interval: Interval | undefined;
}

/** Difference `a - b` over the seeds that both arms have; undefined when they share none. */
export function difference(a: Replicates, b: Replicates): Difference | undefined {
  const values = (replicates: Replicates): Map<number, number> => new Map([...replicates].map(([seed, r]) => [seed, r.value]));
  const pairs = pairedDeltas(values(a), values(b));
  const only = pairs[0];
  if (only === undefined) return undefined;
  const deltas = pairs.map(pair => pair.delta);
  const n = deltas.length;
  if (n === 1) {
    const { standardError, of } = testSetError(a.get(only.seed)!, b.get(only.seed)!);
    return { value: only.delta, standardError, n, error: of, interval: undefined };
  }
  const value = mean(deltas);
  const standardError = pairedError(deltas, () => mean(pairs.map(({ seed }) => testSetError(a.get(seed)!, b.get(seed)!).standardError)));
  return { value, standardError, n, error: 'paired', interval: n < 3 || standardError === 0 ? undefined : tIntervalOf(value, standardError, n, 0.95) };
}

/**
 * Standard error of the mean difference: it covers the spread over seeds and nothing else, on one test set that all of them share. Seeds
 * that differ by the same to the last image would give an interval of no width: that says the seeds did not reach the result (or that the
 * metric has run into its end), not that the difference is certain. There the test set's error of one difference stands in, undivided, as with a
 * single seed.
 */
function pairedError(deltas: readonly number[], testError: () => number): number {
  const spread = sampleStd(deltas);
  return tidy(spread) > 0 ? spread / Math.sqrt(deltas.length) : testError();
}

export interface TestSetError {
  readonly standardError: number;
  /**
   * `images`: from the images on which the two differ. `binomial`: of both values as if they were independent; that is too wide rather
   * than too narrow for two models tested on the same images.
   */
  readonly of: 'images' | 'binomial';
}

/** What a finite test set leaves open about the difference of two trained models. It knows nothing of other seeds. @internal */
export function testSetError(a: Replicate, b: Replicate): TestSetError {
  const [ofA, ofB] = [countedItems(a), countedItems(b)];
  const paired = ofA && ofB && pairItems(ofA, ofB);
  return paired === undefined ? { standardError: standardErrorOfDifference(a.standardError, b.standardError), of: 'binomial' } : { standardError: pairedShareError(paired), of: 'images' };
}

/** Items of a value that is their share, or that of the wrong ones: of a metric that is neither, or in another unit, they say nothing. */
function countedItems({ value, items }: Replicate): readonly boolean[] | undefined {
  const known = items?.();
  if (known === undefined || known.length === 0) return undefined;
  const share = known.filter(Boolean).length / known.length;
  return [share, 1 - share].some(of => Math.abs(value - of) < 0.5 / known.length) ? known : undefined;
}

/** How a measured difference relates to the published one. */
export type Agreement = 'same sign' | 'opposite sign' | 'within noise' | 'one seed' | 'published gap within seed noise';

/** The rule of {@link agreement}, in words for the report. */
export const agreementRule = (noise: { value: number; source: string } | undefined): string =>
  'A difference of several seeds that is smaller than its own standard error is called within noise; beyond that only its sign is compared with the paper. ' +
  (noise === undefined ? 'Pairs with the same published value are not counted.' : `Published gaps below ${noise.value} points are not counted as an order: ${noise.source}.`);

/** Whether values compare with the paper's, in words for the report. */
export function valueRule(comparable: boolean, changed: boolean): string {
  if (comparable) return 'Profile and data are the paper\u2019s, so values are compared, too: measured minus published.';
  return `Only order and sign are compared with the paper, not values: ${changed ? 'the profile was changed for this report' : 'models, data or schedules of this profile are not the paper\u2019s'}.`;
}

/**
 * Compares signs only. A published gap below the paper's own noise has no sign to agree with; a measured difference below
 * its standard error has none either, and one seed tells of none.
 */
export function agreement(measured: Difference, published: number, noise: number): Agreement {
  if (published === 0 || Math.abs(published) < noise) return 'published gap within seed noise';
  if (measured.n === 1) return 'one seed';
  if (measured.value === 0 || Math.abs(measured.value) < measured.standardError) return 'within noise';
  return Math.sign(measured.value) === Math.sign(published) ? 'same sign' : 'opposite sign';
}

/** Pairs of arms, counted by how their order relates to the paper's. */
export interface OrderCount {
  readonly same: number;
  readonly opposite: number;
  readonly withinNoise: number;
  /** Pairs of one seed, which is no evidence of an order. */
  readonly oneSeed: number;
  /** Pairs that the paper itself does not separate. */
  readonly publishedNoise: number;
  /** Pairs with published values of which an arm is not measured. */
  readonly notMeasured: number;
}

/** Pairs that the paper separates and that were measured with more than one seed. */
export const decidable = (order: OrderCount): number => order.same + order.opposite + order.withinNoise;

/** Published values are differences of decimals: rounding keeps 84.6 - 84.4 from falling below 0.2. */
export const publishedDifference = (a: number, b: number): number => Number((a - b).toFixed(6));

/** An arm with a published value. */
export interface ComparedArm {
  /** Its runs and its table: arms of several ablations may be one. */
  readonly what: string;
  readonly published: number;
  readonly replicates: Replicates;
}

/** Two arms and how their order relates to the paper's. */
export interface OrderedPair {
  /** Equal for the same two, in whichever ablation. */
  readonly what: string;
  readonly outcome: Agreement | 'not measured';
}

/** Every pair of arms with published values that compare with each other. */
export const comparePairs = (arms: readonly ComparedArm[], noise: number): OrderedPair[] =>
  arms.flatMap((a, i) =>
    arms.slice(i + 1).map((b): OrderedPair => {
      const measured = difference(a.replicates, b.replicates);
      const outcome = measured === undefined ? 'not measured' : agreement(measured, publishedDifference(a.published, b.published), noise);
      return { what: JSON.stringify([a.what, b.what].sort()), outcome };
    }),
  );

/** Each pair once. */
export function countOrder(pairs: readonly OrderedPair[]): OrderCount {
  const distinct = [...new Map(pairs.map(pair => [pair.what, pair])).values()];
  const count = (outcome: OrderedPair['outcome']): number => distinct.filter(pair => pair.outcome === outcome).length;
  return {
    same: count('same sign'),
    opposite: count('opposite sign'),
    withinNoise: count('within noise'),
    oneSeed: count('one seed'),
    publishedNoise: count('published gap within seed noise'),
    notMeasured: count('not measured'),
  };
}
