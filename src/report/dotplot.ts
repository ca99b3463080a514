/** Dot plot of an ablation: our arms beside the paper's, in the same order, each panel on its own scale. */
import type { TopLevelSpec } from 'vega-lite';
import { chartConfig, type Layout } from './chart.ts';
import { formatPublished, formatValue, scale } from './format.ts';
import type { AblationReport, ArmRow, Headline } from './model.ts';
import { FONT_SIZE, textWidth } from './svg.ts';
import { palette } from './palette.ts';
import { shorten } from './text.ts';

interface Dot {
  readonly row: string;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly text: string;
  readonly tone: 'default' | 'arm';
}

interface Panel {
  readonly title: string;
  readonly dots: readonly Dot[];
  /** Single replicates, where there are several. */
  readonly seeds: readonly { readonly row: string; readonly value: number }[];
  readonly colour: string;
  readonly filled: boolean;
}

const LABEL_LIMIT = 34;

/** Vega merges rows of the same text: equal labels are told apart by the arm's name. */
export function rowLabels(rows: readonly ArmRow[]): string[] {
  const short = rows.map(row => shorten(row.label, LABEL_LIMIT));
  return rows.map((row, i) => (short.filter(label => label === short[i]).length > 1 ? `${shorten(row.label, 12)} (${row.name})` : short[i]!));
}

/** Undefined when there is nothing to draw. */
export function dotPlot(ablation: AblationReport, headline: Headline, layout: Layout): TopLevelSpec | undefined {
  const labels = rowLabels(ablation.rows);
  const panels = [oursPanel(ablation.rows, labels, headline), paperPanel(ablation.rows, labels)].filter(panel =>
    panel.dots.some(dot => dot.value !== null),
  );
  if (panels.length === 0) return undefined;
  if (layout === 'narrow') return { ...chartConfig(layout), spacing: 24, vconcat: panels.map(panel => narrowPanel(panel, labels)) } as TopLevelSpec;
  return { ...chartConfig(layout), spacing: 28, hconcat: panels.map((panel, i) => widePanel(panel, labels, i === 0)) } as TopLevelSpec;
}

function oursPanel(rows: readonly ArmRow[], labels: readonly string[], { unit, label }: Headline): Panel {
  const dots = rows.map((row, i): Dot => {
    const tone = row.isDefault ? 'default' : 'arm';
    const m = row.measured;
    if (m === undefined) return { row: labels[i]!, value: null, low: null, high: null, text: row.state, tone };
    const [value, low, high] = [m.mean, m.mean - m.spread.value, m.mean + m.spread.value].map(x => scale(x, unit)) as [number, number, number];
    return { row: labels[i]!, value, low, high, text: formatValue(m.mean, unit), tone };
  });
  const seeds = rows.flatMap((row, i) =>
    row.measured === undefined || row.measured.n < 2 ? [] : row.measured.perSeed.map(s => ({ row: labels[i]!, value: scale(s.value, unit) })),
  );
  return { title: `Measured: ${label}${unit === 'fraction' ? ' (%)' : ''}`, dots, seeds, colour: palette.accent.light, filled: true };
}

function paperPanel(rows: readonly ArmRow[], labels: readonly string[]): Panel {
  const dots = rows.map((row, i): Dot => {
    const shared = { row: labels[i]!, low: null, high: null, tone: row.isDefault ? 'default' : 'arm' } as const;
    const published = row.published;
    if (published === undefined) return { ...shared, value: null, text: 'none' };
    return { ...shared, value: published.value, text: `${formatPublished(published.value)}${published.elsewhere ? '*' : ''}` };
  });
  const elsewhere = [...new Set(rows.flatMap(row => (row.published?.elsewhere === true ? [row.published.table] : [])))];
  return { title: elsewhere.length === 0 ? 'Published (%)' : `Published (%); * ${elsewhere.join(', ')}`, dots, seeds: [], colour: palette.published.light, filled: false };
}

/** A tenth of room on both sides; single values get a point. */
function domainOf(panel: Panel): [number, number] {
  const values = [...panel.dots.flatMap(dot => [dot.value, dot.low, dot.high]), ...panel.seeds.map(s => s.value)].filter(v => v !== null);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = high > low ? 0.1 * (high - low) : Math.max(Math.abs(high) * 0.01, 1e-6);
  return [low - room, high + room];
}

