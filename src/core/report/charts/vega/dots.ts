/** Dot plot: a row for each arm, the measured panel beside the published one, each on its own scale. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.ts';
import { shorten } from '../../../text/clean.ts';
import type { ChartView, DotChart, DotPanel, DotRow } from './chart.ts';
import { READ, type TooltipDatum } from './reading.ts';
import { FONT_SIZE, textWidth } from './text-width.ts';
import { arrange, AXIS, NOT_HIDDEN, toneColour, topLevel } from './theme.ts';

const WIDE = { width: 232, step: 26, spacing: 28 } as const;
const NARROW = { width: 262, step: 42, spacing: 24 } as const;
const LABEL_LIMIT = 34;
/** From the panel to the column of numbers. */
const NUMBERS = 12;

/** A row of the drawing, of an arm or of a group's name. */
interface Place {
  readonly at: number;
  /** A group's name and its rows have the same one. */
  readonly section: number;
}

interface HeadDatum extends Place {
  readonly group: -1;
  readonly head: string;
}

interface RowDatum extends Place, TooltipDatum {
  readonly label: string;
  readonly isDefault?: true;
  readonly value: number | null;
  readonly error?: number;
  readonly seeds?: readonly number[];
  readonly text: string;
}

/** Rows of the same short label are told apart by their number; a group's name is not repeated in its rows. @internal */
export function rowLabels(rows: readonly DotRow[]): string[] {
  const short = rows.map(({ label, group }) => shorten(withoutGroup(label, group), LABEL_LIMIT));
  const same = (i: number): boolean => short.some((label, j) => j !== i && label === short[i] && rows[i]!.group === rows[j]!.group);
  return short.map((label, i) => (same(i) ? `${shorten(label, LABEL_LIMIT - 5)} (${i + 1})` : label));
}

