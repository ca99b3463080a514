/** Arms over something that has an order: an ablation over a numeric axis, and the study's overview over model sizes. */
import type { Line, LineChart, LinePanel, MarkTone } from './vega/chart.ts';
import { formatShown, shownNumber } from './vega/numbers.ts';
import { measuredTitle, publishedTitle } from './dot-plot.ts';
import { formatPublished, formatValue } from '../../text/format.ts';
import { halfInterval } from '../model/mean-interval.ts';
import type { AblationReport, ArmRow, Headline, Overview, Report } from '../model/model.ts';
import { NONE, right, type Cell, type Table } from '../tables/results.ts';

/** Arms of one line, by place; undefined: there is no such arm, or the report does not hold it. */
interface Row {
  readonly label: string;
  readonly arms: readonly (ArmRow | undefined)[];
}

function panel(rows: readonly Row[], tone: MarkTone, title: string, headline: Headline, grids: readonly number[]): LinePanel {
  const { unit } = headline;
  const lines = rows.flatMap(({ arms }, series): Line[] => {
    const y = arms.map(arm => (tone === 'measured' ? (arm?.measured === undefined ? null : shownNumber(arm.measured.mean, unit)) : (arm?.published?.value ?? null)));
    if (y.every(value => value === null)) return [];
    const error = arms.map(arm => {
      const half = arm?.measured && halfInterval(arm.measured);
      return half === undefined ? null : shownNumber(half, unit);
    });
    return [{ series, grid: grids[series]!, y, ...(tone === 'measured' ? { error } : {}) }];
  });
  return { title, tone, format: tone === 'measured' ? unit : 'published', lines };
}

const panelsOf = (rows: readonly Row[], headline: Headline, grids: readonly number[]): LinePanel[] => {
  const arms = rows.flatMap(row => row.arms.filter(arm => arm !== undefined));
  return [panel(rows, 'measured', measuredTitle(headline), headline, grids), panel(rows, 'published', publishedTitle(arms), headline, grids)].filter(({ lines }) => lines.length > 0);
};

/** An ablation that names its axis; undefined when there is nothing to draw. Arms without a place are not drawn. */
export function axisChart({ rows, axis }: AblationReport, headline: Headline): LineChart | undefined {
  if (axis === undefined) return undefined;
  const placed = rows.filter(row => row.at !== undefined).sort((a, b) => a.at! - b.at! || a.index - b.index);
  const groups = [...new Set(rows.map(row => row.group))].map(group => placed.filter(row => row.group === group)).filter(group => group.length > 0);
  const lines: Row[] = groups.map(arms => ({ label: arms[0]!.group ?? (groups.length > 1 ? 'Other arms' : 'Arms'), arms }));
  const panels = panelsOf(
    lines,
    headline,
    lines.map((_, i) => i),
  );
  if (panels.length === 0) return undefined;
  return {
    kind: 'lines',
    x: { title: axis, ticks: [...new Set(placed.map(row => row.at!))] },
    series: lines.map(({ label }, style) => ({ label, style: style + 2 })),
    grids: groups.map(arms => arms.map(row => row.at!)),
    panels,
    log: false,
  };
}

/** The paper's headline picture; undefined when nothing of it is measured or published here. Its legend tells what is not measured. */
export function overviewChart({ x, series }: Overview, headline: Headline): LineChart | undefined {
  const known = series.flatMap(({ label, arms }, style) => (arms.every(arm => arm === undefined) ? [] : [{ label, arms, style }]));
  const panels = panelsOf(
    known,
    headline,
    known.map(() => 0),
  );
  if (panels.length === 0) return undefined;
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

/** The chart in words, missing numbers among them. */
export function axisChartAlt(title: string, chart: LineChart): string {
  const panels = chart.panels.map(({ title: source, lines, format }) => {
    const texts = lines.map(line => {
      const places = chart.grids[line.grid]!;
      const values = line.y.map((y, i) => `${chart.x.labels?.[places[i]!] ?? places[i]!} ${y === null ? 'missing' : formatShown(y, format)}`);
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
  return {
    subject: title,
    caption: `${measuredTitle(headline)}, and published`,
    corner: x.label.charAt(0).toUpperCase() + x.label.slice(1),
    columns: x.values.flatMap(value => [right(value), right(`${value}, published`)]),
    rows: series.map(({ label, arms }) => ({
      header: label,
      cells: x.values.flatMap((_, i): Cell[] => {
        const arm = arms[i];
        return [
          arm?.measured === undefined ? NONE : { text: formatValue(arm.measured.mean, headline.unit), detail: `\u00b1 ${formatValue(arm.measured.spread.value, headline.unit)}, n ${arm.measured.n}` },
          arm?.published === undefined ? NONE : { text: formatPublished(arm.published.value) },
        ];
      }),
    })),
    notes: [],
  };
}
