/** Two arms side by side: the numbers that they are compared by seed by seed, curves epoch by epoch. */
import type { ReportCurve, Study } from '../ablation/declaration.ts';
import { headlineMeasure, measuresOf, type Measure } from '../ablation/measures.ts';
import type { Plan } from '../plan/plan.ts';
import { collectRecords } from '../report/records/collect.ts';
import { difference, type Difference, type Replicates } from '../report/statistics/compare.ts';
import { pairItems, type PairedItems } from '../report/statistics/paired-items.ts';
import type { CurvePoint } from '../report/records/records.ts';
import { valueAt } from '../report/model/curves.ts';
import { placeRecords, replicates, type Placed } from '../report/model/usage.ts';
import type { StoreReader } from '../store/reader.ts';
import type { ChosenArm } from './arm.ts';

export interface CurveDifference extends Pick<ReportCurve, 'role' | 'metric' | 'title'> {
  /** Replicates behind the means. */
  readonly seeds: readonly number[];
  readonly epochs: readonly number[];
  /** Means at those epochs. */
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** Test items of one seed by which arms were right. */
export interface ItemDifference extends PairedItems {
  readonly seed: number;
}

/** Both arms by one number. */
export interface MeasuredBy {
  readonly measure: Measure;
  readonly a: Replicates;
  readonly b: Replicates;
  readonly difference: Difference | undefined;
  /** Of seeds whose test left the results of its items in both arms. */
  readonly items: readonly ItemDifference[];
}

export interface Measured {
  /** By the numbers that both ablations have, the first one's first. */
  readonly by: readonly MeasuredBy[];
  /** Curves that both arms have with a common seed. */
  readonly curves: readonly CurveDifference[];
}

/** What the store knows of both arms. */
export function measured(study: Study, plan: Plan, store: StoreReader, a: ChosenArm, b: ChosenArm): Measured {
  const arms = [...a.replicates, ...b.replicates];
  const keys = new Set(arms.flatMap(arm => Object.values(arm.stages)));
  const stages = new Map([...plan.stages].filter(([key]) => keys.has(key)));
  const records = collectRecords(study, { stages, arms: [...new Set(arms)] }, store);
  const placedOf = ({ replicates: [first] }: ChosenArm): readonly Placed[] => placeRecords(records, first!.ablation).get(first!.arm) ?? [];
  const [left, right] = [placedOf(a), placedOf(b)];
  const by = sharedMeasures(study, a, b).map((measure): MeasuredBy => {
    const [ofA, ofB] = [replicates(left, measure), replicates(right, measure)];
    return { measure, a: ofA, b: ofB, difference: difference(ofA, ofB), items: itemDifferences(ofA, ofB) };
  });
  return { by, curves: study.report.curves.flatMap(curve => curveDifference(curve, left, right) ?? []) };
}

/** Of two arms without a common number the headline. */
export function sharedMeasures(study: Study, a: ChosenArm, b: ChosenArm): readonly Measure[] {
  const names = new Set(measuresOf(study, b.declaration).map(({ name }) => name));
  const shared = measuresOf(study, a.declaration).filter(({ name }) => names.has(name));
  return shared.length === 0 ? [headlineMeasure(study)] : shared;
}

function itemDifferences(left: Replicates, right: Replicates): ItemDifference[] {
  return [...left].flatMap(([seed, a]) => {
    const [ofA, ofB] = [a.items?.(), right.get(seed)?.items?.()];
    const paired = ofA && ofB && pairItems(ofA, ofB);
    return paired === undefined ? [] : [{ seed, ...paired }];
  });
}

/** Points of a curve in the terminal. */
const POINTS = 24;

function curveDifference(curve: ReportCurve, left: readonly Placed[], right: readonly Placed[]): CurveDifference | undefined {
  const [a, b] = [left, right].map(
    placed =>
      new Map(
        placed.flatMap(({ role, seed, record }) => {
          const points = record.curves[curve.metric] ?? [];
          return role === curve.role && points.length > 0 ? [[seed, points] as const] : [];
        }),
      ),
  );
  const seeds = [...a!.keys()].filter(seed => b!.has(seed));
  if (seeds.length === 0) return undefined;
  const all = seeds.flatMap(seed => [a!.get(seed)!, b!.get(seed)!]);
  const from = Math.max(...all.map(points => points[0]![0])),
    to = Math.min(...all.map(points => points.at(-1)![0]));
  if (to < from) return undefined;
  const n = to === from ? 1 : Math.min(POINTS, Math.max(...all.map(points => points.length)));
  const epochs = Array.from({ length: n }, (_, i) => (n === 1 ? to : from + ((to - from) * i) / (n - 1)));
  const means = (of: ReadonlyMap<number, readonly CurvePoint[]>): number[] => epochs.map(epoch => seeds.reduce((sum, seed) => sum + valueAt(of.get(seed)!, epoch), 0) / seeds.length);
  const { role, metric, title } = curve;
  return { role, metric, title, seeds, epochs, a: means(a!), b: means(b!) };
}
