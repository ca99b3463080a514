/** Workers that memory does not suffice for, with real processes: half the micro-batch, from their checkpoint, to the same end. */
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import { kernelKills } from '../../src/core/runner/out-of-memory.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterAll(endSweeps);

const treeOf = (plan: Plan, arm: string): string => plan.arms.find(a => a.arm === arm)!.stages['tree']!;
const optionsFor = (...arms: string[]) => ({ declarations: 'hardship', profile: 'quick', only: arms.map(arm => `hardship/${arm}`).join(), devices: 'cpu:1x1', store: temporaryFolder('memory') });

/** Tries that one killed as it was costs: where the kernel counts, a kill that it knows nothing of is first put down to somebody else. */
const AS_IT_WAS = kernelKills() === undefined ? 1 : 2;

test.concurrent.each([
  ['starve', AS_IT_WAS],
  ['exhaust', 1],
] as const)('%s: goes on from its checkpoint with half the micro-batch, which its provenance says', async (arm, tries) => {
  const options = optionsFor(arm, 'sound');
  const plan = await toyPlan(options);
  const [key, sound] = [treeOf(plan, arm), treeOf(plan, 'sound')];
  const sweep = startSweep(options);
  expect((await sweep.summary)!.failed).toEqual([]);
  const store = openStoreReadOnly(options.store);
  expect(store.state(key)).toEqual({ state: 'done', attempt: tries + 1 });
  expect(store.provenance(key)).toMatchObject({ stage: { micro_batches: 2 } });
  expect(store.provenance(sound)).not.toHaveProperty('stage.micro_batches');
  expect(readFileSync(store.logFile(key, tries + 1), 'utf8')).toMatch(/2 times as many micro-batches[^]*continuing from step [34]/);
  expect(store.curve(key).map(r => r.step)).toEqual([1, 2, 3, 4, 5]);
  expect(store.result(key)).toEqual(store.result(sound));
  expect(sweep.events.flatMap(e => (e.type === 'retry' ? [e.microBatches] : []))).toEqual([...Array<number>(tries - 1).fill(1), 2]);
  if (arm === 'exhaust') expect(store.states(key, 1).at(-1)).toMatchObject({ state: 'failed', code: 'OUT_OF_MEMORY', permanent: false });
});

test.concurrent('in a pack: its neighbours are done as they were, each by itself', async () => {
  const options = optionsFor('tall', 'small', 'starved');
  const plan = await toyPlan(options);
  const sweep = startSweep(options);
  expect((await sweep.summary)!.failed).toEqual([]);
  const store = openStoreReadOnly(options.store);
  expect(sweep.events.some(e => e.type === 'started' && e.pack.length === 3)).toBe(true);
  for (const arm of ['tall', 'small']) {
    expect(store.state(treeOf(plan, arm))).toEqual({ state: 'done', attempt: 2 });
    expect(store.provenance(treeOf(plan, arm))).not.toHaveProperty('stage.micro_batches');
  }
  expect(store.provenance(treeOf(plan, 'starved'))).toMatchObject({ stage: { micro_batches: 2 } });
});
