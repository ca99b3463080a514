/** Overview of all tables: how far from its published place each arm was measured. */
import type { Mark, Spec } from 'vega';
import { palette } from '../palette.ts';
import { shorten } from '../text.ts';
import type { ChartView, MatrixCell, MatrixChart } from './chart.ts';
import { textWidth } from './text-width.ts';
import { baseSpec, READ, type Reading } from './theme.ts';

const ROW = { wide: 28, narrow: 48 } as const;
const CELL = { least: 24, most: 40, height: 24 } as const;
const WIDE_CELLS = 420;
const NARROW_WIDTH = 330;
const LABEL_LIMIT = 42;

const shades = [palette.same, palette.near, palette.off, palette.far, palette.opposite] as const;

/** In place, then by the share of the way to the other end of the table. */
export function shadeOf(off: number, arms: number): string {
  if (off === 0 || arms < 2) return shades[0].light;
  const share = Math.abs(off) / (arms - 1);
  return shades[Math.min(shades.length - 1, Math.max(1, Math.ceil(share * (shades.length - 1))))]!.light;
}

const offText = ({ off }: MatrixCell): string => (off === null ? '\u2013' : off > 0 ? `+${off}` : off < 0 ? `\u2212${-off}` : '0');

interface CellDatum extends Reading {
  readonly x: number;
  readonly y: number;
  readonly fill: string;
  readonly text: string;
}

export function matrixSpec(chart: MatrixChart, view: ChartView): Spec {
  const narrow = view.layout === 'narrow';
  const most = Math.max(...chart.rows.map(row => row.cells.length));
  const width = Math.floor(Math.min(CELL.most, Math.max(narrow ? 20 : CELL.least, (narrow ? NARROW_WIDTH : WIDE_CELLS) / most)));
  const step = narrow ? ROW.narrow : ROW.wide;
  const top = (i: number): number => i * step + (narrow ? 22 : 2);
  const cells = chart.rows.flatMap(({ cells: ofRow }, row) =>
    ofRow.map((cell, i): CellDatum => ({ x: i * width, y: top(row), fill: cell.off === null ? palette.page.light : shadeOf(cell.off, ofRow.length), text: offText(cell), tip: [cell.name, ...cell.notes], group: row })),
  );
  const labels = chart.rows.map(({ label }, row) => ({ y: top(row) + CELL.height / 2, label: shorten(label, LABEL_LIMIT) }));
  const texts = chart.rows.map(({ text, cells: ofRow }, row) => ({ y: top(row) + CELL.height / 2, x: (narrow ? ofRow.length : most) * width + 12, text }));
  const beside = Math.ceil(Math.max(...chart.rows.map(({ text }) => textWidth(text))));
  return {
    ...baseSpec,
    width: narrow ? NARROW_WIDTH : most * width + 12 + beside,
    height: chart.rows.length * step,
    title: { text: chart.title, frame: 'bounds', limit: narrow ? NARROW_WIDTH : 600 },
    data: [
      { name: 'cells', values: cells },
      { name: 'labels', values: labels },
      { name: 'texts', values: texts },
    ],
    marks: [
      {
        type: 'rect',
        name: READ,
        from: { data: 'cells' },
        encode: { enter: { x: { field: 'x' }, y: { field: 'y' }, width: { value: width - 2 }, height: { value: CELL.height }, fill: { field: 'fill' }, stroke: { value: palette.rule.light } } },
      },
      {
        type: 'text',
        from: { data: 'cells' },
        encode: { enter: { x: { field: 'x', offset: (width - 2) / 2 }, y: { field: 'y', offset: CELL.height / 2 }, align: { value: 'center' }, baseline: { value: 'middle' }, text: { field: 'text' } } },
      },
      label(narrow),
      besides(narrow),
    ],
  };
}

const label = (narrow: boolean): Mark => ({
  type: 'text',
  from: { data: 'labels' },
  encode: {
    enter: narrow
      ? { x: { value: 0 }, y: { field: 'y', offset: -CELL.height / 2 - 5 }, text: { field: 'label' }, limit: { value: NARROW_WIDTH - 112 } }
      : { x: { value: -10 }, y: { field: 'y' }, align: { value: 'right' }, baseline: { value: 'middle' }, text: { field: 'label' }, limit: { value: 290 } },
  },
});

/** On a phone at the right end of the line of the label. */
const besides = (narrow: boolean): Mark => ({
  type: 'text',
  from: { data: 'texts' },
  encode: {
    enter: {
      ...(narrow ? { x: { value: NARROW_WIDTH }, y: { field: 'y', offset: -CELL.height / 2 - 5 }, align: { value: 'right' } } : { x: { field: 'x' }, y: { field: 'y' }, baseline: { value: 'middle' } }),
      text: { field: 'text' },
      fill: { value: palette.muted.light },
    },
  },
});
