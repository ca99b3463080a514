/** Training curves: a line per arm over epochs. */
import type { Line, LineChart } from './vega/chart.ts';
import { bothEnds, endsText } from './extremes.ts';
import { shownNumber } from './vega/numbers.ts';
import { STYLES } from './vega/palette.ts';
import { curveLines, type CurveLine } from '../model/curves.ts';
import { formatValue, plural } from '../../text/format.ts';
import type { CurveChart } from '../model/model.ts';

const curveTitle = (chart: CurveChart): string => `${chart.title}${chart.unit === 'fraction' ? ' (%)' : ''}`;

/** Of more arms only those whose last values are the highest and the lowest are drawn: no more can be told apart. */
function drawnLines({ series }: CurveChart): CurveLine[] {
  const lines = curveLines(series);
  const arms = [...new Set(lines.map(({ arm }) => arm))];
  const last = new Map(lines.map(({ arm, points }) => [arm, points.at(-1)![1]]));
  const drawn = new Set(bothEnds(arms, arm => last.get(arm), { most: STYLES }));
  return lines.filter(({ arm }) => drawn.has(arm));
}

/** Undefined where no line has two points. */
export function curveLineChart(chart: CurveChart): LineChart | undefined {
  const lines = drawnLines(chart);
  if (lines.every(({ points }) => points.length < 2)) return undefined;
  const all = [...new Map(chart.series.map(s => [s.arm, s])).values()];
  const arms = all.filter(({ arm }) => lines.some(line => line.arm === arm));
  const several = lines.length > arms.length;
  const grids = new GridList();
  return {
    kind: 'lines',
    x: { title: 'epoch' },
    series: arms.map(({ label, index }, i) => ({ label, style: arms.length < all.length ? i : index })),
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

/** Undefined where each line is a single run and all are drawn. */
export function curveCaption(chart: CurveChart): string | undefined {
  const [drawn, all] = [drawnLines(chart), curveLines(chart.series)].map(lines => new Set(lines.map(({ arm }) => arm)).size) as [number, number];
  const notes = [curveLines(chart.series).some(({ n }) => n > 1) ? 'Lines are means over seeds.' : '', endsText(drawn, all, 'arms', 'the table of values')].filter(Boolean);
  return notes.length === 0 ? undefined : notes.join(' ');
}

/** The chart in words: what is drawn and where each line ends. */
export function lineChartAlt(chart: CurveChart): string {
  const lines = drawnLines(chart);
  const labelOf = new Map(chart.series.map(s => [s.arm, s.label]));
  const seeds = new Set(chart.series.map(s => s.seed)).size;
  const name = ({ arm, seed }: CurveLine): string => `${labelOf.get(arm)!}${seeds > 1 ? ` (${seed === undefined ? 'mean over seeds' : `seed ${seed}`})` : ''}`;
  const ends = lines.map(line => `${name(line)} ${formatValue(line.points.at(-1)![1], chart.unit)}`);
  return `Line chart of ${curveTitle(chart)}${chart.logarithmic ? ', logarithmic,' : ''} over epochs, ${plural(lines.length, 'line')}. Last values: ${ends.join('; ')}.`;
}
