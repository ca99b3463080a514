/** Cells in rows: how far from its published place each arm of a table was measured, or numbers of arms under the names of columns. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.ts';
import type { ChartView, MatrixCell, MatrixChart, MatrixRow, PlaceCell } from './chart.ts';
import { shortLabels } from './labels.ts';
import { READ, type TooltipDatum } from './reading.ts';
import { topLevel } from './theme.ts';

const ROW = 28;
const CELL = { least: 24, narrowLeast: 20, most: 40, height: 24 } as const;
/** On a phone, a row, and from its middle to the lines of its label and its text, and to the middle of its cells. */
const STACKED = { row: 64, label: -18, text: -3, cells: 15 } as const;
/** Where no row has a text. */
const STACKED_WITHOUT_TEXT = { row: 52, label: -9, text: 0, cells: 9 } as const;
type Stacked = typeof STACKED | typeof STACKED_WITHOUT_TEXT;
const WIDE_CELLS = 420;
const NARROW_WIDTH = 330;
/** Of more arms a row would not fit a phone. */
export const MOST_CELLS = Math.floor(NARROW_WIDTH / CELL.narrowLeast);
const LABEL_LIMIT = 42;
/** Above the first row. */
const HEAD_Y = -6;

const shades = [palette.same, palette.near, palette.off, palette.far, palette.opposite] as const;

/** In place, then by the share of the way to the other end of the table. @internal */
export function shadeOf(off: number, arms: number): string {
  if (off === 0 || arms < 2) return shades[0].light;
  const share = Math.abs(off) / (arms - 1);
  return shades[Math.min(shades.length - 1, Math.max(1, Math.ceil(share * (shades.length - 1))))]!.light;
}

/** A sign where there is no number. */
export function offText(off: PlaceCell['off']): string {
  if (off === 'not measured') return '\u2013';
  if (off === 'nothing to compare') return '\u2022';
  return off > 0 ? `+${off}` : off < 0 ? `\u2212${-off}` : '0';
}

/** What has no place is apart from the shades. */
const fillOf = (cell: MatrixCell, row: MatrixRow): string => ('off' in cell ? placeFill(cell.off, row) : shades[Math.min(shades.length - 1, Math.floor(cell.share * shades.length))]!.light);

const placeFill = (off: PlaceCell['off'], { cells, coloured }: MatrixRow): string =>
  off === 'not measured' ? palette.page.light : off === 'nothing to compare' || !coloured ? palette.band.light : shadeOf(off, cells.length);

interface CellDatum extends TooltipDatum {
  readonly column: number;
  readonly fill: string;
  readonly text: string;
}

export function matrixSpec(chart: MatrixChart, view: ChartView): TopLevelSpec {
  const narrow = view.layout === 'narrow',
    stacked = narrow ? (chart.rows.some(({ text }) => text !== '') ? STACKED : STACKED_WITHOUT_TEXT) : undefined;
  const most = Math.max(...chart.rows.map(row => row.cells.length));
  const width = Math.floor(Math.min(CELL.most, Math.max(narrow ? CELL.narrowLeast : CELL.least, (narrow ? NARROW_WIDTH : WIDE_CELLS) / most)));
  const cells = chart.rows.flatMap((row, group) =>
    row.cells.map((cell, column): CellDatum => ({ group, column, fill: fillOf(cell, row), text: 'off' in cell ? offText(cell.off) : cell.text, tip: [cell.name, ...cell.notes] })),
  );
  const labels = shortLabels(
    chart.rows.map(({ label }) => label),
    LABEL_LIMIT,
  );
  const rows = chart.rows.map(({ text }, group) => ({ group, label: labels[group]!, text }));
  const yOffset = stacked?.cells ?? 0;
  const body = {
    title: { text: chart.title, frame: 'bounds', limit: narrow ? NARROW_WIDTH : 600 },
    width: { step: width },
    height: { step: stacked?.row ?? ROW },
    data: { values: cells },
    layer: [
      {
        name: READ,
        mark: { type: 'rect', width: width - 2, height: CELL.height, yOffset, stroke: palette.rule.light },
        encoding: { x, y, fill: { field: 'fill', type: 'nominal', scale: null } },
      },
      { mark: { type: 'text', yOffset }, encoding: { x, y, text: { field: 'text', type: 'nominal' } } },
      ...(chart.columns === undefined ? [] : [heads(chart.columns)]),
      { data: { values: rows }, ...label(stacked) },
      { data: { values: rows }, ...beside(stacked, most * width + 12) },
    ],
  };
  return topLevel(body, view);
}

const band = (field: string): object => ({ field, type: 'ordinal', scale: { type: 'band', padding: 0 }, axis: null });
const x = band('column');
const y = band('group');

/** Names of the columns, upright over the first row. */
const heads = (columns: readonly string[]): object => ({
  data: { values: columns.map((name, column) => ({ name, column })) },
  mark: { type: 'text', angle: -90, align: 'left', baseline: 'middle', color: palette.muted.light },
  encoding: { x, y: { value: HEAD_Y }, text: { field: 'name', type: 'nominal' } },
});

const label = (stacked: Stacked | undefined): object => ({
  mark: { type: 'text', ...(stacked ? { align: 'left', baseline: 'alphabetic', yOffset: stacked.label, limit: NARROW_WIDTH } : { align: 'right', limit: 290 }) },
  encoding: { y, x: { value: stacked ? 0 : -10 }, text: { field: 'label', type: 'nominal' } },
});

const beside = (stacked: Stacked | undefined, right: number): object => ({
  mark: { type: 'text', color: palette.muted.light, align: 'left', ...(stacked ? { baseline: 'alphabetic', yOffset: stacked.text } : {}) },
  encoding: { y, x: { value: stacked ? 0 : right }, text: { field: 'text', type: 'nominal' } },
});
