import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defineKind } from '../../../../src/core/ablation/define.ts';
import { loadExperiments } from '../../../../src/core/ablation/load.ts';
import { buildPlan } from '../../../../src/core/plan/plan.ts';
import { allocationFor, StageTimes } from '../../../../src/core/slurm/needs.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import { graft } from '../../../toy/kinds/graft.ts';
import { temporaryFolder, toyExperiments } from '../../../toy/sweep.ts';

const GIBI = 2 ** 30;
const experiments = await loadExperiments(toyExperiments, { profile: 'quick', only: 'cut', seeds: '0,1' });
const plan = buildPlan(experiments);
const { kinds } = experiments.study;
const keysOf = (kind: string): string[] => [...plan.stages.values()].flatMap(stage => (stage.kind === kind ? [stage.key] : []));

test('memory of an allocation is a power of two of gibibytes, for all its workers, where the kind has an estimate', () => {
  const [tree] = keysOf('graft');
  const of = (bytes: number, workers: number): number | undefined =>
    allocationFor([defineKind({ ...graft, memory: () => ({ shared: bytes, own: 0 }) }), ...kinds.filter(({ name }) => name !== 'graft')], plan, tree!, workers);
  expect(of(1e6, 1)).toBe(GIBI);
  expect(of(GIBI, 1)).toBe(2 * GIBI); // 1.25 + 0.75
  expect(of(GIBI + 1e6, 1)).toBe(4 * GIBI);
  expect(of(GIBI, 4)).toBe(8 * GIBI);
  expect(allocationFor(kinds, plan, keysOf('weigh')[0]!, 1)).toBeUndefined();
});

/** A stage that took so long. */
async function took(store: Store, key: string, seconds: number): Promise<void> {
  store.ensureStage(key, plan.stages.get(key)!, key);
  const acquired = await store.acquire(key, 'cpu:0');
  if (acquired.type !== 'acquired') throw new Error('expected the stage');
  const { attempt } = acquired;
  await attempt.commit({ height: 1 });
  attempt.close();
  const file = join(attempt.dir, 'attempt.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, created: '2026-01-01T00:00:00.000Z' }));
  appendFileSync(join(attempt.dir, 'state.jsonl'), `${JSON.stringify({ state: 'done', time: new Date(Date.UTC(2026, 0, 1) + 1000 * seconds).toISOString() })}\n`);
}

test('time of a job: its share of what is ready and the longest beside, with room; unknown as long as one shape is', async () => {
  const store = openStore(temporaryFolder('times'));
  const trees = plan.arms.filter(({ arm }) => arm === 'whole').map(({ stages }) => stages['tree']!);
  const [first, second] = trees;
  const times = new StageTimes(store, kinds, plan);
  expect(times.forJob(trees, 1)).toBeUndefined();
  expect(times.forJob([], 1)).toBeUndefined();
  await took(store, first!, 3600);
  times.finished(first!);
  expect(times.forJob([second!], 1)).toBe(1.5 * 7200);
  expect(times.forJob(trees, 2)).toBe(1.5 * (1800 * trees.length + 3600));
  expect(times.forJob([second!, keysOf('weigh')[0]!], 1)).toBeUndefined();
  // Whoever comes later knows them from the store; none is asked for less than half an hour.
  const [weigh, other] = plan.arms.filter(({ arm }) => arm === 'whole').map(({ stages }) => stages['weigh']!);
  await took(store, weigh!, 1);
  expect(new StageTimes(store, kinds, plan).forJob([second!], 1)).toBe(1.5 * 7200);
  expect(new StageTimes(store, kinds, plan).forJob([other!], 1)).toBe(1800);
});
