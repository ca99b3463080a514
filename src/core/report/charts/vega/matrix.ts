/** Overview of all tables: how far from its published place each arm was measured. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.ts';
import { shorten } from '../../../text/clean.ts';
import type { ChartView, MatrixCell, MatrixChart } from './chart.ts';
import { READ, type TooltipDatum } from './reading.ts';
import { topLevel } from './theme.ts';

const ROW = { wide: 28, narrow: 48 } as const;
const CELL = { least: 24, most: 40, height: 24 } as const;
/** On a phone, from the middle of a row to that of its cells, and to the line of its label. */
const BELOW_LABEL = 10;
const ABOVE_CELLS = -7;
const WIDE_CELLS = 420;
const NARROW_WIDTH = 330;
const LABEL_LIMIT = 42;

const shades = [palette.same, palette.near, palette.off, palette.far, palette.opposite] as const;

/** In place, then by the share of the way to the other end of the table. @internal */
export function shadeOf(off: number, arms: number): string {
  if (off === 0 || arms < 2) return shades[0].light;
  const share = Math.abs(off) / (arms - 1);
  return shades[Math.min(shades.length - 1, Math.max(1, Math.ceil(share * (shades.length - 1))))]!.light;
}

/** A sign where there is no number. */
export function offText(off: MatrixCell['off']): string {
  if (off === 'not measured') return '\u2013';
  if (off === 'nothing to compare') return '\u2022';
  return off > 0 ? `+${off}` : off < 0 ? `\u2212${-off}` : '0';
}

/** What has no place is apart from the shades. */
const fillOf = (off: MatrixCell['off'], arms: number): string => (off === 'not measured' ? palette.page.light : off === 'nothing to compare' ? palette.band.light : shadeOf(off, arms));

interface CellDatum extends TooltipDatum {
  readonly column: number;
  readonly fill: string;
  readonly text: string;
}

export function matrixSpec(chart: MatrixChart, view: ChartView): TopLevelSpec {
  const narrow = view.layout === 'narrow';
  const most = Math.max(...chart.rows.map(row => row.cells.length));
  const width = Math.floor(Math.min(CELL.most, Math.max(narrow ? 20 : CELL.least, (narrow ? NARROW_WIDTH : WIDE_CELLS) / most)));
  const cells = chart.rows.flatMap(({ cells: ofRow }, group) =>
    ofRow.map((cell, column): CellDatum => ({ group, column, fill: fillOf(cell.off, ofRow.length), text: offText(cell.off), tip: [cell.name, ...cell.notes] })),
  );
  const rows = chart.rows.map(({ label, text }, group) => ({ group, label: shorten(label, LABEL_LIMIT), text }));
  const yOffset = narrow ? BELOW_LABEL : 0;
  const body = {
    title: { text: chart.title, frame: 'bounds', limit: narrow ? NARROW_WIDTH : 600 },
    width: { step: width },
    height: { step: narrow ? ROW.narrow : ROW.wide },
    data: { values: cells },
    layer: [
      {
        name: READ,
        mark: { type: 'rect', width: width - 2, height: CELL.height, yOffset, stroke: palette.rule.light },
        encoding: { x, y, fill: { field: 'fill', type: 'nominal', scale: null } },
      },
      { mark: { type: 'text', yOffset }, encoding: { x, y, text: { field: 'text', type: 'nominal' } } },
      { data: { values: rows }, ...label(narrow) },
      { data: { values: rows }, ...beside(narrow, most * width + 12) },
    ],
  };
  return topLevel(body, view);
}

const band = (field: string): object => ({ field, type: 'ordinal', scale: { type: 'band', padding: 0 }, axis: null });
const x = band('column');
const y = band('group');

const label = (narrow: boolean): object => ({
  mark: { type: 'text', ...(narrow ? { align: 'left', baseline: 'alphabetic', yOffset: ABOVE_CELLS, limit: NARROW_WIDTH - 112 } : { align: 'right', limit: 290 }) },
  encoding: { y, x: { value: narrow ? 0 : -10 }, text: { field: 'label', type: 'nominal' } },
});

/** On a phone at the right end of the line of the label. */
const beside = (narrow: boolean, right: number): object => ({
  mark: { type: 'text', color: palette.muted.light, ...(narrow ? { align: 'right', baseline: 'alphabetic', yOffset: ABOVE_CELLS } : { align: 'left' }) },
  encoding: { y, x: { value: narrow ? NARROW_WIDTH : right }, text: { field: 'text', type: 'nominal' } },
});
