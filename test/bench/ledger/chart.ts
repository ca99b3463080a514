/** The ledger as stacked bars: groups of parts, since more colours than these cannot be told apart. */
import type { TopLevelSpec } from 'vega-lite';
import { palette, series } from '../../../src/core/report/charts/vega/palette.ts';
import { chartConfig } from '../files.ts';
import { groupOf, GROUPS, type SweepLedger } from './parts.ts';

interface Share {
  readonly sweep: string;
  readonly group: string;
  readonly order: number;
  readonly share: number;
}

function shares(ledgers: readonly SweepLedger[]): Share[] {
  return ledgers.flatMap(({ sweep, parts }) => {
    const all = parts.reduce((sum, { seconds }) => sum + seconds, 0);
    return GROUPS.map((group, order) => ({
      sweep,
      group,
      order,
      share: Number((parts.filter(({ name }) => groupOf(name) === group).reduce((sum, { seconds }) => sum + seconds, 0) / all).toFixed(4)),
    }));
  });
}

const COLOURS = [...[2, 3, 5, 4, 1, 6, 0].map(i => series[i]!.light), palette.rule.light];

export function ledgerChart(ledgers: readonly SweepLedger[]): TopLevelSpec {
  const spec: object = {
    background: null,
    padding: 4,
    config: chartConfig,
    title: { text: 'What each second of all cores goes to' },
    data: { values: shares(ledgers) },
    width: 460,
    height: { step: 34 },
    mark: { type: 'bar', height: 22, stroke: palette.page.light, strokeWidth: 1 },
    encoding: {
      y: { field: 'sweep', type: 'nominal', sort: null, axis: { title: null, domain: false, ticks: false } },
      x: { field: 'share', type: 'quantitative', stack: 'zero', scale: { domain: [0, 1] }, axis: { title: 'share of the time of all cores', format: '.0%', tickCount: 5 } },
      color: { field: 'group', type: 'nominal', scale: { domain: GROUPS, range: COLOURS }, legend: { orient: 'bottom', columns: 3 } },
      order: { field: 'order', type: 'quantitative' },
    },
  };
  return spec as TopLevelSpec;
}

/** The chart in words. */
export const ledgerAlt = (ledgers: readonly SweepLedger[]): string =>
  `What each second of all cores goes to. ${shares(ledgers)
    .map(({ sweep, group, share }) => `${sweep}, ${group}: ${(100 * share).toFixed(0)} %`)
    .join('; ')}.`;
