/** Which rows a chart draws where it cannot draw all. */
import { formatCount } from '../../text/format.ts';
import type { ForestChart } from './vega/chart.ts';
import { rangeOf } from './vega/forest.ts';

/** As many as one looks at, and a page of paper holds. @internal */
export const MOST_ROWS = 40;

interface Selection<T> {
  readonly most?: number;
  /** Whether a row stays whatever its value is. */
  readonly kept?: (row: T) => boolean;
}

/**
 * Both ends of many: what any reader of a long list looks for, as many from below as from above. Rows without a value are left out; the others
 * stay in their order. All, where there are not too many.
 */
export function bothEnds<T>(rows: readonly T[], valueOf: (row: T) => number | undefined, { most = MOST_ROWS, kept = () => false }: Selection<T> = {}): readonly T[] {
  if (rows.length <= most) return rows;
  const staying = rows.filter(kept).slice(0, most);
  const ranked = rows
    .filter(row => !staying.includes(row) && valueOf(row) !== undefined)
    .sort((a, b) => valueOf(a)! - valueOf(b)!)
    .map((row, i, { length }) => ({ row, fromEnd: Math.min(i, length - 1 - i) }));
  const ends = ranked.sort((a, b) => a.fromEnd - b.fromEnd).slice(0, most - staying.length);
  const drawn = new Set([...staying, ...ends.map(({ row }) => row)]);
  return rows.filter(row => drawn.has(row));
}

/** Says what is not drawn; nothing where all is. @param what their plural */
export const endsText = (drawn: number, all: number, what: string, where: string): string =>
  drawn === all ? '' : `Of ${formatCount(all)} ${what} the ${drawn} furthest to either side are drawn; all stand in ${where}.`;

/** Says that some values lie beyond the axis; nothing where none does. */
export function outsideText(chart: ForestChart): string[] {
  const [low, high] = rangeOf(chart);
  const values = chart.rows.flatMap(({ measured, published }) => [measured?.value, measured?.low, measured?.high, published?.value].filter(value => value !== undefined));
  return values.some(value => value < low || value > high) ? ['Triangles at the ends of the axis: values beyond it.'] : [];
}
