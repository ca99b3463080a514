/** Training curves of one ablation: which arms appear, and on which scale. */
import type { Study } from '../../ablation/declaration.ts';
import type { Unit } from '../../text/format.ts';
import type { CurveChart, CurveSeries } from './model.ts';
import type { CurvePoint } from '../records/records.ts';
import { mean, sampleStd } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { curveFigureId } from './file-names.ts';
import type { Placed } from './usage.ts';

/** Losses that differ by more than this factor are drawn on a logarithmic axis: targets with and without softmax do. */
const LOGARITHMIC_FROM = 30;

interface CurveArm {
  readonly declaration: { readonly name: string };
  readonly label: string;
  readonly placed: readonly Placed[];
}

/** Charts of an ablation in the order of the study's curves; a curve that no arm has gives no chart. */
export function curveCharts(study: Study, ablation: string, arms: readonly CurveArm[]): CurveChart[] {
  return study.report.curves.flatMap(({ role, metric, title }) => {
    const series = arms.flatMap((arm, index) => armSeries(arm, index, role, metric));
    if (series.length === 0) return [];
    const unit = curveUnit(study, arms, role, metric);
    const logarithmic = unit === 'loss' && spansDecades(series);
    return [{ id: curveFigureId(ablation, { role, metric, title }), title: oneLine(title), role, metric, unit, logarithmic, series }];
  });
}

/** A stage that several replicates share gives one line. */
function armSeries(arm: CurveArm, index: number, role: string, metric: string): CurveSeries[] {
  const drawn = new Set<string>();
  return arm.placed.flatMap(({ role: place, seed, record }) => {
    const points = record.curves[metric] ?? [];
    if (place !== role || points.length === 0 || drawn.has(record.key)) return [];
    drawn.add(record.key);
    return [{ arm: arm.declaration.name, label: arm.label, index, seed, points }];
  });
}

/** A metric of `metrics.jsonl` has the unit of the result's metric of the same name; without one it is a loss. */
function curveUnit(study: Study, arms: readonly CurveArm[], role: string, metric: string): Unit {
  const kind = arms.flatMap(arm => arm.placed).find(placed => placed.role === role)?.record.kind;
  return study.kinds.find(k => k.name === kind)?.metrics[metric]?.unit ?? 'loss';
}

function spansDecades(series: readonly CurveSeries[]): boolean {
  const values = series.flatMap(s => s.points.map(point => point[1]));
  const low = Math.min(...values);
  return low > 0 && Math.max(...values) / low > LOGARITHMIC_FROM;
}

/** A line of a chart: several seeds of an arm become their mean where they were recorded at the same epochs. */
export interface CurveLine {
  readonly arm: string;
  /** Of the only seed that it stands for; undefined for a mean. */
  readonly seed: number | undefined;
  /** Seeds that it stands for. */
  readonly n: number;
  readonly points: readonly CurvePoint[];
  /** Of a mean: sample standard deviation over the seeds, at each point. */
  readonly spread: readonly number[] | undefined;
}

/** Lines of a chart in the order of its arms. */
export function curveLines(series: readonly CurveSeries[]): CurveLine[] {
  const byArm = new Map<string, CurveSeries[]>();
  for (const s of series) byArm.set(s.arm, [...(byArm.get(s.arm) ?? []), s]);
  return [...byArm].flatMap(([arm, ofArm]) => (recordedTogether(ofArm) ? [meanLine(arm, ofArm)] : ofArm.map(({ seed, points }) => ({ arm, seed, n: 1, points, spread: undefined }))));
}

function recordedTogether([first, ...others]: readonly CurveSeries[]): boolean {
  const epochs = first!.points.map(([epoch]) => epoch);
  return others.length > 0 && others.every(({ points }) => points.length === epochs.length && points.every(([epoch], i) => epoch === epochs[i]));
}

function meanLine(arm: string, series: readonly CurveSeries[]): CurveLine {
  const values = series[0]!.points.map((_, i) => series.map(({ points }) => points[i]![1]));
  const points = series[0]!.points.map(([epoch], i): CurvePoint => [epoch, mean(values[i]!)]);
  return { arm, seed: undefined, n: series.length, points, spread: values.map(sampleStd) };
}

/** Place of a point at a share of a curve (0: first point, 1: last), for tables. */
export const placeAt = (points: readonly CurvePoint[], share: number): number => Math.round(share * (points.length - 1));

/** On the straight line between the points around `epoch`, which lies within the curve. */
export function valueAt(points: readonly CurvePoint[], epoch: number): number {
  const i = points.findIndex(([e]) => e >= epoch);
  const [e1, v1] = points[i === -1 ? points.length - 1 : i]!;
  const [e0, v0] = points[Math.max(0, (i === -1 ? points.length : i) - 1)]!;
  return e1 === e0 ? v1 : v0 + ((v1 - v0) * (epoch - e0)) / (e1 - e0);
}
