/** Arms over something that has an order: an ablation over a numeric axis, and the study's overview over model sizes. */
import type { Line, LineChart, LinePanel, MarkTone } from './vega/chart.ts';
import { formatShown, shownNumber } from './vega/numbers.ts';
import { differenceTitle, hasDifferences } from './arm-forest.ts';
import { capitalised, formatPublished, formatValue } from '../../text/format.ts';
import { barsRule, halfInterval } from '../model/mean-interval.ts';
import type { AblationReport, ArmRow, Overview, Report } from '../model/model.ts';
import type { ShownMeasure } from '../model/measure.ts';
import { NONE, right, type Cell, type Table } from '../tables/results.ts';

/** Arms of one line, by place; undefined: there is no such arm, or the report does not hold it. */
interface Row {
  readonly label: string;
  readonly arms: readonly (ArmRow | undefined)[];
}

const measuredTitle = ({ label, unit }: ShownMeasure): string => `Measured: ${label}${unit === 'fraction' ? ' (%)' : ''}`;

function publishedTitle(rows: readonly ArmRow[]): string {
  const elsewhere = [...new Set(rows.flatMap(row => (row.published?.elsewhere === true ? [row.published.table] : [])))];
  return elsewhere.length === 0 ? 'Published (%)' : `Published (%); * ${elsewhere.join(', ')}`;
}

function panel(rows: readonly Row[], tone: MarkTone, title: string, headline: ShownMeasure, grids: readonly number[]): LinePanel {
  const { unit } = headline;
  const lines = rows.flatMap(({ arms }, series): Line[] => {
    const y = arms.map(arm => (tone === 'measured' ? (arm?.measured === undefined ? null : shownNumber(arm.measured.mean, unit)) : (arm?.published?.value ?? null)));
    if (y.every(value => value === null)) return [];
    const error = arms.map(arm => {
      const half = arm?.measured && halfInterval(arm.measured);
      return half === undefined ? null : shownNumber(half, unit);
    });
    return [{ series, grid: grids[series]!, y, ...(tone === 'measured' ? withError(error) : {}) }];
  });
  return { title, tone, format: tone === 'measured' ? unit : 'published', lines };
}

const withError = (error: readonly (number | null)[]): Pick<Line, 'error'> => (error.every(half => half === null) ? {} : { error });

const panelsOf = (rows: readonly Row[], headline: ShownMeasure, grids: readonly number[]): LinePanel[] => {
  const arms = rows.flatMap(row => row.arms.filter(arm => arm !== undefined));
  return [panel(rows, 'measured', measuredTitle(headline), headline, grids), panel(rows, 'published', publishedTitle(arms), headline, grids)].filter(({ lines }) => lines.length > 0);
};

/** A line takes two points. */
const isLine = ({ y }: Line): boolean => y.filter(value => value !== null).length > 1;

/** An ablation that names its axis; undefined when no measured arms make a line over it. Arms without a place are not drawn. */
export function axisChart({ rows, axis, measure: headline }: AblationReport): LineChart | undefined {
  if (axis === undefined) return undefined;
  const placed = rows.filter(row => row.at !== undefined).sort((a, b) => a.at! - b.at! || a.index - b.index);
  const groups = [...new Set(rows.map(row => row.group))].map(group => placed.filter(row => row.group === group)).filter(group => group.length > 0);
  const lines: Row[] = groups.map(arms => ({ label: arms[0]!.group ?? (groups.length > 1 ? 'Other arms' : ''), arms }));
  const grids = groups.map(arms => arms.map(row => row.at!));
  const x = { title: axis, ticks: [...new Set(placed.map(row => row.at!))] };
  return hasDifferences(placed) ? differenceLines(lines, x, grids, headline) : valueLines(lines, x, grids, headline);
}

/** Measured and published differences to the default arm share an axis: lines and broken lines. */
function differenceLines(rows: readonly Row[], x: LineChart['x'], grids: LineChart['grids'], headline: ShownMeasure): LineChart | undefined {
  const measured = rows.map(({ arms }, series): Line => {
    const error = arms.map(arm => (arm?.delta?.interval === undefined ? null : shownNumber((arm.delta.interval.high - arm.delta.interval.low) / 2, headline.unit)));
    return { series, grid: series, y: arms.map(arm => measuredDifference(arm, headline)), ...withError(error) };
  });
  if (!measured.some(isLine)) return undefined;
  const published = rows.map(({ arms }, series): Line => ({ series: rows.length + series, grid: series, y: arms.map(publishedDifference), format: 'published', hollow: true }));
  const known = [...measured, ...published].filter(({ y }) => y.some(value => value !== null));
  const series = [
    ...rows.map(({ label }, i) => ({ label: titled('Measured', label), style: i + MEASURED })),
    ...rows.map(({ label }, i) => ({ label: titled('Published', label), style: i + (rows.length > 1 ? BROKEN : PUBLISHED) })),
  ];
  const places = new Map(known.map((line, i) => [line.series, i]));
  return {
    kind: 'lines',
    x,
    series: series.filter((_, i) => places.has(i)),
    grids,
    panels: [{ title: differenceTitle(headline).replace('Difference', '\u0394'), format: headline.unit, signed: true, lines: known.map(line => ({ ...line, series: places.get(line.series)! })) }],
    log: false,
  };
}

