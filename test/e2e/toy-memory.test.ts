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

/** A bed takes 8 MB for what it shares, divided by its micro-batches, and 1 MB for each tree; 85 % of a card may be filled. */
test.concurrent('on a GPU: the micro-batches come from the estimate, before anything fails, also in packs, which its memory sizes', async () => {
  const options = { profile: 'quick', only: 'side-by-side/tall,side-by-side/middle,side-by-side/small', store: temporaryFolder('card'), devices: 'gpu:0x2', cardMemory: (2 * 6.1e6) / 0.85 };
  const plan = await toyPlan(options);
  const sweep = startSweep(options);
  expect((await sweep.summary)!.failed).toEqual([]);
  expect(sweep.events.filter(e => e.type === 'retry')).toEqual([]);
  const store = openStoreReadOnly(options.store);
  const trees = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
  for (const key of trees) {
    const facts = store.provenance(key)!;
    expect(facts).toMatchObject({ stage: { micro_batches: 2 }, environment: { TINYMIM_GPU_MEMORY_FRACTION: '0.45', CUDA_VISIBLE_DEVICES: '0' } });
    expect(readFileSync(store.logFile(key, 1), 'utf8')).toContain('2 times as many micro-batches');
  }
  // 4 + 2 of 6.1 MB: three do not fit.
  const packs = sweep.events.flatMap(e => (e.type === 'started' && trees.includes(e.key) ? [e.pack.length] : []));
  expect(Math.max(...packs)).toBe(2);
  // What computes on the CPU is as it was.
  const cpu = { ...options, devices: 'cpu:1x1', store: temporaryFolder('card') };
  expect((await startSweep(cpu).summary)!.failed).toEqual([]);
  const onCpu = openStoreReadOnly(cpu.store);
  for (const key of trees) {
    expect(onCpu.provenance(key)).not.toHaveProperty('stage.micro_batches');
    expect(onCpu.result(key)).toEqual(store.result(key));
  }
});

test.concurrent.each([
  ['no-context', 'GPU_CONTEXT', 'another process holds the card'],
  ['no-blas', 'GPU_BLAS', 'cuBLAS did not start'],
])('%s: tried once more as it was, since no smaller batch mends it; then it fails with its own remedy', async (arm, code, remedy) => {
  const options = optionsFor(arm);
  const key = treeOf(await toyPlan(options), arm);
  const sweep = startSweep(options);
  expect((await sweep.summary)!.failed).toMatchObject([{ key, code, reason: expect.stringContaining(remedy) as string }]);
  expect(sweep.events.flatMap(e => (e.type === 'retry' ? [e.microBatches] : []))).toEqual([1]);
  expect(openStoreReadOnly(options.store).provenance(key)).not.toHaveProperty('stage.micro_batches');
});
