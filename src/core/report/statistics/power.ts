/**
 * What a number of seeds can show before any of them has run: power of the paired t test, by the noncentral t distribution. No package is
 * used for it: those that offer it compile native code or approximate the normal distribution.
 */
import { studentTQuantile } from './statistics.ts';

/**
 * P(Z <= x) of the standard normal distribution, good to 1e-15 absolutely: a series whose terms all have one sign. (Abramowitz and
 * Stegun, 26.2.11; Marsaglia 2004, Journal of Statistical Software 11.)
 */
function normalCdf(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let sum = 0;
  for (let term = x, k = 3; sum + term !== sum; k += 2) {
    sum += term;
    term *= (x * x) / k;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** Parts of the largest weight that are left out of the integral. */
const NEGLIGIBLE = 1e-17;

/**
 * P(T > t) for T = (Z + noncentrality) / S, where Z is standard normal and df S^2 independently chi-squared: the probability given S, over the
 * distribution of S. (Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 31.) The integral is over log S,
 * where the integrand and all its derivatives vanish on both sides, so that the trapezoidal rule converges faster than any power of its step.
 * @internal
 * @param t positive
 * @param df degrees of freedom, positive
 */
export function noncentralTUpperTail(t: number, df: number, noncentrality: number): number {
  if (!(t > 0)) throw new RangeError(`Expected a positive t, got ${t}.`);
  if (!(df > 0)) throw new RangeError(`Expected positive degrees of freedom, got ${df}.`);
  // A small part of how far S spreads, and of how far it takes the probability given S from 0 to 1.
  const step = 1 / Math.max(16 * Math.sqrt(2 * df), 4 * Math.abs(noncentrality));
  let total = 0,
    above = 0;
  for (const direction of [1, -1]) {
    for (let i = direction === 1 ? 0 : 1; ; i++) {
      const logS = direction * i * step;
      const weight = Math.exp(df * (logS - Math.expm1(2 * logS) / 2));
      if (weight < NEGLIGIBLE) break;
      total += weight;
      above += weight * normalCdf(noncentrality - t * Math.exp(logS));
    }
  }
  return above / total;
}

export interface PowerQuestion {
  /** Seeds that both arms have. At least two. */
  readonly n: number;
  /** Of the difference of two arms over seeds. */
  readonly standardDeviation: number;
  /** Two-sided level of the test; of the first step of Holm's correction over m claims that is alpha / m. */
  readonly alpha: number;
  /** That the difference must exceed, not negative. */
  readonly margin: number;
}

/**
 * How likely n seeds show, in its own direction, that a true mean difference of two arms exceeds the margin: by the two-sided t interval at
 * level 1 - alpha, on paired differences that are normally distributed. (Cohen 1988, Statistical Power Analysis, chapter 2.)
 * @internal
 */
export function pairedPower(difference: number, { n, standardDeviation, alpha, margin }: PowerQuestion): number {
  return noncentralTUpperTail(studentTQuantile(1 - alpha / 2, n - 1), n - 1, ((difference - margin) / standardDeviation) * Math.sqrt(n));
}

/**
 * The smallest true mean difference that n seeds show with that power.
 * @param power above alpha / 2, below 1
 */
export function detectableDifference(question: PowerQuestion, power: number): number {
  let low = question.margin,
    high = question.margin + question.standardDeviation;
  while (pairedPower(high, question) < power) high += high - low;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (pairedPower(middle, question) < power) low = middle;
    else high = middle;
  }
  return high;
}
