/** Training curves: a line per arm and seed over epochs. */
import type { Line, LineChart } from './charts/chart.ts';
import { shownNumber } from './charts/numbers.ts';
import { formatValue, plural } from './format.ts';
import type { CurveChart, CurveSeries } from './model.ts';
import type { CurvePoint } from './records.ts';
import { mean } from './statistics.ts';

const curveTitle = (chart: CurveChart): string => `${chart.title}${chart.unit === 'fraction' ? ' (%)' : ''}`;

/** A line of the chart: several seeds of an arm become their mean where they were recorded at the same epochs. */
interface CurveLine {
  readonly arm: string;
  /** Undefined for a mean. */
  readonly seed: number | undefined;
  readonly points: readonly CurvePoint[];
}

export function chartLines(series: readonly CurveSeries[]): CurveLine[] {
  const byArm = new Map<string, CurveSeries[]>();
  for (const s of series) byArm.set(s.arm, [...(byArm.get(s.arm) ?? []), s]);
  return [...byArm].flatMap(([arm, ofArm]): CurveLine[] => {
    const [first, ...others] = ofArm;
    const together = others.length > 0 && others.every(({ points }) => points.length === first!.points.length && points.every(([epoch], i) => epoch === first!.points[i]![0]));
    if (!together) return ofArm.map(({ seed, points }) => ({ arm, seed, points }));
    return [{ arm, seed: undefined, points: first!.points.map(([epoch], i): CurvePoint => [epoch, mean(ofArm.map(s => s.points[i]![1]))]) }];
  });
}

export function curveLineChart(chart: CurveChart): LineChart {
  const arms = [...new Map(chart.series.map(s => [s.arm, s])).values()];
  const lines = chartLines(chart.series);
  const several = lines.length > arms.length;
  const grids = new GridList();
  const title = `${curveTitle(chart)}${lines.some(line => line.seed === undefined) ? ', mean over seeds' : ''}`;
  return {
    kind: 'lines',
    x: { title: 'epoch' },
    series: arms.map(({ label, index }) => ({ label, style: index })),
    panels: [
      {
        title,
        format: chart.unit,
        lines: lines.map(({ arm, seed, points }): Line => ({
          series: arms.findIndex(s => s.arm === arm),
          ...(several && seed !== undefined ? { name: `seed ${seed}` } : {}),
          grid: grids.add(points.map(([epoch]) => epoch)),
          y: points.map(([, value]) => shownNumber(value, chart.unit)),
        })),
      },
    ],
    grids: grids.all,
    log: chart.logarithmic,
  };
}

/** Lists of places, each kept once. */
class GridList {
  readonly all: number[][] = [];
  readonly #known = new Map<string, number>();

  add(places: readonly number[]): number {
    const text = places.join();
    const known = this.#known.get(text) ?? this.all.push([...places]) - 1;
    this.#known.set(text, known);
    return known;
  }
}

/** The chart in words: what is drawn and where each line ends. */
export function lineChartAlt(chart: CurveChart): string {
  const lines = chartLines(chart.series);
  const labelOf = new Map(chart.series.map(s => [s.arm, s.label]));
  const seeds = new Set(chart.series.map(s => s.seed)).size;
  const name = ({ arm, seed }: CurveLine): string => `${labelOf.get(arm)!}${seeds > 1 ? ` (${seed === undefined ? 'mean over seeds' : `seed ${seed}`})` : ''}`;
  const ends = lines.map(line => `${name(line)} ${formatValue(line.points.at(-1)![1], chart.unit)}`);
  return `Line chart of ${curveTitle(chart)}${chart.logarithmic ? ', logarithmic,' : ''} over epochs, ${plural(lines.length, 'line')}. Last values: ${ends.join('; ')}.`;
}