/** Styles of the first lines. Broken: of the same colour as the measured line; a single one has a colour of its own. */
const [MEASURED, PUBLISHED, BROKEN] = [2, 8, 9];

const titled = (source: string, label: string): string => (label === '' ? source : `${label}, ${source.toLowerCase()}`);

const measuredDifference = (arm: ArmRow | undefined, { unit }: ShownMeasure): number | null =>
  arm?.isDefault === true && arm.measured !== undefined ? 0 : arm?.delta === undefined ? null : shownNumber(arm.delta.value, unit);

const publishedDifference = (arm: ArmRow | undefined): number | null => (arm?.isDefault === true && arm.published !== undefined ? 0 : (arm?.published?.delta ?? null));

function valueLines(rows: readonly Row[], x: LineChart['x'], grids: LineChart['grids'], headline: ShownMeasure): LineChart | undefined {
  const measured = panel(
    rows,
    'measured',
    measuredTitle(headline),
    headline,
    rows.map((_, i) => i),
  );
  if (!measured.lines.some(isLine)) return undefined;
  return { kind: 'lines', x, series: rows.map(({ label }, i) => ({ label: titled('Measured', label), style: i + MEASURED })), grids, panels: [measured], log: false };
}

/** The paper's headline picture; undefined when nothing measured makes a line of it. Its legend tells what is not measured. */
export function overviewChart({ x, series }: Overview, headline: ShownMeasure): LineChart | undefined {
  const known = series.flatMap(({ label, arms }, style) => (arms.every(arm => arm === undefined) ? [] : [{ label, arms, style }]));
  const panels = panelsOf(
    known,
    headline,
    known.map(() => 0),
  );
  if (panels[0]?.tone !== 'measured' || !panels[0].lines.some(isLine)) return undefined;
  return {
    kind: 'lines',
    x: { title: x.label, labels: x.values },
    series: known.map(({ label, arms, style }) => {
      const missing = x.values.filter((_, i) => arms[i]?.measured === undefined);
      const which = missing.length === x.values.length ? '' : `: ${missing.join(', ')}`;
      return { label: missing.length === 0 ? label : `${label} (not measured${which})`, style };
    }),
    grids: [x.values.map((_, i) => i)],
    panels,
    log: false,
  };
}

export function axisCaption({ rows }: AblationReport, { panels: [panel] }: LineChart): string {
  const hollow = panel!.lines.some(line => line.hollow === true);
  const marks = panel!.signed === true ? `Differences to the default arm, which stands at zero: ${hollow ? 'lines measured, broken lines published' : 'measured'}.` : 'Measured values.';
  return `${marks} ${barsRule(rows)}`.trim();
}

/** The chart in words, missing numbers among them. */
export function axisChartAlt(title: string, chart: LineChart): string {
  const panels = chart.panels.map(({ title: source, lines, format, signed }) => {
    const texts = lines.map(line => {
      const places = chart.grids[line.grid]!;
      const values = line.y.map((y, i) => `${chart.x.labels?.[places[i]!] ?? places[i]!} ${y === null ? 'missing' : formatShown(y, line.format ?? format, signed)}`);
      return `${chart.series.length > 1 ? `${chart.series[line.series]!.label}: ` : ''}${values.join(', ')}`;
    });
    return `${source}: ${texts.join('; ')}`;
  });
  const over = ` over ${chart.x.title}`;
  return `Line chart of ${title}${title.endsWith(over) ? '' : over}. ${panels.join('. ')}.`;
}

/** The numbers of the overview; undefined where there is no chart. */
export function overviewTable({ overview, headline }: Report): Table | undefined {
  if (overview === undefined || overviewChart(overview, headline) === undefined) return undefined;
  const { title, x, series } = overview;
  const published = series.some(({ arms }) => arms.some(arm => arm?.published !== undefined));
  return {
    subject: title,
    caption: `${measuredTitle(headline)}${published ? ', and published' : ''}`,
    corner: capitalised(x.label),
    columns: x.values.flatMap(value => [right(value), ...(published ? [right(`${value}, published`)] : [])]),
    rows: series.map(({ label, arms }) => ({
      header: label,
      cells: x.values.flatMap((_, i): Cell[] => {
        const arm = arms[i];
        return [
          arm?.measured === undefined ? NONE : { text: formatValue(arm.measured.mean, headline.unit), detail: `\u00b1 ${formatValue(arm.measured.spread.value, headline.unit)}, n ${arm.measured.n}` },
          ...(published ? [arm?.published === undefined ? NONE : { text: formatPublished(arm.published.value) }] : []),
        ];
      }),
    })),
    notes: [],
  };
}
