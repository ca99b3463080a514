/** A report of the real declarations with every stage of every seed, generated: as large as a report of them gets. Nothing here was measured. */
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../../src/core/ablation/kind.ts';
import { loadEveryAblation, loadExperiments } from '../../../src/core/ablation/load.ts';
import { buildPlan, type PlannedStage } from '../../../src/core/plan/plan.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import { usesByKey } from '../../../src/core/report/records/collect.ts';
import { CURVE_POINTS, cutCurve, type CurvePoint, type ReportRecord } from '../../../src/core/report/records/records.ts';
import { stream } from '../../../src/engine/random/rng.ts';
import { sampleKey } from './sample.ts';

const EXPERIMENTS = fileURLToPath(new URL('../../../experiments', import.meta.url));
const TEST_IMAGES = 10_000;

/** @param seeds absent: those of the profile */
export async function wholeInput(profile: string, seeds?: readonly number[]): Promise<ReportInput> {
  const loaded = await loadExperiments(EXPERIMENTS, { profile });
  const { study } = loaded;
  const whole = await loadEveryAblation(EXPERIMENTS, study);
  const plan = buildPlan({ study, profile: loaded.profile, ablations: whole, seeds: seeds ?? loaded.seeds });
  const uses = usesByKey(plan);
  const records = [...plan.stages.values()].map(stage => stageRecord(stage, uses.get(stage.key)!, study));
  return { study, profile: { ...loaded.profile, seeds: seeds ?? loaded.seeds }, ablations: whole.map(({ declaration }) => declaration), expanded: whole, records };
}

function stageRecord({ key, kind, seed, cost, recipe }: PlannedStage, uses: ReportRecord['uses'], { report, kinds }: ReportInput['study']): ReportRecord {
  const normal = (purpose: string): number => stream(seed, `whole/${key}/${purpose}`, 0).normal();
  const accuracy = Math.round(TEST_IMAGES * (0.86 + 0.01 * normal('accuracy'))) / TEST_IMAGES;
  const loss = Math.exp(normal('loss'));
  const numbers = Object.entries(kinds.find(({ name }) => name === kind)!.metrics).map(
    ([name, { unit }]) => [name, unit === 'fraction' ? accuracy + 0.02 * normal(name) : unit === 'count' ? TEST_IMAGES : loss] as const,
  );
  const tested = { accuracy, accuracy_se: Math.sqrt((accuracy * (1 - accuracy)) / TEST_IMAGES), correct: TEST_IMAGES * accuracy };
  const result = { ...Object.fromEntries(numbers), ...(kind === 'evaluate' ? tested : {}) };
  const roles = new Set(uses.map(({ role }) => role));
  const metrics = new Set(report.curves.filter(({ role }) => roles.has(role)).map(({ metric }) => metric));
  const curves = [...metrics].map(metric => [metric, curve(key, seed, epochsOf(recipe), metric === 'loss' ? 3 * loss : 0.5, metric === 'loss' ? loss : accuracy)] as const);
  return { key, kind, seed, state: 'done', uses, cost, result, curves: Object.fromEntries(curves), resultSha256: sampleKey(key, 'result') };
}

function epochsOf(recipe: JsonObject): number {
  const { schedule } = recipe as { readonly schedule?: { readonly epochs: number } };
  return schedule?.epochs ?? 1;
}

function curve(key: string, seed: number, epochs: number, start: number, end: number): CurvePoint[] {
  const steps = 2 * CURVE_POINTS;
  const noise = stream(seed, `whole/${key}/curve`, 0).normals(steps);
  return cutCurve(
    Array.from({ length: steps }, (_, i): CurvePoint => {
      const share = (i + 1) / steps;
      return [share * epochs, end + (start - end) * (Math.exp(-6 * share) + 0.01 * noise[i]!)];
    }),
  );
}
