/** Training curves of one ablation: which arms appear, and on which scale. */
import type { Study } from '../ablation/declaration.ts';
import type { Unit } from './format.ts';
import type { CurveChart, CurveSeries } from './model.ts';
import type { CurvePoint } from './records.ts';
import { oneLine, slug } from './text.ts';
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
    return [{ id: slug(`${ablation}-${role}-${metric}`), title: oneLine(title), role, metric, unit, logarithmic, series }];
  });
}

function armSeries(arm: CurveArm, index: number, role: string, metric: string): CurveSeries[] {
  return arm.placed.flatMap(placed => {
    const points = placed.record.curves[metric] ?? [];
    if (placed.role !== role || points.length === 0) return [];
    return [{ arm: arm.declaration.name, label: arm.label, index, seed: placed.seed, points }];
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

/** Value of a curve at a share of its length (0: first point, 1: last), for tables. */
export function at(points: readonly CurvePoint[], share: number): CurvePoint {
  return points[Math.round(share * (points.length - 1))]!;
}
