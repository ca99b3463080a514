/**
 * The statistics that reports print. No package is used for the Student t quantile: degrees of freedom are whole numbers
 * here, where the distribution has a closed form, and the packages that offer it compile native code or truncate at 1e-8.
 */

/**
 * Drops the last bits of a double. Accuracies are whole images over the size of the test set, so that a difference of exactly
 * the margin is common, and must not fall on either side of it by rounding; and means of the same images are a tie.
 */
export const tidy = (value: number): number => Number(value.toFixed(12)) + 0;

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('Expected at least one value for a mean, got none.');
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation, with n - 1 in the denominator. Needs two values. */
export function sampleStd(values: readonly number[]): number {
  if (values.length < 2) throw new RangeError(`Expected at least two values for a sample standard deviation, got ${values.length}.`);
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Standard error of a difference of two independent estimates; an upper bound where they are positively correlated. */
export const standardErrorOfDifference = (a: number, b: number): number => Math.hypot(a, b);

/**
 * P(|T| <= t) for Student's t with a whole number of degrees of freedom, at `theta = atan(t / sqrt(df))`.
 * Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even).
 */
function centralProbability(theta: number, df: number): number {
  const cos = Math.cos(theta);
  const odd = df % 2 === 1;
  let term = odd ? cos : 1;
  let sum = df === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < df; k += 2) {
    term *= ((k - 1) / k) * cos * cos;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + Math.sin(theta) * sum) : Math.sin(theta) * sum;
}

/**
 * Quantile of Student's t distribution: the t with P(T <= t) = p.
 * @param df degrees of freedom, a positive whole number.
 */
export function studentTQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`Expected a probability between 0 and 1, got ${p}.`);
  if (!Number.isInteger(df) || df < 1) throw new RangeError(`Expected a positive whole number of degrees of freedom, got ${df}.`);
  if (p < 0.5) return -studentTQuantile(1 - p, df);
  let low = 0;
  let high = Math.PI / 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, df) < 2 * p - 1) low = middle;
    else high = middle;
  }
  return Math.sqrt(df) * Math.tan((low + high) / 2);
}

/**
 * P(T > t) for Student's t distribution, good to 1e-15 absolutely: probabilities below that come out as zero.
 * @param df degrees of freedom, a positive whole number.
 */
export function studentTUpperTail(t: number, df: number): number {
  const central = centralProbability(Math.atan(Math.abs(t) / Math.sqrt(df)), df);
  return t >= 0 ? (1 - central) / 2 : (1 + central) / 2;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** For example 0.95. */
  readonly level: number;
}

/** Two-sided t interval of the mean. Undefined below three values: with one degree of freedom it is too wide to inform. */
export function tInterval(values: readonly number[], level = 0.95): Interval | undefined {
  return values.length < 3 ? undefined : tIntervalOf(mean(values), sampleStd(values) / Math.sqrt(values.length), values.length, level);
}

/** The same from the mean of `n` values and its standard error. */
export function tIntervalOf(centre: number, standardError: number, n: number, level: number): Interval {
  const half = quantile((1 + level) / 2, n - 1) * standardError;
  return { low: centre - half, high: centre + half, level };
}

const quantiles = new Map<string, number>();

/** A report asks for the same few again and again. */
function quantile(p: number, df: number): number {
  const known = quantiles.get(`${p} ${df}`) ?? studentTQuantile(p, df);
  quantiles.set(`${p} ${df}`, known);
  return known;
}

/** Differences `a - b` of the seeds that both have, in order of seed. */
export function pairedDeltas(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): { seed: number; delta: number }[] {
  return [...a.keys()]
    .filter(seed => b.has(seed))
    .sort((x, y) => x - y)
    .map(seed => ({ seed, delta: a.get(seed)! - b.get(seed)! }));
}
