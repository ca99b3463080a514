/** Lines over an axis: training curves, ablations over a numeric axis, and accuracy over model size. */
import type { TopLevelSpec } from 'vega-lite';
import { armStyle, palette } from './palette.ts';
import type { ChartView, Format, LineChart, LinePanel } from './chart.ts';
import { shortLabels } from './labels.ts';
import { logTicks } from './numbers.ts';
import { READ } from './reading.ts';
import { arrange, AXIS, NOT_HIDDEN, toneColour, topLevel } from './theme.ts';

/** Of one panel, axes apart. */
const SIZES = {
  one: { file: { width: 430, height: 220 }, wide: { width: 280, height: 190 }, narrow: { width: 280, height: 190 } },
  differences: { file: { width: 430, height: 220 }, wide: { width: 430, height: 220 }, narrow: { width: 285, height: 190 } },
  several: { file: { width: 310, height: 230 }, wide: { width: 310, height: 230 }, narrow: { width: 285, height: 190 } },
} as const;
const SPACING = 28;
/** A line with more points is drawn without marks on them. */
const MARKED_POINTS = 12;
const LEGEND_LABEL = 40;
/** From one bar over a place to the next. */
const BESIDE = 5;

/** A whole line; flattened, each of its points is a `PointDatum`. */
interface LineDatum {
  readonly line: number;
  readonly group: number;
  readonly label: string;
  readonly over?: string;
  readonly format: Format;
  readonly signed?: true;
  readonly colour: string;
  /** Of its marks, where some are not filled. */
  readonly fill?: string;
  readonly dash: readonly number[];
  /** In the legend. */
  readonly entry: string;
  readonly x: readonly (number | string)[];
  /** Null: missing; it breaks the line, and has no mark of its own. */
  readonly y: readonly (number | null)[];
  readonly error?: readonly (number | null)[];
}

/** How the lines of a chart are told apart. */
interface LineStyle {
  readonly color: object;
  readonly strokeDash?: object;
}

export function lineSpec(chart: LineChart, view: ChartView): TopLevelSpec {
  const size = SIZES[chart.panels.length > 1 ? 'several' : chart.panels[0]!.signed === true ? 'differences' : 'one'][view.layout];
  const look = lineStyleOf(chart, view);
  const panels = chart.panels.map((panel, i) => ({ ...size, ...panelSpec(chart, panel, i, look, view.log) }));
  return topLevel(arrange(panels, view.layout === 'narrow', SPACING), view);
}

function panelSpec(chart: LineChart, panel: LinePanel, index: number, look: LineStyle, log: boolean): object {
  const lines = lineData(chart, panel);
  const short = chart.grids.every(grid => grid.length <= MARKED_POINTS);
  const bars = lines.some(({ error }) => error !== undefined);
  const yOf = yEncoding(panel, log);
  const name = `${READ}_${index}`;
  // Bars over one place stand beside each other.
  const beside = bars && chart.series.length > 1 ? { xOffset: { expr: `(datum.group - ${(chart.series.length - 1) / 2}) * ${BESIDE}` } } : {};
  const line = { mark: { type: 'line', strokeWidth: 2, strokeJoin: 'round', ...beside }, encoding: { y: yOf('y'), ...look, detail: { field: 'line', type: 'nominal' } } };
  const points = lines.some(({ fill }) => fill !== undefined)
    ? { name, mark: { type: 'point', size: 40, opacity: 1, strokeWidth: 2, ...beside }, encoding: { y: yOf('y'), stroke: OWN_COLOUR, fill: { field: 'fill', type: 'nominal', scale: null } } }
    : { name, mark: { type: 'point', filled: true, size: 40, opacity: 1, ...beside }, encoding: { y: yOf('y'), color: OWN_COLOUR } };
  const zero = { data: { values: [{ zero: 0 }] }, transform: [], mark: { type: 'rule', color: palette.muted.light }, encoding: { x: null, y: yOf('zero') } };
  return {
    title: { text: `${panel.title}${log ? ', log scale' : ''}`, color: panel.tone === undefined ? palette.ink.light : toneColour(panel.tone), limit: SIZES.several.wide.width + 40 },
    data: { values: lines },
    transform: [{ filter: NOT_HIDDEN }, { flatten: ['x', 'y', ...(bars ? ['error'] : [])] }],
    encoding: { x: xEncoding(chart) },
    layer: [...(panel.signed === true ? [zero] : []), ...(short ? [line, ...(bars ? [errorBars(yOf, beside)] : []), points] : [{ name, ...line }])],
  };
}

