/** Forest plot: a row for each comparison, measured and published over one axis, with texts beside it. */
import type { TopLevelSpec } from 'vega-lite';
import { palette } from './palette.ts';
import type { ChartView, ForestChart, ForestRow } from './chart.ts';
import { capitalised } from '../../../text/format.ts';
import { wrap } from './labels.ts';
import { differenceRange, withRoom } from './range.ts';
import { READ, type TooltipDatum, type TooltipText } from './reading.ts';
import { FONT_SIZE, textWidth } from './text-width.ts';
import { AXIS, NOT_HIDDEN, toneColour, topLevel } from './theme.ts';

/** Rows are whole numbers of slots, two of them as high as a line of text. */
const SLOT = 7.5;
const WIDE = { whole: 826, label: 316, plot: { least: 210, most: 330 } } as const;
const NARROW = { whole: 348, label: 344, plot: { least: 150, most: 300 } } as const;
/** Between label, plot and texts. */
const GAP = 14;
/** Measured and published stand a little apart, so that neither covers the other. */
const APART = { measured: -2, published: 6, seeds: -8 } as const;
const ABOVE = -9;

type Room = typeof WIDE | typeof NARROW;

/** A row of the drawing, or the name of a group. */
interface Place {
  /** Its slots, the first of them, and the text of its label in each. */
  readonly slots: readonly number[];
  readonly top: number;
  readonly lines: readonly string[];
  /** The slot of its marks, and the px around it. */
  readonly at: number;
  readonly tall: number;
  /** A group's name and its rows have the same one. */
  readonly section: number;
}

interface HeadDatum extends Place {
  readonly group: -1;
}

interface RowDatum extends Place, TooltipDatum {
  readonly isDefault?: true;
  readonly texts: readonly string[];
  readonly colour: string;
  readonly margin?: number;
  readonly measured?: number;
  readonly shape?: string;
  readonly low?: number;
  readonly high?: number;
  readonly seeds?: readonly number[];
  readonly published?: number;
  readonly publishedShape?: string;
  readonly publishedTip?: TooltipText;
  /** Ends of the interval that lie beyond the axis. */
  readonly ends?: readonly { readonly end: number; readonly arrow: string }[];
}

const VERDICTS = {
  reproduced: { shape: 'square', colour: palette.agree.light },
  contradicted: { shape: 'M-1,-.7L-.7,-1L0,-.3L.7,-1L1,-.7L.3,0L1,.7L.7,1L0,.3L-.7,1L-1,.7L-.3,0Z', colour: palette.disagree.light },
  none: { shape: 'circle', colour: palette.ink.light },
} as const;
const PLAIN = { shape: 'circle', colour: toneColour('measured') } as const;

/** Labels as they stand in the drawing: a group's name is not repeated in its rows, and equal ones are told apart by their number. @internal */
export function rowLabels(rows: readonly Pick<ForestRow, 'label' | 'group' | 'isDefault'>[], width: number): string[][] {
  const labels = rows.map(({ label, group, isDefault }) => wrap(withoutGroup(label, group), width, isDefault));
  const text = (i: number): string => `${rows[i]!.group ?? ''}\n${labels[i]!.join(' ')}`;
  const count = new Map<string, number>();
  rows.forEach((_, i) => count.set(text(i), (count.get(text(i)) ?? 0) + 1));
  return labels.map((lines, i) => (count.get(text(i)) === 1 ? lines : [...lines.slice(0, -1), `${lines.at(-1)!} (${i + 1})`]));
}

function withoutGroup(label: string, group: string | undefined): string {
  if (group === undefined) return label;
  const rest = label.startsWith(`${group}, `) ? label.slice(group.length + 2) : label.endsWith(`, ${group}`) ? label.slice(0, -group.length - 2) : label;
  return capitalised(rest);
}

/** Slots from `first` on: half a line of room, the lines, half a line of room. On a phone the marks have a line of their own below. */
function place(lines: readonly string[], first: number, below: boolean): Omit<Place, 'section'> {
  const spread = [...lines.flatMap(line => ['', line]), ...(below ? ['', '', '', ''] : [''])];
  return { slots: spread.map((_, i) => first + i), top: first, lines: spread, at: first + (below ? spread.length - 2 : lines.length), tall: SLOT * (below ? 3 : spread.length) };
}

