/** Which records belong to which arm of one ablation. */
import type { MeasureDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import type { MetricSpec, StageCost } from '../../ablation/kind.ts';
import type { Measure } from '../../ablation/measures.ts';
import type { ShownMeasure } from './measure.ts';
import type { Replicate } from '../statistics/compare.ts';
import { itemsOf } from '../records/items.ts';
import { byText, RecordError, type ReportRecord } from '../records/records.ts';
import { oneLine } from '../../text/clean.ts';

/** A record in its place within an arm. */
export interface Placed {
  readonly role: string;
  /** Seed of the replicate. */
  readonly seed: number;
  readonly record: ReportRecord;
}

/** Records of each arm of an ablation, by arm name; in order of seed, then role. */
export function placeRecords(records: readonly ReportRecord[], ablation: string): ReadonlyMap<string, readonly Placed[]> {
  const placed = new Map<string, Placed[]>();
  for (const record of records) {
    for (const use of record.uses) {
      if (use.ablation !== ablation) continue;
      const ofArm = placed.get(use.arm) ?? [];
      ofArm.push({ role: use.role, seed: use.seed, record });
      placed.set(use.arm, ofArm);
    }
  }
  for (const ofArm of placed.values()) ofArm.sort((a, b) => a.seed - b.seed || byText(a.role, b.role));
  return placed;
}

/**
 * A number of a finished stage.
 * @throws RecordError when the result has no such number.
 */
export function resultNumber(record: ReportRecord, metric: string): number {
  const value = record.result[metric];
  if (typeof value === 'number') return value;
  throw new RecordError(
    'RESULT_METRIC',
    `Expected a number '${metric}' in the result of ${record.kind} ${record.key}, got ${JSON.stringify(value)}. It has: ${Object.keys(record.result).join(', ') || 'nothing'}.`,
  );
}

/** The number of every seed that has one. */
export function replicates(placed: readonly Placed[], measure: MeasureDeclaration): Map<number, Replicate> {
  const finished = placed.filter(p => p.role === measure.role && p.record.state === 'done');
  return new Map(finished.map(({ seed, record }) => [seed, replicate(record, measure)]));
}

/** The number of every seed of these arms (`ablation/arm`, of any ablation), by arm; arms without one are left out. */
export function replicatesOfArms(records: readonly ReportRecord[], measure: MeasureDeclaration, arms: ReadonlySet<string>): ReadonlyMap<string, Map<number, Replicate>> {
  const byArm = new Map<string, Map<number, Replicate>>();
  for (const record of records) {
    if (record.state !== 'done') continue;
    for (const { ablation, arm, seed, role } of record.uses) {
      const name = `${ablation}/${arm}`;
      if (role !== measure.role || !arms.has(name)) continue;
      const ofArm = byArm.get(name) ?? new Map<number, Replicate>();
      byArm.set(name, ofArm.set(seed, replicate(record, measure)));
    }
  }
  return byArm;
}

/** The number of a finished stage that gives it. */
export function replicate(record: ReportRecord, { metric, standardError }: MeasureDeclaration): Replicate {
  let items: boolean[] | undefined;
  return {
    value: resultNumber(record, metric),
    standardError: resultNumber(record, standardError),
    // One arm is compared with many.
    ...(record.items === undefined ? {} : { items: () => (items ??= itemsOf(record)) }),
  };
}

/** Kinds whose code has changed since these results were measured: `distill 2 (now 3)`; undefined where none has. */
export function earlierText(study: Study, records: readonly ReportRecord[]): string | undefined {
  const revisions = records.flatMap(({ state, earlierRevisions = {} }) => (state === 'done' ? Object.entries(earlierRevisions) : []));
  const texts = revisions.map(([name, revision]) => `${oneLine(name)} ${revision} (now ${study.kinds.find(kind => kind.name === name)?.revision ?? 'none'})`);
  return texts.length === 0 ? undefined : [...new Set(texts)].sort(byText).join(', ');
}

/**
 * What stages of these roles spend in the arm's first complete replicate; replicates of an arm spend the same. Undefined where none is complete.
 * @param isOf whether a role is among them
 */
export function replicateCost(placed: readonly Placed[], headlineRole: string, isOf: (role: string) => boolean): StageCost | undefined {
  const first = placed.find(p => p.role === headlineRole && p.record.state === 'done');
  if (first === undefined) return undefined;
  const own = new Map(placed.filter(p => p.seed === first.seed && isOf(p.role)).map(p => [p.record.key, p.record.cost]));
  return [...own.values()].reduce(
    (sum, cost) => ({
      labelledImages: sum.labelledImages + cost.labelledImages,
      unlabelledImages: sum.unlabelledImages + cost.unlabelledImages,
      flops: sum.flops + cost.flops,
    }),
    { labelledImages: 0, unlabelledImages: 0, flops: 0 },
  );
}

/** A number as a report shows it. */
export function shownMeasure(study: Study, profile: ProfileBase, records: readonly ReportRecord[], { name, role, metric }: Measure): ShownMeasure {
  const spec = metricSpec(study, records, role, metric);
  return { name, label: oneLine(study.report.measures?.[name]?.label?.(profile) ?? spec?.label ?? metric), unit: spec?.unit ?? 'ratio', better: spec?.better ?? 'higher' };
}

/** The metric of a study's kinds by name, preferring the kind that a record of the role has. */
export function metricSpec(study: Study, records: readonly ReportRecord[], role: string, metric: string): MetricSpec | undefined {
  const kind = records.find(record => record.uses.some(use => use.role === role))?.kind;
  const kinds = kind === undefined ? study.kinds : study.kinds.filter(k => k.name === kind);
  return kinds.map(k => k.metrics[metric]).find(spec => spec !== undefined);
}