const OWN_COLOUR = { field: 'colour', type: 'nominal', scale: null } as const;

const errorBars = (yOf: (field: string) => object, beside: object): object => ({
  transform: [{ filter: 'isValid(datum.error)' }, { calculate: 'datum.y - datum.error', as: 'low' }, { calculate: 'datum.y + datum.error', as: 'high' }],
  mark: { type: 'rule', strokeWidth: 1.5, ...beside },
  encoding: { y: yOf('low'), y2: { field: 'high' }, color: OWN_COLOUR },
});

function lineData(chart: LineChart, { lines, format, signed }: LinePanel): LineDatum[] {
  const { series, grids, x } = chart;
  const bars = lines.some(({ error }) => error !== undefined);
  const someHollow = lines.some(({ hollow }) => hollow === true);
  const entries = legendLabels(chart);
  return lines.map(({ series: group, name, grid, y, error, format: own, hollow }, line) => {
    const { colour, dash } = armStyle(series[group]!.style);
    return {
      line,
      group,
      label: `${series[group]!.label}${name === undefined ? '' : `, ${name}`}`,
      ...(x.labels === undefined ? { over: x.title } : {}),
      format: own ?? format,
      ...(signed === true ? { signed } : {}),
      colour,
      ...(someHollow ? { fill: hollow === true ? palette.page.light : colour } : {}),
      dash,
      entry: entries[group]!,
      x: grids[grid]!.map(place => x.labels?.[place] ?? place),
      y,
      ...(bars ? { error: y.map((value, i) => (value === null ? null : (error?.[i] ?? null))) } : {}),
    };
  });
}

function xEncoding({ x, grids }: LineChart): object {
  const axis = { ...AXIS, title: x.title, grid: false };
  if (x.labels !== undefined) return { field: 'x', type: 'nominal', sort: null, scale: { type: 'point', domain: x.labels, padding: 0.3 }, axis: { ...axis, labelAngle: 0 } };
  const places = grids.flat();
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const room = high > low ? 0.06 * (high - low) : 1;
  const domain = x.ticks === undefined ? [0, high] : [low - room, high + room];
  return { field: 'x', type: 'quantitative', scale: { domain, nice: false, zero: false }, axis: { ...axis, ...(x.ticks === undefined ? { tickCount: 6 } : { values: x.ticks }) } };
}

/** The same axis whichever field is drawn over it. */
function yEncoding({ lines }: LinePanel, log: boolean): (field: string) => object {
  const scale = log ? { type: 'log', nice: false } : { zero: false, nice: 5 };
  const marks = log ? { values: logTicks(lines.flatMap(({ y }) => y.filter(value => value !== null))) } : { tickCount: 5 };
  const axis = { ...AXIS, title: null, domain: false, ticks: false, labelPadding: 8, ...marks };
  return field => ({ field, type: 'quantitative', scale, axis });
}

/** A page brings the legend; a file has its own. */
function lineStyleOf(chart: LineChart, { layout }: ChartView): LineStyle {
  const styles = chart.series.map(({ style }) => armStyle(style));
  const dashed = styles.some(({ dash }) => dash.length > 0);
  if (layout !== 'file' || chart.series.length < 2) return { color: OWN_COLOUR, ...(dashed ? { strokeDash: { field: 'dash', type: 'nominal', scale: null } } : {}) };
  const domain = legendLabels(chart);
  const legend = { symbolType: 'stroke', orient: 'bottom', direction: 'horizontal', columns: chart.panels.length > 1 ? 3 : 2 };
  const styled = (range: readonly unknown[]): object => ({ field: 'entry', type: 'nominal', scale: { domain, range }, legend });
  return { color: styled(styles.map(({ colour }) => colour)), ...(dashed ? { strokeDash: styled(styles.map(({ dash }) => dash)) } : {}) };
}

const legendLabels = ({ series }: LineChart): string[] =>
  shortLabels(
    series.map(({ label }) => label),
    LEGEND_LABEL,
  );