function dataOf({ rows }: ForestChart, range: readonly [number, number], labels: readonly (readonly string[])[], narrow: boolean): (HeadDatum | RowDatum)[] {
  const data: (HeadDatum | RowDatum)[] = [];
  let [section, next] = [0, 0];
  const below = (lines: readonly string[], marksBelow: boolean): Place => {
    const placed = { ...place(lines, next, marksBelow), section };
    next += placed.slots.length;
    return placed;
  };
  rows.forEach((row, group) => {
    if (row.group !== rows[group - 1]?.group) {
      section += 1;
      const room = narrow && data.length > 0 ? [''] : [];
      if (row.group !== undefined) data.push({ ...below([...room, ...wrap(row.group, (narrow ? NARROW : WIDE).label, true)], false), group: -1 });
    }
    data.push({ ...below(labels[group]!, narrow), ...rowDatum(row, group, range) });
  });
  return data;
}

function rowDatum(row: ForestRow, group: number, [low, high]: readonly [number, number]): Omit<RowDatum, keyof Place> {
  const { label, isDefault, measured, published, margin, texts, verdict } = row;
  const within = (value: number): number => Math.min(high, Math.max(low, value));
  const arrow = (value: number): string | undefined => (value < low ? 'triangle-left' : value > high ? 'triangle-right' : undefined);
  const { shape, colour } = verdict === undefined ? PLAIN : VERDICTS[verdict];
  const ends = [measured?.low, measured?.high].flatMap(end => (end === undefined ? [] : [{ end: within(end), arrow: arrow(end) ?? '' }])).filter(end => end.arrow !== '');
  return {
    group,
    ...(isDefault === true ? { isDefault } : {}),
    texts,
    colour,
    ...(margin === undefined || margin === 0 ? {} : { margin }),
    tip: [label, ...(measured?.notes ?? [])],
    ...(measured === undefined ? {} : { measured: within(measured.value), shape: arrow(measured.value) ?? shape }),
    ...(measured?.low === undefined || measured.high === undefined ? {} : { low: within(measured.low), high: within(measured.high) }),
    ...(measured?.seeds === undefined ? {} : { seeds: measured.seeds.filter(seed => arrow(seed) === undefined) }),
    ...(published === undefined ? {} : { published: within(published.value), publishedShape: arrow(published.value) ?? 'diamond', publishedTip: [label, ...published.notes] }),
    ...(ends.length === 0 ? {} : { ends }),
  };
}

/** The part of the axis that is drawn. */
export function rangeOf({ rows, sides }: ForestChart): readonly [number, number] {
  const values = rows.flatMap(({ measured, published }) => [
    ...(measured === undefined ? [] : [measured.value, measured.low ?? measured.value, measured.high ?? measured.value]),
    ...(published === undefined ? [] : [published.value]),
  ]);
  return sides === undefined ? withRoom(values) : differenceRange(values, Math.max(...rows.map(({ margin = 0 }) => margin)));
}

interface Column {
  readonly label: string;
  readonly align: 'left' | 'right';
  readonly coloured: boolean;
  /** Place of its texts in a row. */
  readonly index: number;
  readonly x: number;
}

/** Columns of texts from the right end of the plot on, and the room that they take. */
function columnsOf({ columns, rows }: ForestChart, narrow: boolean): { readonly columns: readonly Omit<Column, 'x'>[]; readonly widths: readonly number[] } {
  const shown = columns.flatMap(({ label, align, wideOnly, coloured = false }, index) => (narrow && wideOnly === true ? [] : [{ label, align, index, coloured }]));
  const widths = shown.map(({ label, index }) => Math.ceil(Math.max(textWidth(label), ...rows.map(({ texts, isDefault }) => textWidth(texts[index]!, FONT_SIZE, isDefault === true)))));
  return { columns: shown, widths };
}

