/** Dot plot of an ablation: our arms beside the paper's, in the same order. */
import type { Dot, DotChart, DotPanel } from './vega/chart.ts';
import { shownNumber } from './vega/numbers.ts';
import { formatDelta, formatPublished, formatPublishedDelta, formatValue } from '../../text/format.ts';
import { halfInterval } from '../model/mean-interval.ts';
import type { AblationReport, ArmRow, Headline } from '../model/model.ts';

/** Undefined when there is nothing to draw. */
export function dotChart({ rows }: AblationReport, headline: Headline): DotChart | undefined {
  const panels = [measuredPanel(rows, headline), publishedPanel(rows)].filter(panel => panel.dots.some(dot => dot.value !== null));
  if (panels.length === 0) return undefined;
  return {
    kind: 'dots',
    rows: rows.map(({ label, isDefault, group }) => ({ label, ...(isDefault ? { isDefault } : {}), ...(group === undefined ? {} : { group }) })),
    panels,
  };
}

export const measuredTitle = ({ label, unit }: Headline): string => `Measured: ${label}${unit === 'fraction' ? ' (%)' : ''}`;

export function publishedTitle(rows: readonly ArmRow[]): string {
  const elsewhere = [...new Set(rows.flatMap(row => (row.published?.elsewhere === true ? [row.published.table] : [])))];
  return elsewhere.length === 0 ? 'Published (%)' : `Published (%); * ${elsewhere.join(', ')}`;
}

function measuredPanel(rows: readonly ArmRow[], headline: Headline): DotPanel {
  const { unit } = headline;
  const dots = rows.map(({ measured, state, delta }): Dot => {
    if (measured === undefined) return { value: null, text: state };
    const half = halfInterval(measured);
    return {
      value: shownNumber(measured.mean, unit),
      ...(half === undefined ? {} : { error: shownNumber(half, unit) }),
      ...(measured.n < 2 ? {} : { seeds: measured.perSeed.map(seed => shownNumber(seed.value, unit)) }),
      text: formatValue(measured.mean, unit),
      notes: [
        `\u00b1 ${formatValue(measured.spread.value, unit)}, n ${measured.n}`,
        ...(half === undefined ? [] : [`95 % interval: \u00b1 ${formatValue(half, unit)}`]),
        ...(delta === undefined ? [] : [`\u0394 to default: ${formatDelta(delta.value, unit)}`]),
      ],
    };
  });
  return { title: measuredTitle(headline), tone: 'measured', dots };
}

function publishedPanel(rows: readonly ArmRow[]): DotPanel {
  const dots = rows.map(({ published }): Dot => {
    if (published === undefined) return { value: null, text: 'none' };
    const { value, table, elsewhere, delta } = published;
    return { value, text: `${formatPublished(value)}${elsewhere ? '*' : ''}`, notes: [table, ...(delta === undefined ? [] : [`\u0394 to default: ${formatPublishedDelta(delta)}`])] };
  });
  return { title: publishedTitle(rows), tone: 'published', dots };
}

/** The numbers of the plot in words, for readers who do not see it. */
export function dotPlotAlt(ablation: AblationReport, headline: Headline): string {
  const measured = ablation.rows.map(row => `${row.label} ${row.measured === undefined ? row.state : formatValue(row.measured.mean, headline.unit)}`);
  const paper = ablation.rows.map(row => `${row.label} ${row.published === undefined ? 'none' : formatPublished(row.published.value)}`);
  return `Dot plot of ${ablation.title}. Measured ${headline.label}: ${measured.join('; ')}. Published: ${paper.join('; ')}.`;
}
