/** The interval of an arm's mean, which charts draw as a bar. */
import type { ArmRow, Measurement } from './model.ts';
import { studentTQuantile } from '../statistics/statistics.ts';
import { FEWEST_SEEDS } from '../statistics/verdict.ts';

/**
 * Half the 95 % interval of the mean, Student's t over seeds. Undefined for two seeds: with one degree of freedom it is too wide to inform.
 * Undefined for one: the test set alone would give a bar far too short, as it knows nothing of how seeds differ.
 */
export const halfInterval = ({ n, spread }: Measurement): number | undefined => (n < FEWEST_SEEDS ? undefined : (studentTQuantile(0.975, n - 1) * spread.value) / Math.sqrt(n));

/** What the bars of these arms are, in words, or why they have none. */
export function barsRule(rows: readonly Pick<ArmRow, 'measured'>[]): string {
  const most = Math.max(0, ...rows.map(({ measured }) => measured?.n ?? 0));
  if (most >= FEWEST_SEEDS) return 'Bars: 95 % intervals over seeds (t).';
  return most === 0 ? '' : `No bars: ${most === 1 ? 'one seed says' : 'two seeds say'} nothing of how far seeds differ.`;
}
