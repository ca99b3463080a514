/** Numbers of one result over an axis: lines where its places have an order, else a matrix of arms and places. */
import type { Line, LineChart, LinePanel, MatrixChart, MatrixRow } from './vega/chart.ts';
import { shownNumber } from './vega/numbers.ts';
import { STYLES } from './vega/palette.ts';
import { formatCount, formatValue, plural, scale } from '../../text/format.ts';
import type { Breakdown } from '../model/breakdowns.ts';
import { right, type Table } from '../tables/results.ts';

const inUnit = (title: string, { unit }: Breakdown): string => `${title}${unit === 'fraction' ? ' (%)' : ''}`;
const titleOf = (breakdown: Breakdown): string => inUnit(breakdown.title, breakdown);

/** Arms that are rows and columns of two axes have a panel for each column, in which a row has the same line. */
function axesOf({ rows }: Breakdown): { readonly series: readonly string[]; readonly panels: readonly string[] } | undefined {
  const crossed = rows.flatMap(row => (row.crossed === undefined ? [] : [row.crossed]));
  return crossed.length < rows.length ? undefined : { series: [...new Set(crossed.map(([row]) => row))], panels: [...new Set(crossed.map(([, column]) => column))] };
}

export function breakdownLines(breakdown: Breakdown): LineChart | undefined {
  const { axis, places, rows, unit } = breakdown;
  const axes = axesOf(breakdown);
  const series = axes?.series ?? rows.map(({ label }) => label);
  if (places.length < 2 || series.length > STYLES) return undefined;
  const lineOf = (values: readonly number[], of: number): Line => ({ series: of, grid: 0, y: values.map(value => shownNumber(value, unit)) });
  const panel = (title: string, lines: readonly Line[]): LinePanel => ({ title, format: unit, lines });
  const panels = axes
    ? axes.panels.map(column => panel(inUnit(column, breakdown), rows.flatMap(({ crossed, values }) => (crossed![1] === column ? [lineOf(values, series.indexOf(crossed![0]))] : [])))) // prettier-ignore
    : [panel(titleOf(breakdown), rows.map(({ values }, i) => lineOf(values, i)))]; // prettier-ignore
  return { kind: 'lines', x: { title: axis, labels: places }, series: series.map((label, style) => ({ label, style })), grids: [places.map((_, i) => i)], panels, log: false };
}

/** Shades go from the lowest to the highest number of all. */
export function breakdownMatrix(breakdown: Breakdown): MatrixChart {
  const { places, rows, unit } = breakdown;
  const all = rows.flatMap(({ values }) => values),
    low = Math.min(...all),
    range = Math.max(...all) - low;
  return {
    kind: 'matrix',
    title: titleOf(breakdown),
    columns: places,
    rows: rows.map(({ label, values }): MatrixRow => ({
      label,
      coloured: true,
      text: '',
      cells: values.map((value, i) => ({
        name: label,
        share: range === 0 ? 0 : (value - low) / range,
        text: unit === 'fraction' ? formatCount(scale(value, unit)) : formatValue(value, unit),
        notes: [`${places[i]!}: ${formatValue(value, unit)}`],
      })),
    })),
  };
}

export function breakdownCaption(breakdown: Breakdown): string {
  const { rows, as, axis, notes } = breakdown;
  const form = as === 'matrix' ? [`A row for each arm, a column for each ${axis}; the higher the number, the warmer the shade.`] : axesOf(breakdown) ? ['Each panel on its own scale.'] : [];
  return [...form, ...notes, ...(rows.some(({ n }) => n > 1) ? ['Means over seeds.'] : [])].join(' ');
}

/** The chart in words: the ends of each row. */
export function breakdownAlt(breakdown: Breakdown): string {
  const { as, axis, places, rows, unit } = breakdown;
  const at = (value: number, values: readonly number[]): string => `${formatValue(value, unit)} (${places[values.indexOf(value)]!})`;
  const ends = rows.map(({ label, values }) =>
    as === 'lines'
      ? `${label}: ${formatValue(values[0]!, unit)} to ${formatValue(values.at(-1)!, unit)}`
      : `${label}: lowest ${at(Math.min(...values), values)}, highest ${at(Math.max(...values), values)}`,
  );
  const kind =
    as === 'lines'
      ? `Line chart of ${titleOf(breakdown)} over ${axis} ${places[0]!} to ${places.at(-1)!}`
      : `Matrix of ${titleOf(breakdown)}, ${plural(rows.length, 'arm')} by ${places.length} of ${axis}`;
  return `${kind}. ${ends.join('; ')}.`;
}

/** All of its numbers. */
export const breakdownTable = (breakdown: Breakdown): Table => ({
  subject: breakdown.title,
  caption: `${titleOf(breakdown)} by ${breakdown.axis}`,
  corner: 'Arm',
  columns: breakdown.places.map(place => right(place)),
  rows: breakdown.rows.map(({ label, n, values }) => ({
    header: label,
    ...(n > 1 ? { detail: `${n} seeds` } : {}),
    cells: values.map(value => ({ text: formatValue(value, breakdown.unit) })),
  })),
  notes: [],
});