export function forestSpec(chart: ForestChart, view: ChartView): TopLevelSpec {
  const narrow = view.layout === 'narrow';
  const room: Room = narrow ? NARROW : WIDE;
  const range = rangeOf(chart);
  const labels = rowLabels(chart.rows, room.label);
  const data = dataOf(chart, range, labels, narrow);
  const { columns, widths } = columnsOf(chart, narrow);
  const beside = narrow ? 0 : GAP + Math.ceil(Math.max(...data.flatMap(({ lines, ...datum }) => lines.map(line => textWidth(line, FONT_SIZE, !('tip' in datum) || datum.isDefault === true)))));
  const taken = beside + widths.reduce((sum, width) => sum + GAP + width, 0);
  const width = Math.min(room.plot.most, Math.max(room.plot.least, room.whole - taken));
  const placed = columns.map((column, i): Column => {
    const left = width + widths.slice(0, i).reduce((sum, each) => sum + each, 0) + (i + 1) * GAP;
    return { ...column, x: column.align === 'left' ? left : left + widths[i]! };
  });
  return topLevel(body(chart, data, { width, labelX: -beside, right: width + taken - beside, narrow, columns: placed, range, zero: chart.sides !== undefined }), view);
}

interface Frame {
  readonly width: number;
  /** Ends of the rows. */
  readonly labelX: number;
  readonly right: number;
  readonly narrow: boolean;
  readonly columns: readonly Column[];
  readonly range: readonly [number, number];
  readonly zero: boolean;
}

function body(chart: ForestChart, data: readonly (HeadDatum | RowDatum)[], frame: Frame): object {
  const x = xOf(chart, frame);
  const rows = data.filter(datum => 'tip' in datum);
  const some = (key: keyof RowDatum): boolean => rows.some(row => row[key] !== undefined);
  const marks = [
    ...(some('margin') ? [marginBand(x)] : []),
    ...(frame.zero ? [zeroLine(x)] : []),
    ...(some('low') ? [intervals(x)] : []),
    ...(some('ends') ? [beyond(x)] : []),
    ...(some('seeds') ? [seedMarks(x)] : []),
    ...(some('measured') ? [measuredMarks(x)] : []),
    ...(some('published') ? [publishedMarks(x)] : []),
    ...frame.columns.map(columnTexts),
  ];
  return {
    width: frame.width,
    height: { step: SLOT },
    data: { values: data },
    transform: SHOWN_SECTIONS,
    layer: [slotRules(frame), { transform: [{ filter: 'datum.group >= 0' }], layer: marks }, labelTexts(frame), ...headTexts(chart, frame)],
  };
}

/** The name of a group goes with the last of its rows. */
const SHOWN_SECTIONS = [
  { calculate: `datum.group >= 0 && ${NOT_HIDDEN} ? 1 : 0`, as: 'shown' },
  { joinaggregate: [{ op: 'sum', field: 'shown', as: 'left' }], groupby: ['section'] },
  { filter: 'datum.shown || datum.group < 0 && datum.left > 0' },
] as const;

const yOf = (field: 'at' | 'slots'): object => ({ field, type: 'ordinal', scale: { type: 'point', padding: 0.5 }, axis: null });

type X = (field: string) => object;

function xOf({ axis }: ForestChart, { range, narrow, right, width }: Frame): X {
  // On a phone lines would run through the labels, and the title beyond the edge.
  const shown = { ...AXIS, title: wrap(axis, narrow ? right : width + GAP), tickCount: 5, domain: false, ...(narrow ? { grid: false, titleAnchor: 'start' } : {}) };
  return field => ({ field, type: 'quantitative', scale: { domain: range, nice: false, zero: false }, axis: shown });
}

const EXACT = { type: 'nominal', scale: null } as const;
const OWN_COLOUR = { field: 'colour', ...EXACT };

/** Every slot of every row takes its room; a line stands above each row. */
const slotRules = ({ labelX, right }: Frame): object => ({
  transform: [{ flatten: ['slots'] }],
  mark: { type: 'rule', color: palette.rule.light, strokeWidth: { expr: 'datum.group >= 0 && datum.slots === datum.top ? 1 : 0' }, yOffset: -SLOT / 2 },
  encoding: { y: yOf('slots'), x: { value: labelX }, x2: { value: right } },
});

/** As high as the slots around the marks of a row. */
const marginBand = (x: X): object => ({
  transform: [{ filter: 'isValid(datum.margin)' }, { calculate: '-datum.margin', as: 'below' }],
  mark: { type: 'rect', color: palette.rule.light, opacity: 0.7, height: { expr: 'datum.tall' } },
  encoding: { y: yOf('at'), x: x('below'), x2: { field: 'margin' } },
});

