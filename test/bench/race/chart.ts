/** Speed of every contender against PyTorch, as a chart for each race. */
import type { TopLevelSpec } from 'vega-lite';
import { palette, series } from '../../../src/core/report/charts/vega/palette.ts';
import { chartConfig } from '../files.ts';
import { REFERENCE } from './contenders.ts';
import { sweepRatios } from './goals.ts';
import { speedRatio, type Summary } from './statistics.ts';
import type { CaseResult } from './steps.ts';
import type { SweepResult } from './sweep.ts';

interface Point extends Summary {
  readonly race: string;
  readonly contender: string;
  readonly side: string;
}

export function chartPoints(cases: readonly CaseResult[], sweep: readonly SweepResult[]): Point[] {
  return [
    ...cases.flatMap(({ step, results }) => {
      const reference = results.find(({ contender }) => contender.name === REFERENCE)!;
      return results
        .filter(({ skipped }) => skipped === undefined)
        .map(({ contender: { name, side }, secondsPerStep }) => ({ race: step.name, contender: name, side: sideName(side), ...speedRatio(secondsPerStep, reference.secondsPerStep) }));
    }),
    ...(sweep.length === 0 ? [] : sweepRatios(sweep).map(({ contender: { name, side }, ratio }) => ({ race: 'sweep', contender: name, side: sideName(side), ...ratio }))),
  ];
}

const sideName = (side: 'pytorch' | 'ours'): string => (side === 'ours' ? 'this package' : 'PyTorch');

export function speedChart(points: readonly Point[]): TopLevelSpec {
  const y = { field: 'contender', type: 'nominal', sort: null, axis: { title: null, domain: false, ticks: false } };
  const color = { field: 'side', type: 'nominal', scale: { domain: ['PyTorch', 'this package'], range: [series[1]!.light, series[2]!.light] }, legend: { orient: 'bottom' } };
  const spec: object = {
    background: null,
    padding: 4,
    config: chartConfig,
    title: { text: 'Speed against PyTorch eager in float32 (median and quartiles)' },
    data: { values: points.map(point => ({ ...point, median: round(point.median), low: round(point.low), high: round(point.high) })) },
    facet: { row: { field: 'race', type: 'nominal', sort: null, header: { title: null, labelAngle: 0, labelAlign: 'left', labelFontSize: 12, labelColor: palette.ink.light } } },
    spec: {
      width: 380,
      height: { step: 16 },
      layer: [
        { mark: { type: 'rule', color: palette.rule.light, strokeWidth: 1.5 }, encoding: { x: { datum: 1 } } },
        { mark: { type: 'rule', strokeWidth: 2 }, encoding: { y, color, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
        {
          mark: { type: 'point', filled: true, size: 55, opacity: 1 },
          encoding: { y, color, x: { field: 'median', type: 'quantitative', scale: { domainMin: 0 }, axis: { title: 'times as fast', tickCount: 6 } } },
        },
      ],
    },
    resolve: { scale: { y: 'independent' } },
  };
  return spec as TopLevelSpec;
}

const round = (value: number): number => Number(value.toFixed(4));

/** The chart in words. */
export const chartAlt = (points: readonly Point[]): string =>
  `Speed against PyTorch eager in float32. ${points
    .filter(({ side }) => side !== 'PyTorch')
    .map(({ race, contender, median }) => `${race}, ${contender}: ${median.toFixed(2)}`)
    .join('; ')}.`;
