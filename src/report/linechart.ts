/** Training curves: a line per arm and seed over epochs. */
import type { TopLevelSpec } from 'vega-lite';
import { chartConfig, type Layout } from './chart.ts';
import { formatValue, plural, scale } from './format.ts';
import type { CurveChart, CurveSeries } from './model.ts';
import type { CurvePoint } from './records.ts';
import { mean } from './statistics.ts';
import { armStyle, palette } from './palette.ts';
import { shorten } from './text.ts';

const SIZE = { wide: { width: 430, height: 220 }, narrow: { width: 290, height: 200 } } as const;
const LABEL_LIMIT = 40;

export const curveTitle = (chart: CurveChart): string =>
  `${chart.title}${chart.unit === 'fraction' ? ' (%)' : ''}${chart.logarithmic ? ', logarithmic' : ''}`;

/** Labels of the legend, one per arm: equal ones are told apart by the arm's name. */
function legend(chart: CurveChart): { arm: string; label: string; index: number }[] {
  const arms = [...new Map(chart.series.map(s => [s.arm, s])).values()];
  const short = arms.map(s => shorten(s.label, LABEL_LIMIT));
  return arms.map((s, i) => ({
    arm: s.arm,
    index: s.index,
    label: short.filter(label => label === short[i]).length > 1 ? `${shorten(s.label, 16)} (${s.arm})` : short[i]!,
  }));
}

/** A line of the chart: several seeds of an arm become their mean where they were recorded at the same epochs. */
interface Line {
  readonly arm: string;
  /** Undefined for a mean. */
  readonly seed: number | undefined;
  readonly points: readonly CurvePoint[];
}

export function chartLines(series: readonly CurveSeries[]): Line[] {
  const byArm = new Map<string, CurveSeries[]>();
  for (const s of series) byArm.set(s.arm, [...(byArm.get(s.arm) ?? []), s]);
  return [...byArm].flatMap(([arm, ofArm]): Line[] => {
    const [first, ...others] = ofArm;
    const together = others.length > 0 && others.every(({ points }) => points.length === first!.points.length && points.every(([epoch], i) => epoch === first!.points[i]![0]));
    if (!together) return ofArm.map(({ seed, points }) => ({ arm, seed, points }));
    return [{ arm, seed: undefined, points: first!.points.map(([epoch], i): CurvePoint => [epoch, mean(ofArm.map(s => s.points[i]![1]))]) }];
  });
}

/** 1, 2 and 5 of every decade that the values span; Vega's own choice draws a line for each digit. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  return decades.flatMap(power => [1, 2, 5].map(digit => Number(`${digit}e${power}`))).filter(tick => tick >= low && tick <= high);
}

export function lineChart(chart: CurveChart, layout: Layout): TopLevelSpec {
  const entries = legend(chart);
  const labelOf = new Map(entries.map(entry => [entry.arm, entry.label]));
  const lines = chartLines(chart.series);
  const values = lines.flatMap(({ arm, seed, points }) =>
    points.map(([epoch, value]) => ({ arm: labelOf.get(arm)!, seed: seed ?? 'mean', epoch, value: scale(value, chart.unit) })),
  );
  const several = lines.length > entries.length;
  const short = Math.max(...chart.series.map(s => s.points.length)) <= 12;
  const domain = entries.map(entry => entry.label);
  const styles = entries.map(entry => armStyle(entry.index));
  const dashed = styles.some(style => style.dash.length > 0);
  const place = { orient: 'bottom', columns: layout === 'wide' ? 2 : 1 };
  const spec: object = {
    ...chartConfig(layout),
    ...SIZE[layout],
    title: { text: `${curveTitle(chart)}${lines.some(line => line.seed === undefined) ? ', mean over seeds' : ''}` },
    data: { values },
    mark: { type: 'line', strokeWidth: several ? 1.25 : 2, strokeJoin: 'round', ...(short ? { point: { size: 22, filled: true, opacity: 1 } } : {}) },
    encoding: {
      x: { field: 'epoch', type: 'quantitative', scale: { nice: false, zero: true }, axis: { title: 'epoch', grid: false, tickCount: 6 } },
      y: {
        field: 'value',
        type: 'quantitative',
        scale: chart.logarithmic ? { type: 'log', nice: false } : { zero: false, nice: true },
        axis: {
          title: null,
          domain: false,
          ticks: false,
          labelPadding: 8,
          ...(chart.logarithmic ? { values: logTicks(values.map(v => v.value)) } : { tickCount: 5 }),
        },
      },
      color: { field: 'arm', type: 'nominal', scale: { domain, range: styles.map(style => style.colour) }, legend: { ...place, symbolType: 'stroke', labelColor: palette.ink.light } },
      ...(dashed ? { strokeDash: { field: 'arm', type: 'nominal', scale: { domain, range: styles.map(style => (style.dash.length > 0 ? style.dash : [1, 0])) } } } : {}),
      detail: { field: 'seed', type: 'nominal' },
    },
  };
  return spec as TopLevelSpec;
}

/** The chart in words: what is drawn and where each line ends. */
export function lineChartAlt(chart: CurveChart): string {
  const lines = chartLines(chart.series);
  const labelOf = new Map(chart.series.map(s => [s.arm, s.label]));
  const seeds = new Set(chart.series.map(s => s.seed)).size;
  const name = ({ arm, seed }: Line): string => `${labelOf.get(arm)!}${seeds > 1 ? ` (${seed === undefined ? 'mean over seeds' : `seed ${seed}`})` : ''}`;
  const ends = lines.map(line => `${name(line)} ${formatValue(line.points.at(-1)![1], chart.unit)}`);
  return `Line chart of ${curveTitle(chart)} over epochs, ${plural(lines.length, 'line')}. Last values: ${ends.join('; ')}.`;
}
