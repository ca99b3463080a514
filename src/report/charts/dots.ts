/** Dot plot: a row for each arm, the measured panel beside the published one, each on its own scale. */
import type { GroupMark, Mark, Spec } from 'vega';
import { palette } from '../palette.ts';
import { shorten } from '../text.ts';
import type { ChartView, Dot, DotChart, DotPanel, DotRow } from './chart.ts';
import { FONT_SIZE, textWidth } from './text-width.ts';
import { baseSpec, READ, toneColour, type Reading } from './theme.ts';

const WIDE = { panel: 232, step: 26, gap: 28 } as const;
const NARROW = { panel: 262, step: 42, gap: 56 } as const;
const LABEL_LIMIT = 34;
/** From the panel to the column of numbers. */
const NUMBERS = 12;

interface Row {
  readonly y: number;
  readonly index: number;
  readonly label: string;
  readonly isDefault: boolean;
}

interface Rows {
  readonly rows: readonly Row[];
  readonly heads: readonly { readonly y: number; readonly label: string }[];
  readonly height: number;
}

/** Rows of the same short label are told apart by their number; a group's name is not repeated in its rows. */
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

function place(chart: DotChart, { layout, hidden }: ChartView): Rows {
  const { step } = layout === 'narrow' ? NARROW : WIDE;
  const labels = rowLabels(chart.rows);
  const rows: Row[] = [];
  const heads: { y: number; label: string }[] = [];
  let y = 0;
  let group: string | undefined;
  chart.rows.forEach((row, index) => {
    if (hidden.has(index)) return;
    if (row.group !== group && row.group !== undefined) {
      heads.push({ y: y + WIDE.step / 2 + 2, label: row.group });
      y += WIDE.step;
    }
    group = row.group;
    rows.push({ y: y + step / 2, index, label: labels[index]!, isDefault: row.isDefault === true });
    y += step;
  });
  return { rows, heads, height: y };
}

export function dotSpec(chart: DotChart, view: ChartView): Spec {
  const narrow = view.layout === 'narrow';
  const placed = place(chart, view);
  const { panel: width, gap } = narrow ? NARROW : WIDE;
  const columns = chart.panels.map(panel => Math.ceil(Math.max(...placed.rows.map(({ index, isDefault }) => textWidth(panel.dots[index]!.text, FONT_SIZE, isDefault)))));
  const left = (i: number): number => columns.slice(0, i).reduce((x, column) => x + width + NUMBERS + column + gap, 0);
  const at = (i: number): { x: number; y: number } => (narrow ? { x: 0, y: i * (placed.height + gap) } : { x: left(i), y: 0 });
  return {
    ...baseSpec,
    width: width,
    height: placed.height,
    marks: chart.panels.map((panel, i) => panelMark(panel, placed, { ...at(i), width, numbers: columns[i]!, labels: narrow ? 'above' : i === 0 ? 'left' : 'none' })),
  };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Width of the column of numbers. */
  readonly numbers: number;
  readonly labels: 'left' | 'above' | 'none';
}

