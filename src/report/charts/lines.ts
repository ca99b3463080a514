/** Lines over an axis: training curves, ablations over a numeric axis, and accuracy over model size. */
import type { GroupMark, Mark, Spec } from 'vega';
import { armStyle, palette } from '../palette.ts';
import { shorten } from '../text.ts';
import type { ChartView, Layout, Line, LineChart, LinePanel } from './chart.ts';
import { formatShown, logTicks } from './numbers.ts';
import { baseSpec, READ, toneColour, type Reading } from './theme.ts';

/** Of one panel, axes apart. */
const SIZES = {
  one: { file: { width: 430, height: 220 }, wide: { width: 280, height: 190 }, narrow: { width: 280, height: 190 } },
  several: { file: { width: 310, height: 230 }, wide: { width: 310, height: 230 }, narrow: { width: 285, height: 190 } },
} as const;
/** Between panels: room for the labels of the next one's axis, or for an axis and the next one's title. */
const GAP = { side: 70, below: 82 } as const;
/** An axis with its title. */
const AXIS = 44;
/** A line with more points is drawn without marks on them. */
const MARKED_POINTS = 12;
const LEGEND_LABEL = 40;

interface Point extends Reading {
  readonly x: number | string;
  readonly y: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly line: number;
  readonly colour: string;
  readonly dash: readonly number[];
}

export function lineSpec(chart: LineChart, view: ChartView): Spec {
  const several = chart.panels.length > 1;
  const size = SIZES[several ? 'several' : 'one'][view.layout];
  const stacked = view.layout === 'narrow';
  const points = chart.panels.map(panel => panelPoints(chart, panel, view.hidden));
  const places = chart.panels.map((_, i) => (stacked ? { x: 0, y: i * (size.height + GAP.below) } : { x: i * (size.width + GAP.side), y: 0 }));
  const last = places.at(-1)!;
  return {
    ...baseSpec,
    width: last.x + size.width,
    height: last.y + size.height + AXIS,
    data: points.flatMap((values, i) => panelData(values, i)),
    marks: chart.panels.map((panel, i) => panelMark(chart, panel, points[i]!, i, { ...places[i]!, ...size }, view.log)),
    ...(view.layout === 'file' && chart.series.length > 1 ? legendOf(chart, view.layout) : {}),
  };
}

function panelPoints(chart: LineChart, { lines, format }: LinePanel, hidden: ReadonlySet<number>): Point[] {
  return lines.flatMap((line, index): Point[] => {
    if (hidden.has(line.series)) return [];
    const { colour, dash } = armStyle(chart.series[line.series]!.style);
    return line.y.map((y, i) => {
      const place = chart.grids[line.grid]![i]!;
      const error = line.error?.[i] ?? null;
      const bar = y === null || error === null ? undefined : error;
      return {
        x: chart.x.labels?.[place] ?? place,
        y,
        low: bar === undefined ? null : y! - bar,
        high: bar === undefined ? null : y! + bar,
        line: index,
        group: line.series,
        colour,
        dash,
        tip: pointTip(chart, line, place, y === null ? '' : `${formatShown(y, format)}${bar === undefined ? '' : ` \u00b1 ${formatShown(bar, format)}`}`),
      };
    });
  });
}

/** What is missing breaks a line, and has no mark of its own. */
const panelData = (points: readonly Point[], panel: number): { name: string; values: Point[] }[] => [
  { name: `line${panel}`, values: [...points] },
  { name: `mark${panel}`, values: points.filter(point => point.y !== null) },
  { name: `bar${panel}`, values: points.filter(point => point.low !== null) },
];

