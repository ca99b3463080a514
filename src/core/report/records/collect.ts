/** Store -> records: the only place where the report reads a store. */
import { hostname } from 'node:os';
import type { Study } from '../../ablation/declaration.ts';
import type { JsonObject, MetricRecord } from '../../ablation/kind.ts';
import { buildPlan, type Plan, type PlannedStage, type PlanRequest } from '../../plan/plan.ts';
import type { StoreReader } from '../../store/reader.ts';
import { sameScale } from '../../store/sweeps.ts';
import { hashOfItems } from './items.ts';
import type { ReportProvenance } from './provenance.ts';
import { cutCurve, hashOfCode, sortRecords, type CurvePoint, type RecordUse, type ReportRecord } from './records.ts';
import { oneLine, redact, shorten } from '../../text/clean.ts';

/** Long enough for a message, too short for a stack of them. */
const REASON_LENGTH = 300;

/**
 * The plan of the declared arms that a store may hold: at the seeds that its sweeps were asked for, the profile's where none was recorded.
 * @param overrides of the profile, `path=json`
 * @param seeds further ones
 */
export function planOfStore({ study, profile, overrides, ablations }: Omit<PlanRequest, 'seeds'> & { readonly overrides: readonly string[] }, store: StoreReader, seeds: readonly number[] = []): Plan {
  const swept = store.sweeps().filter(sweep => sameScale(sweep, { study: study.name, profile: profile.name, overrides }));
  const asked = [...seeds, ...swept.flatMap(sweep => sweep.seeds)];
  return buildPlan({ study, profile, ablations, seeds: [...new Set(asked.length > 0 ? asked : profile.seeds)].sort((a, b) => a - b) });
}

/**
 * Records of all stages of the plan that are done or failed; a stage that is running, interrupted or absent has none, so
 * that the records change with results only.
 */
export function collectRecords(study: Study, plan: Plan, store: StoreReader): ReportRecord[] {
  const uses = usesByKey(plan);
  const records = [...plan.stages.values()].flatMap(stage => {
    const record = collectStage(study, stage, uses.get(stage.key) ?? [], store);
    return record === undefined ? [] : [record];
  });
  return sortRecords(records);
}

/** Every place where an arm of the plan needs a stage, by its key. */
export function usesByKey(plan: Plan): Map<string, RecordUse[]> {
  const uses = new Map<string, RecordUse[]>();
  for (const { ablation, arm, seed, stages } of plan.arms) {
    for (const [role, key] of Object.entries(stages)) {
      const ofKey = uses.get(key) ?? [];
      ofKey.push({ ablation, arm, seed, role });
      uses.set(key, ofKey);
    }
  }
  return uses;
}

function collectStage(study: Study, stage: PlannedStage, uses: RecordUse[], store: StoreReader): ReportRecord | undefined {
  const state = store.state(stage.key);
  if (uses.length === 0 || (state.state !== 'done' && state.state !== 'failed')) return undefined;
  const { key, kind, seed, cost } = stage;
  const shared = { key, kind, seed, uses, cost };
  if (state.state === 'failed') {
    const reason = shorten(oneLine(redact(state.reason, hostname())), REASON_LENGTH);
    return { ...shared, state: 'failed', reason, result: {}, curves: {} };
  }
  return {
    ...shared,
    state: 'done',
    result: store.result(key) ?? {},
    curves: collectCurves(study, new Set(uses.map(use => use.role)), store.curve(key)),
    resultSha256: store.resultSha256(key, state.attempt),
    ...itemFields(store.itemBytes(key, state.attempt)),
    codeHash: hashOfCode.safeParse(store.provenance(key)?.['code_hash']).data,
  };
}

const itemFields = (bytes: Uint8Array | undefined): Pick<ReportRecord, 'items' | 'itemsSha256'> =>
  bytes === undefined ? {} : { itemsSha256: hashOfItems(bytes), items: Buffer.from(bytes).toString('base64') };

/** The curves that the study's report draws for one of these roles. */
function collectCurves(study: Study, roles: ReadonlySet<string>, records: readonly MetricRecord[]): Record<string, CurvePoint[]> {
  const metrics = new Set(study.report.curves.filter(curve => roles.has(curve.role)).map(curve => curve.metric));
  const curves = [...metrics].map(metric => {
    const points = records.flatMap((record): CurvePoint[] => {
      const value = record[metric];
      return value === undefined ? [] : [[record.epoch, value]];
    });
    return [metric, cutCurve(points)] as const;
  });
  return Object.fromEntries(curves.filter(([, points]) => points.length > 0));
}

/** What the attempts behind the finished stages of the plan recorded about themselves. */
export function collectProvenance(plan: Plan, store: StoreReader): ReportProvenance {
  const facts = [...plan.stages.values()].flatMap(({ key, kind }) => {
    const ofAttempt = store.provenance(key);
    return ofAttempt === undefined ? [] : [[key, { kind, ...(ofAttempt as JsonObject) }] as const];
  });
  return Object.fromEntries(facts);
}
