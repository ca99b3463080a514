import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MetricRecord, StageResult } from '../../../../../src/core/ablation/kind.ts';
import { loadExperiments, type Experiments } from '../../../../../src/core/ablation/load.ts';
import { buildPlan, stageLabel, type Plan } from '../../../../../src/core/plan/plan.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { collectProvenance, collectRecords } from '../../../../../src/core/report/records/collect.ts';
import { parseRecords, serializeRecords } from '../../../../../src/core/report/records/records.ts';
import { openStore, type Store } from '../../../../../src/core/store/store.ts';

let dir: string;
let store: Store;
let experiments: Experiments;
let plan: Plan;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'report-store-'));
  store = openStore(dir);
  experiments = await loadExperiments(fileURLToPath(new URL('../../../../toy/experiments', import.meta.url)), { profile: 'quick', only: 'variety', seeds: '0,1' });
  plan = buildPlan(experiments);
});
afterEach(() => rmSync(dir, { recursive: true }));

async function begin(key: string) {
  const stage = plan.stages.get(key)!;
  const { kind, revision, recipe, seed, upstream } = stage;
  store.ensureStage(key, { kind, revision, recipe, seed, upstream }, stageLabel(stage));
  const acquired = await store.acquire(key, 'cpu:0');
  if (acquired.type !== 'acquired') throw new Error(`expected to acquire ${key}`);
  acquired.attempt.claim();
  return acquired.attempt;
}

async function finish(key: string, result: StageResult, metrics: readonly MetricRecord[] = []): Promise<void> {
  const attempt = await begin(key);
  for (const record of metrics) attempt.metric(record);
  attempt.provenance({ engine: 'none', host: hostname() });
  expect(await attempt.commit(result)).toBe(true);
}

const keyOf = (arm: string, seed: number, role: string): string => plan.arms.find(a => a.arm === arm && a.seed === seed)!.stages[role]!;

test('an empty store has no records', () => expect(collectRecords(experiments.study, plan, store)).toEqual([]));

test('a finished stage becomes a record with its uses, curve, cost and the hash of its result', async () => {
  const key = keyOf('oak', 1, 'tree');
  await finish(
    key,
    { height: 3 },
    [1, 2, 3].map(step => ({ step, epoch: step / 3, height: step, pace: 9 })),
  );
  const [record, ...others] = collectRecords(experiments.study, plan, store);
  expect(others).toEqual([]);
  expect(record).toMatchObject({
    key,
    kind: 'graft',
    seed: 1,
    state: 'done',
    uses: [{ ablation: 'variety', arm: 'oak', seed: 1, role: 'tree' }],
    result: { height: 3 },
    cost: plan.stages.get(key)!.cost,
    curves: {
      height: [
        [0.3333, 1],
        [0.6667, 2],
        [1, 3],
      ],
    },
    resultSha256: createHash('sha256')
      .update(readFileSync(join(store.attemptDir(key, 1), 'result.json')))
      .digest('hex'),
  });
  expect(parseRecords(serializeRecords([record!]))).toEqual([record]);
});

test('a stage in two places is one record with both, each under its role', async () => {
  // At seed 0 the oak on its own root is the very stock that the others are grafted on.
  const key = keyOf('own-root', 0, 'tree');
  expect(key).toBe(keyOf('oak', 0, 'stock'));
  await finish(key, { height: 1 });
  const uses = collectRecords(experiments.study, plan, store)[0]!.uses;
  expect(uses.map(u => `${u.arm}/${u.seed}/${u.role}`).sort()).toEqual(['oak/0/stock', 'oak/1/stock', 'own-root/0/tree']);
});

test('a failed stage keeps its reason without paths and host; a running one has no record', async () => {
  const failed = await begin(keyOf('oak', 0, 'tree'));
  failed.record({ state: 'failed', code: 'X', reason: `cannot read ${dir}/data/trees.gz\non ${hostname()}`, permanent: true });
  await begin(keyOf('elm', 0, 'tree'));
  const records = collectRecords(experiments.study, plan, store);
  expect(records.map(r => [r.state, r.reason])).toEqual([['failed', 'cannot read …/trees.gz on host']]);
});

test('from store to report: measured, failed and missing arms', async () => {
  for (const seed of [0, 1]) await finish(keyOf('oak', seed, 'weigh'), { weight: 0.5 + seed / 10, weight_se: 0.01 });
  (await begin(keyOf('elm', 0, 'tree'))).record({ state: 'failed', code: 'X', reason: 'blight', permanent: true });
  const { study, profile, ablations } = experiments;
  const report = buildReport({ study, profile: { ...profile, seeds: [0, 1] }, ablations: ablations.map(a => a.declaration), records: collectRecords(study, plan, store) });
  expect(report.ablations[0]!.rows.map(row => [row.name, row.state, row.measured?.n])).toEqual([
    ['oak', 'done', 2],
    ['elm', 'failed', undefined],
    ['own-root', 'missing', undefined],
  ]);
  expect(report.ablations[0]!.failures).toEqual([expect.objectContaining({ reason: 'blight', arms: ['Elm'] })]);
  expect(Object.values(collectProvenance(plan, store))).toEqual(Array(2).fill(expect.objectContaining({ kind: 'weigh', engine: 'none' })));
});