interface DotDatum extends Reading {
  readonly y: number;
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

function panelMark(panel: DotPanel, { rows, heads, height }: Rows, box: Box): GroupMark {
  const colour = toneColour(panel.tone);
  const dotOf = ({ index }: Row): Dot => panel.dots[index]!;
  const drawn = rows.flatMap((row): DotDatum[] => {
    const { value, error, text, notes = [] } = dotOf(row);
    if (value === null) return [];
    return [{ y: row.y, value, low: error === undefined ? null : value - error, high: error === undefined ? null : value + error, group: row.index, tip: [row.label, `${panel.title}: ${text}`, ...notes] }];
  });
  const seeds = rows.flatMap(row => (dotOf(row).seeds ?? []).map(value => ({ y: row.y + 8, value })));
  const reference = rows.map(row => (row.isDefault ? dotOf(row).value : null)).find(value => value !== null);
  const texts = rows.map(row => ({ y: row.y, text: dotOf(row).text, weight: row.isDefault ? 600 : 400, colour: dotOf(row).value === null ? palette.muted.light : palette.ink.light }));
  const bars = drawn.filter(dot => dot.low !== null);
  const x = { scale: 'x', field: 'value' };
  const y = { field: 'y' };
  return {
    type: 'group',
    encode: { enter: { x: { value: box.x }, y: { value: box.y }, width: { value: box.width }, height: { value: height } } },
    title: { text: panel.title, color: colour, offset: 8, limit: box.width + 40 },
    data: [
      { name: 'dots', values: drawn },
      { name: 'bars', values: bars },
      { name: 'seeds', values: seeds },
      { name: 'rows', values: rows.map(row => ({ y: row.y, label: row.label })) },
      { name: 'heads', values: [...heads] },
      { name: 'texts', values: texts },
    ],
    scales: [{ name: 'x', type: 'linear', domain: domainOf(drawn, seeds), range: [0, box.width], nice: false, zero: false }],
    axes: [{ orient: 'bottom', scale: 'x', tickCount: 4, grid: false }],
    marks: [
      { type: 'rule', from: { data: 'rows' }, encode: { enter: { y, x: { value: 0 }, x2: { value: box.width }, stroke: { value: palette.rule.light } } } },
      ...(reference === undefined ? [] : [referenceMark(reference, height, colour)]),
      ...(bars.length === 0 ? [] : [{ type: 'rule', from: { data: 'bars' }, encode: { enter: { y, x: { scale: 'x', field: 'low' }, x2: { scale: 'x', field: 'high' }, stroke: { value: colour }, strokeWidth: { value: 2 } } } } as const]),
      ...(seeds.length === 0 ? [] : [{ type: 'symbol', from: { data: 'seeds' }, encode: { enter: { y, x, fill: { value: colour }, size: { value: 18 }, opacity: { value: 0.55 } } } } as const]),
      {
        type: 'symbol',
        name: READ,
        from: { data: 'dots' },
        encode: { enter: { y, x, fill: { value: panel.tone === 'measured' ? colour : palette.page.light }, stroke: { value: colour }, strokeWidth: { value: 2 }, size: { value: 74 } } },
      },
      {
        type: 'text',
        from: { data: 'texts' },
        encode: { enter: { y, x: { value: box.width + NUMBERS + box.numbers }, align: { value: 'right' }, baseline: { value: 'middle' }, text: { field: 'text' }, fontWeight: { field: 'weight' }, fill: { field: 'colour' } } },
      },
      ...labelMarks(box),
    ],
  };
}

const referenceMark = (value: number, height: number, colour: string): Mark => ({
  type: 'rule',
  encode: { enter: { x: { scale: 'x', value }, y: { value: 0 }, y2: { value: height }, stroke: { value: colour }, strokeDash: { value: [3, 3] } } },
});

/** On a phone labels stand above their rows, where they have the whole width. */
function labelMarks({ labels, width }: Box): Mark[] {
  if (labels === 'none') return [];
  const text = (data: string, extra: object): Mark => {
    const where = labels === 'left' ? { x: { value: -10 }, align: { value: 'right' }, baseline: { value: 'middle' }, limit: { value: 260 } } : { x: { value: 0 }, align: { value: 'left' }, limit: { value: width + 50 } };
    return { type: 'text', from: { data }, encode: { enter: { ...where, y: { field: 'y' }, text: { field: 'label' }, ...extra } } } as Mark;
  };
  return [
    text('rows', labels === 'above' ? { baseline: { value: 'bottom' }, dy: { value: -7 } } : {}),
    text('heads', { fontWeight: { value: 600 }, ...(labels === 'above' ? { baseline: { value: 'middle' } } : {}) }),
  ];
}

/** A tenth of room on both sides; single values get a point. */
function domainOf(dots: readonly DotDatum[], seeds: readonly { value: number }[]): [number, number] {
  const values = [...dots.flatMap(dot => [dot.value, dot.low ?? dot.value, dot.high ?? dot.value]), ...seeds.map(seed => seed.value)];
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = high > low ? 0.1 * (high - low) : Math.max(Math.abs(high) * 0.01, 1e-6);
  return [low - room, high + room];
}
