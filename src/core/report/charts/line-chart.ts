/** Training curves: a line per arm over epochs. */
import type { Line, LineChart } from './vega/chart.ts';
import { shownNumber } from './vega/numbers.ts';
import { curveLines, type CurveLine } from '../model/curves.ts';
import { formatValue, plural } from '../../text/format.ts';
import type { CurveChart } from '../model/model.ts';

const curveTitle = (chart: CurveChart): string => `${chart.title}${chart.unit === 'fraction' ? ' (%)' : ''}`;

export function curveLineChart(chart: CurveChart): LineChart {
  const arms = [...new Map(chart.series.map(s => [s.arm, s])).values()];
  const lines = curveLines(chart.series);
  const several = lines.length > arms.length;
  const grids = new GridList();
  return {
    kind: 'lines',
    x: { title: 'epoch' },
    series: arms.map(({ label, index }) => ({ label, style: index })),
    panels: [
      {
        title: curveTitle(chart),
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

/** Undefined where each line is a single run. */
export const curveCaption = ({ series }: CurveChart): string | undefined => (curveLines(series).some(({ n }) => n > 1) ? 'Lines are means over seeds.' : undefined);

/** The chart in words: what is drawn and where each line ends. */
export function lineChartAlt(chart: CurveChart): string {
  const lines = curveLines(chart.series);
  const labelOf = new Map(chart.series.map(s => [s.arm, s.label]));
  const seeds = new Set(chart.series.map(s => s.seed)).size;
  const name = ({ arm, seed }: CurveLine): string => `${labelOf.get(arm)!}${seeds > 1 ? ` (${seed === undefined ? 'mean over seeds' : `seed ${seed}`})` : ''}`;
  const ends = lines.map(line => `${name(line)} ${formatValue(line.points.at(-1)![1], chart.unit)}`);
  return `Line chart of ${curveTitle(chart)}${chart.logarithmic ? ', logarithmic,' : ''} over epochs, ${plural(lines.length, 'line')}. Last values: ${ends.join('; ')}.`;
}