const rowEncoding = (labels: readonly string[], axis: object | null) => ({
  field: 'row',
  type: 'nominal',
  sort: null,
  scale: { domain: [...labels] },
  axis,
});

const WIDE = { panel: 232, step: 30 } as const;
const NARROW = { panel: 268, step: 44 } as const;

function widePanel(panel: Panel, labels: readonly string[], first: boolean): object {
  const axis = { labels: first, title: null, ticks: false, domain: false, grid: true, labelPadding: 10, labelLimit: 260, labelColor: palette.ink.light };
  return panelSpec(panel, rowEncoding(labels, axis), WIDE, []);
}

/** On a phone labels stand above their rows, where they have the whole width. */
function narrowPanel(panel: Panel, labels: readonly string[]): object {
  const above = {
    mark: { type: 'text', align: 'left', baseline: 'bottom', dy: -7, limit: NARROW.panel + 50, color: palette.ink.light },
    encoding: { x: { value: 0 }, text: { field: 'row', type: 'nominal' } },
  };
  return panelSpec(panel, rowEncoding(labels, { labels: false, title: null, ticks: false, domain: false, grid: true }), NARROW, [above]);
}

function panelSpec(panel: Panel, y: object, size: { panel: number; step: number }, extra: readonly object[]): object {
  const reference = panel.dots.find(dot => dot.tone === 'default')?.value ?? null;
  const x = (field: string): object => ({
    field,
    type: 'quantitative',
    scale: { domain: domainOf(panel), nice: false, zero: false },
    axis: { title: null, tickCount: 4, grid: false },
  });
  const filled = panel.filled ? panel.colour : palette.page.light;
  const column = Math.max(...panel.dots.map(dot => textWidth(dot.text, FONT_SIZE, true)));
  return {
    width: size.panel,
    height: { step: size.step },
    title: { text: panel.title, anchor: 'start', color: panel.colour, offset: extra.length > 0 ? 12 : 8, limit: size.panel + 40 },
    data: { values: panel.dots },
    encoding: { y },
    layer: [
      ...(reference === null ? [] : [{ mark: { type: 'rule', color: panel.colour, strokeDash: [3, 3], strokeWidth: 1 }, encoding: { x: { datum: reference, type: 'quantitative' }, y: null } }]),
      ...(panel.dots.some(dot => dot.low !== null) ? [{ transform: [{ filter: 'datum.low !== null' }], mark: { type: 'rule', color: panel.colour, strokeWidth: 2 }, encoding: { x: x('low'), x2: { field: 'high' } } }] : []),
      ...(panel.seeds.length === 0 ? [] : [{ data: { values: panel.seeds }, mark: { type: 'point', filled: true, size: 18, opacity: 0.55, color: panel.colour, yOffset: 8 }, encoding: { x: x('value') } }]),
      { transform: [{ filter: 'datum.value !== null' }], mark: { type: 'point', filled: false, fill: filled, size: 74, opacity: 1, stroke: panel.colour, strokeWidth: 2 }, encoding: { x: x('value') } },
      {
        mark: { type: 'text', align: 'right', baseline: 'middle' },
        encoding: {
          x: { value: size.panel + 12 + Math.ceil(column) },
          text: { field: 'text', type: 'nominal' },
          fontWeight: { condition: { test: "datum.tone === 'default'", value: 600 }, value: 400 },
          color: { condition: { test: 'datum.value === null', value: palette.muted.light }, value: palette.ink.light },
        },
      },
      ...extra,
    ],
  };
}

/** The numbers of the plot in words, for readers who do not see it. */
export function dotPlotAlt(ablation: AblationReport, headline: Headline): string {
  const ours = ablation.rows.map(row => `${row.label} ${row.measured === undefined ? row.state : formatValue(row.measured.mean, headline.unit)}`);
  const paper = ablation.rows.map(row => `${row.label} ${row.published === undefined ? 'none' : formatPublished(row.published.value)}`);
  return `Dot plot of ${ablation.title}. Measured ${headline.label}: ${ours.join('; ')}. Published: ${paper.join('; ')}.`;
}