function pointTip({ series, x }: LineChart, line: Line, place: number, value: string): Reading['tip'] {
  const label = `${series[line.series]!.label}${line.name === undefined ? '' : `, ${line.name}`}`;
  const at = x.labels?.[place] ?? `${x.title} ${Number(place.toFixed(2))}`;
  return [label, `${at}: ${value}`];
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function panelMark(chart: LineChart, panel: LinePanel, points: readonly Point[], index: number, box: Box, log: boolean): GroupMark {
  const measured = points.filter(point => point.y !== null);
  const short = chart.grids.every(grid => grid.length <= MARKED_POINTS);
  const colour = panel.tone === undefined ? palette.ink.light : toneColour(panel.tone);
  const ends = measured.flatMap(({ y, low, high }) => [y!, ...(low === null ? [] : [low, high!])]);
  return {
    type: 'group',
    encode: { enter: { x: { value: box.x }, y: { value: box.y }, width: { value: box.width }, height: { value: box.height } } },
    title: { text: `${panel.title}${log ? ', logarithmic' : ''}`, color: colour, limit: box.width + 40 },
    scales: [xScale(chart, box.width), yScale(ends, log, box.height)],
    axes: [
      { orient: 'left', scale: 'y', grid: true, gridScale: 'x', domain: false, ticks: false, labelPadding: 8, ...(log ? { values: logTicks(ends) } : { tickCount: 5 }) },
      { orient: 'bottom', scale: 'x', title: chart.x.title, grid: false, ...(chart.x.ticks === undefined ? { tickCount: 6 } : { values: [...chart.x.ticks] }) },
    ],
    marks: [
      {
        type: 'group',
        from: { facet: { name: `one${index}`, data: `line${index}`, groupby: 'line' } },
        marks: [
          {
            type: 'line',
            ...(short ? {} : { name: READ }),
            from: { data: `one${index}` },
            encode: {
              enter: {
                x: { scale: 'x', field: 'x' },
                y: { scale: 'y', field: 'y' },
                defined: { signal: 'datum.y !== null' },
                stroke: { field: 'colour' },
                strokeDash: { field: 'dash' },
                strokeWidth: { value: 2 },
                strokeJoin: { value: 'round' },
              },
            },
          },
        ],
      },
      ...(short ? pointMarks(index, measured.some(point => point.low !== null)) : []),
    ],
  };
}

function pointMarks(panel: number, bars: boolean): Mark[] {
  const x = { scale: 'x', field: 'x' };
  const y = (field: string) => ({ scale: 'y', field });
  return [
    ...(bars ? [{ type: 'rule', from: { data: `bar${panel}` }, encode: { enter: { x, y: y('low'), y2: y('high'), stroke: { field: 'colour' }, strokeWidth: { value: 1.5 } } } } as const] : []),
    { type: 'symbol', name: READ, from: { data: `mark${panel}` }, encode: { enter: { x, y: y('y'), fill: { field: 'colour' }, size: { value: 40 } } } },
  ];
}

type AxisScale = NonNullable<GroupMark['scales']>[number];

function xScale({ x, grids }: LineChart, width: number): AxisScale {
  const range = [0, width];
  if (x.labels !== undefined) return { name: 'x', type: 'point', domain: [...x.labels], range, padding: 0.3 };
  const places = grids.flat();
  const [low, high] = [Math.min(...places), Math.max(...places)];
  if (x.ticks === undefined) return { name: 'x', type: 'linear', domain: [0, high], range, nice: false };
  const room = high > low ? 0.06 * (high - low) : 1;
  return { name: 'x', type: 'linear', domain: [low - room, high + room], range, nice: false, zero: false };
}

function yScale(values: readonly number[], log: boolean, height: number): AxisScale {
  const range = [height, 0];
  const known = values.length === 0 ? [0, 1] : values;
  const domain = [Math.min(...known), Math.max(...known)];
  return log ? { name: 'y', type: 'log', domain, range, nice: false } : { name: 'y', type: 'linear', domain, range, nice: 5, zero: false };
}

/** For a file, which has no page around it to hold the legend. Equal labels would become one. */
function legendOf({ series, panels }: LineChart, layout: Layout): Pick<Spec, 'scales' | 'legends'> {
  const short = series.map(({ label }) => shorten(label, LEGEND_LABEL));
  const labels = short.map((label, i) => (short.indexOf(label) === i ? label : `${shorten(label, LEGEND_LABEL - 4)} (${i + 1})`));
  const styles = series.map(({ style }) => armStyle(style));
  return {
    scales: [
      { name: 'colour', type: 'ordinal', domain: labels, range: styles.map(({ colour }) => colour) },
      { name: 'dash', type: 'ordinal', domain: labels, range: styles.map(({ dash }) => [...dash]) },
    ],
    legends: [{ stroke: 'colour', strokeDash: 'dash', symbolType: 'stroke', orient: 'bottom', direction: 'horizontal', columns: layout === 'narrow' ? 1 : panels.length > 1 ? 3 : 2 }],
  };
}
