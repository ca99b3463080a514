/** The interval of an arm's mean, which charts draw as a bar. */
import type { ArmRow, Measurement } from './model.ts';
import { studentTQuantile } from '../statistics/statistics.ts';
import { FEWEST_SEEDS } from '../statistics/verdict.ts';

/** Quantile of the normal distribution for 95 % on two sides. */
const NORMAL = 1.959963984540054;

/**
 * Half the 95 % interval of the mean: Student's t over seeds; with one seed the normal interval that the finite test set gives.
 * Undefined for two seeds: with one degree of freedom it is too wide to inform.
 */
export function halfInterval({ n, spread }: Measurement): number | undefined {
  if (n === 1) return NORMAL * spread.value;
  return n < FEWEST_SEEDS ? undefined : (studentTQuantile(0.975, n - 1) * spread.value) / Math.sqrt(n);
}

/** What the bars of these arms are, in words. */
export function barsRule(rows: readonly ArmRow[]): string {
  const seeds = rows.flatMap(({ measured }) => measured?.n ?? []);
  const kinds = [
    ...(seeds.some(n => n >= FEWEST_SEEDS) ? ['of the mean over seeds (t)'] : []),
    ...(seeds.includes(1) ? [seeds.some(n => n > 1) ? 'where there is one seed, what the test set alone gives' : 'of one seed, as the test set alone gives it'] : []),
  ];
  return kinds.length === 0 ? '' : `Bars: 95 % intervals ${kinds.join('; ')}.`;
}
