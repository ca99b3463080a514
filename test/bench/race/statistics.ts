/** Order statistics of few timings: others use the machine, too, so means would follow the worst round. */

export interface Summary {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Linear between the two nearest values. @param p from 0 to 1 */
export function quantile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new RangeError('Expected at least one value, got none.');
  const sorted = [...values].sort((a, b) => a - b);
  const place = p * (sorted.length - 1),
    below = Math.floor(place);
  const low = sorted[below]!,
    high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (place - below) * (high - low);
}

/** The median between the quartiles. */
export const summarise = (values: readonly number[]): Summary => ({ median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) });

/**
 * How many times as fast `subject` is as `reference`, round by round: both ran one after the other in each, so what slowed
 * the machine down for a while slowed both.
 * @param subject seconds by round
 * @param reference seconds of the same rounds
 */
export function speedRatio(subject: readonly number[], reference: readonly number[]): Summary {
  if (subject.length !== reference.length) throw new RangeError(`Expected as many rounds of both, got ${subject.length} and ${reference.length}.`);
  return summarise(subject.map((seconds, round) => reference[round]! / seconds));
}