/** In pieces, as it would run through labels that stand above their rows. */
const zeroLine = (x: X): object => ({
  transform: [{ calculate: '0', as: 'zero' }],
  mark: { type: 'tick', orient: 'vertical', color: palette.muted.light, thickness: 1, opacity: 1, height: { expr: 'datum.tall' } },
  encoding: { y: yOf('at'), x: x('zero') },
});

/** Where there is the other mark, too. */
const apart = (by: number, other: string): object => ({ yOffset: { expr: `isValid(datum.${other}) ? ${by} : 0` } });

const intervals = (x: X): object => ({
  transform: [{ filter: 'isValid(datum.low)' }],
  mark: { type: 'rule', strokeWidth: 2, ...apart(APART.measured, 'published') },
  encoding: { y: yOf('at'), x: x('low'), x2: { field: 'high' }, color: OWN_COLOUR },
});

const beyond = (x: X): object => ({
  transform: [{ filter: 'isValid(datum.ends)' }, { flatten: ['ends'] }, { calculate: 'datum.ends.end', as: 'end' }, { calculate: 'datum.ends.arrow', as: 'arrow' }],
  mark: { type: 'point', filled: true, size: 40, opacity: 1, ...apart(APART.measured, 'published') },
  encoding: { y: yOf('at'), x: x('end'), color: OWN_COLOUR, shape: { field: 'arrow', ...EXACT } },
});

const seedMarks = (x: X): object => ({
  transform: [{ filter: 'isValid(datum.seeds)' }, { flatten: ['seeds'] }],
  mark: { type: 'point', filled: true, size: 14, opacity: 1, fillOpacity: 0.55, yOffset: APART.seeds },
  encoding: { y: yOf('at'), x: x('seeds'), color: OWN_COLOUR },
});

const measuredMarks = (x: X): object => ({
  name: `${READ}_0`,
  transform: [{ filter: 'isValid(datum.measured)' }],
  mark: { type: 'point', filled: true, size: 72, opacity: 1, ...apart(APART.measured, 'published') },
  encoding: { y: yOf('at'), x: x('measured'), color: OWN_COLOUR, shape: { field: 'shape', ...EXACT } },
});

const publishedMarks = (x: X): object => ({
  name: `${READ}_1`,
  transform: [{ filter: 'isValid(datum.published)' }, { calculate: 'datum.publishedTip', as: 'tip' }],
  mark: { type: 'point', filled: false, fill: palette.page.light, stroke: palette.published.light, strokeWidth: 1.5, size: 52, opacity: 1, ...apart(APART.published, 'measured') },
  encoding: { y: yOf('at'), x: x('published'), shape: { field: 'publishedShape', ...EXACT } },
});

const columnTexts = ({ index, align, x, coloured }: Column): object => ({
  transform: [{ calculate: `datum.texts[${index}]`, as: 'text' }],
  mark: { type: 'text', align, fontWeight: { expr: 'datum.isDefault ? 600 : 400' } },
  encoding: { y: yOf('at'), x: { value: x }, text: { field: 'text', type: 'nominal' }, ...(coloured ? { color: OWN_COLOUR } : {}) },
});

const labelTexts = ({ labelX }: Frame): object => ({
  transform: [{ flatten: ['slots', 'lines'] }, { filter: "datum.lines !== ''" }],
  mark: { type: 'text', align: 'left', fontWeight: { expr: 'datum.group < 0 || datum.isDefault ? 600 : 400' } },
  encoding: { y: yOf('slots'), x: { value: labelX }, text: { field: 'lines', type: 'nominal' } },
});

/** Above the rows: what the directions mean, and what the columns are. */
function headTexts({ sides }: ForestChart, { width, columns }: Frame): object[] {
  const text = (words: string, x: number, align: 'left' | 'right'): object => ({
    data: { values: [{}] },
    mark: { type: 'text', align, color: palette.muted.light, text: words, baseline: 'bottom' },
    encoding: { x: { value: x }, y: { value: ABOVE } },
  });
  return [...(sides === undefined ? [] : [text(`\u25c2 ${sides.left}`, 0, 'left'), text(`${sides.right} \u25b8`, width, 'right')]), ...columns.map(({ label, x, align }) => text(label, x, align))];
}