function withoutGroup(label: string, group: string | undefined): string {
  if (group === undefined) return label;
  const rest = label.startsWith(`${group}, `) ? label.slice(group.length + 2) : label.endsWith(`, ${group}`) ? label.slice(0, -group.length - 2) : label;
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}`;
}

function panelData({ rows }: DotChart, { title, dots }: DotPanel): (HeadDatum | RowDatum)[] {
  const labels = rowLabels(rows);
  const data: (HeadDatum | RowDatum)[] = [];
  let section = 0;
  rows.forEach(({ group: name, isDefault }, group) => {
    if (name !== rows[group - 1]?.group) {
      section += 1;
      if (name !== undefined) data.push({ at: data.length, section, group: -1, head: name });
    }
    const { value, error, seeds, text, notes = [] } = dots[group]!;
    data.push({
      at: data.length,
      section,
      group,
      label: labels[group]!,
      ...(isDefault === true ? { isDefault } : {}),
      value,
      ...(error === undefined || value === null ? {} : { error }),
      ...(seeds === undefined ? {} : { seeds }),
      text,
      tip: [labels[group]!, `${title}: ${text}`, ...notes],
    });
  });
  return data;
}

export function dotSpec(chart: DotChart, view: ChartView): TopLevelSpec {
  const narrow = view.layout === 'narrow';
  const { width, step, spacing } = narrow ? NARROW : WIDE;
  const panels = chart.panels.map((panel, i) => panelSpec(panelData(chart, panel), panel, { index: i, width, step, labels: narrow ? 'above' : i === 0 ? 'left' : 'none' }));
  return topLevel(arrange(panels, narrow, spacing), view);
}

interface Box {
  readonly index: number;
  readonly width: number;
  /** Height of a row. */
  readonly step: number;
  readonly labels: 'left' | 'above' | 'none';
}

function panelSpec(data: readonly (HeadDatum | RowDatum)[], { title, tone }: DotPanel, box: Box): object {
  const rows = data.filter(datum => 'value' in datum);
  const colour = toneColour(tone);
  const heads = rows.length < data.length;
  const layers = [
    { transform: [{ filter: 'datum.isDefault' }], mark: { type: 'rule', color: colour, strokeDash: [3, 3] }, encoding: { x: xOf('value', box) } },
    ...(rows.some(({ error }) => error !== undefined) ? [errorBars(colour, box)] : []),
    ...(rows.some(({ seeds }) => seeds !== undefined) ? [seedMarks(colour, box)] : []),
    {
      name: `${READ}_${box.index}`,
      mark: { type: 'point', filled: false, fill: tone === 'measured' ? colour : palette.page.light, stroke: colour, strokeWidth: 2, size: 74, opacity: 1 },
      encoding: { y, x: xOf('value', box) },
    },
    numbers(rows, box),
    ...(box.labels === 'none' ? [] : [labelMark(box, 'label', box.labels === 'above' ? { baseline: 'bottom', dy: -7 } : {})]),
  ];
  return {
    width: box.width,
    height: { step: box.step },
    title: { text: title, color: colour, offset: 8, limit: box.width + 40 },
    data: { values: data },
    transform: heads ? SHOWN_SECTIONS : [{ filter: NOT_HIDDEN }],
    layer: [
      rowRules(heads, box),
      ...(heads ? [{ transform: [{ filter: 'datum.group >= 0' }], layer: layers }] : layers),
      ...(heads && box.labels !== 'none' ? [{ transform: [{ filter: 'datum.group < 0' }], ...labelMark(box, 'head', { fontWeight: 600 }) }] : []),
    ],
  };
}

/** Of all rows, names of groups among them: panels side by side have the same rows. */
const rowRules = (heads: boolean, { width }: Box): object => ({
  mark: { type: 'rule', color: palette.rule.light, ...(heads ? { strokeWidth: { expr: 'datum.group < 0 ? 0 : 1' } } : {}) },
  encoding: { y, x: { value: 0 }, x2: { value: width } },
});

/** The name of a group goes with the last of its rows. */
const SHOWN_SECTIONS = [
  { calculate: `datum.group >= 0 && ${NOT_HIDDEN} ? 1 : 0`, as: 'shown' },
  { joinaggregate: [{ op: 'sum', field: 'shown', as: 'left' }], groupby: ['section'] },
  { filter: 'datum.shown || datum.group < 0 && datum.left > 0' },
] as const;

const y = { field: 'at', type: 'ordinal', scale: { type: 'point', padding: 0.5 }, axis: null } as const;

/** With a tenth of room on both sides. */
const xOf = (field: string, { width }: Box): object => ({
  field,
  type: 'quantitative',
  scale: { zero: false, nice: false, padding: width / 12 },
  axis: { ...AXIS, title: null, tickCount: 4, grid: false },
});

const errorBars = (color: string, box: Box): object => ({
  transform: [{ filter: 'isValid(datum.error)' }, { calculate: 'datum.value - datum.error', as: 'low' }, { calculate: 'datum.value + datum.error', as: 'high' }],
  mark: { type: 'rule', color, strokeWidth: 2 },
  encoding: { y, x: xOf('low', box), x2: { field: 'high' } },
});

const seedMarks = (color: string, box: Box): object => ({
  transform: [{ filter: 'isValid(datum.seeds)' }, { flatten: ['seeds'] }],
  mark: { type: 'point', filled: true, size: 18, opacity: 1, fillOpacity: 0.55, color, yOffset: 8 },
  encoding: { y, x: xOf('seeds', box) },
});

function numbers(rows: readonly RowDatum[], { width }: Box): object {
  const column = Math.ceil(Math.max(...rows.map(({ text, isDefault }) => textWidth(text, FONT_SIZE, isDefault === true))));
  return {
    mark: { type: 'text', align: 'right', fontWeight: { expr: 'datum.isDefault ? 600 : 400' } },
    encoding: {
      y,
      x: { value: width + NUMBERS + column },
      text: { field: 'text', type: 'nominal' },
      color: { condition: { test: '!isValid(datum.value)', value: palette.muted.light }, value: palette.ink.light },
    },
  };
}

/** On a phone labels stand above their rows, where they have the whole width. */
const labelMark = ({ labels, width }: Box, field: string, style: object): object => ({
  mark: { type: 'text', ...(labels === 'left' ? { align: 'right', limit: 260 } : { align: 'left', limit: width + 50 }), ...style },
  encoding: { y, x: { value: labels === 'left' ? -10 : 0 }, text: { field, type: 'nominal' } },
});
