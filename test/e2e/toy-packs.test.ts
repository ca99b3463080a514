/** Stages side by side in living workers: whole sweeps of the toy study with real processes, undisturbed and disturbed. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { RunEvent } from '../../src/core/runner/events.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { committedBytes, endSweeps, isRunning, startSweep, temporaryFolder, toyPlan, type Sweep } from '../toy/sweep.ts';

afterAll(endSweeps);

interface Facts {
  readonly pid: number;
  readonly jobs_before: number;
  readonly cpu_seconds: number;
  readonly peak_memory_bytes: number;
  readonly pack?: { readonly members: number; readonly keys: string[] };
  readonly stage: { readonly greenhouse?: string | null };
}

const quiet = 'side-by-side/tall,side-by-side/middle,side-by-side/small';
const treeOf = (plan: Plan, arm: string): string => plan.arms.find(a => a.arm === arm)!.stages['tree']!;
const factsOf = (store: string, key: string): Facts => openStoreReadOnly(store).provenance(key) as unknown as Facts;
const workerOf = (store: string, key: string, attempt = 1): number =>
  (JSON.parse(readFileSync(join(openStoreReadOnly(store).attemptDir(key, attempt), 'worker.json'), 'utf8')) as { owner: { pid: number } }).owner.pid;
const outputs = (store: string): string[] => readdirSync(join(store, 'workers'));
const packsOf = (sweep: Sweep): string[][] =>
  [...new Set(sweep.events.flatMap(e => (e.type === 'started' && e.pack.length > 1 ? [JSON.stringify([...e.pack].sort())] : [])))].map(text => JSON.parse(text) as string[]);
const progressOf =
  (keys: readonly string[], step: number) =>
  (e: RunEvent): boolean =>
    e.type === 'progress' && keys.includes(e.key) && e.progress.step >= step;

/** The quiet arms at profile `slow`, each tree by itself: what every pack must leave. */
let calm: Promise<string> | undefined;
async function alone(): Promise<string> {
  const store = temporaryFolder('alone');
  for (const only of quiet.split(',')) expect((await startSweep({ store, profile: 'slow', only, devices: 'cpu:1x1' }).summary)!.failed).toEqual([]);
  return store;
}
const whatTheyLeave = async (): Promise<StoreReader> => openStoreReadOnly(await (calm ??= alone()));

describe.concurrent('a living worker', () => {
  test('runs all stages of its place in one process, which leaves no trace and no process', async () => {
    const options = { store: temporaryFolder('living'), profile: 'quick', only: 'cut', devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    expect((await startSweep(options).summary)!.done).toHaveLength(plan.stages.size);
    const facts = [...plan.stages.keys()].map(key => factsOf(options.store, key));
    const pids = new Set(facts.map(f => f.pid));
    expect(pids.size).toBe(1);
    expect(facts.map(f => f.jobs_before).sort((a, b) => a - b)).toEqual([...plan.stages.keys()].map((_, i) => i));
    for (const { cpu_seconds, peak_memory_bytes } of facts) {
      expect(cpu_seconds).toBeGreaterThan(0);
      expect(peak_memory_bytes).toBeGreaterThan(1e6);
    }
    // Not the process's sum, which only grows.
    expect(Math.min(...facts.filter(f => f.jobs_before > 0).map(f => f.cpu_seconds))).toBeLessThan(facts.find(f => f.jobs_before === 0)!.cpu_seconds);
    for (const pid of pids) expect(isRunning(pid)).toBe(false);
    expect(outputs(options.store)).toEqual([]);
  });

  test('is a fresh one after a failure that may pass, a crash and a kill, but not after one for good', async () => {
    const only = 'trouble/fail-once,trouble/crash-once,trouble/die-once,trouble/fail-permanently,trouble/sound';
    const options = { store: temporaryFolder('fresh'), profile: 'quick', only, devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const summary = (await startSweep(options).summary)!;
    expect(summary.failed.map(f => f.code)).toEqual(['BLIGHT']);
    for (const arm of ['fail-once', 'crash-once', 'die-once']) {
      const [first, second] = [1, 2].map(attempt => workerOf(options.store, treeOf(plan, arm), attempt));
      expect(first).not.toBe(second);
    }
    const workers = new Set(
      [...plan.stages.keys()].flatMap(key =>
        openStoreReadOnly(options.store)
          .attempts(key)
          .map(attempt => workerOf(options.store, key, attempt)),
      ),
    );
    expect(workers.size).toBe(1 + 3);
  });

  test('has the environment that its stages ask for from its start', async () => {
    const options = { store: temporaryFolder('environment'), profile: 'quick', only: 'side-by-side/tall,side-by-side/warm', devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    const [tall, warm] = ['tall', 'warm'].map(arm => factsOf(options.store, treeOf(plan, arm)));
    expect(tall!.stage.greenhouse).toBeNull();
    expect(warm!.stage.greenhouse).toBe('warm');
    expect(warm!.pid).not.toBe(tall!.pid);
    expect(packsOf(sweep)).toEqual([]);
    expect(outputs(options.store)).toEqual([]);
  });
});

describe.concurrent('a pack', () => {
  test('leaves the bytes of stages alone, shares one process, and splits its CPU time', async () => {
    const options = { store: temporaryFolder('pack'), profile: 'slow', only: quiet, devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const keys = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    expect(packsOf(sweep)).toEqual([[...keys].sort()]);
    const store = openStoreReadOnly(options.store),
      calm = await whatTheyLeave();
    expect(committedBytes(store, plan)).toEqual(committedBytes(calm, plan));
    for (const key of keys) {
      expect(store.curve(key)).toEqual(calm.curve(key));
      expect(factsOf(options.store, key).pack).toMatchObject({ members: 3, keys: expect.arrayContaining(keys) as string[] });
      expect(factsOf(options.store, key).pid).toBe(factsOf(options.store, keys[0]!).pid);
      expect(factsOf(calm.dir, key).pack).toBeUndefined();
    }
  });

  test('is split so that no worker is idle', async () => {
    const options = { store: temporaryFolder('split'), profile: 'quick', only: `${quiet},side-by-side/storm`, devices: 'cpu:2x1' };
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    expect(packsOf(sweep).map(pack => pack.length)).toEqual([2, 2]);
  });

  test('one member fails for good, one may try again: the others do not notice', async () => {
    const only = `${quiet},side-by-side/blight,side-by-side/storm`;
    const options = { store: temporaryFolder('member'), profile: 'quick', only, devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const sweep = startSweep(options);
    const summary = (await sweep.summary)!;
    expect(packsOf(sweep).map(pack => pack.length)).toEqual([5]);
    expect(summary.failed.map(f => [f.key, f.code])).toEqual([[treeOf(plan, 'blight'), 'BLIGHT']]);
    const store = openStoreReadOnly(options.store);
    for (const arm of ['tall', 'middle', 'small']) expect(store.state(treeOf(plan, arm))).toEqual({ state: 'done', attempt: 1 });
    expect(store.state(treeOf(plan, 'storm'))).toEqual({ state: 'done', attempt: 2 });
    expect(readFileSync(store.logFile(treeOf(plan, 'storm'), 2), 'utf8')).toMatch(/continuing from step 3/);
    expect(readFileSync(store.logFile(treeOf(plan, 'tall'), 1), 'utf8')).not.toMatch(/Lightning|blight/);
  });

  test('a member that kills the worker fails all of them once; each is tried again by itself', async () => {
    const only = `${quiet},side-by-side/fire`;
    const options = { store: temporaryFolder('fire'), profile: 'quick', only, devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    const store = openStoreReadOnly(options.store);
    const trees = ['tall', 'middle', 'small', 'fire'].map(arm => treeOf(plan, arm));
    expect(sweep.events.flatMap(e => (e.type === 'retry' ? [[e.failure.key, e.failure.code]] : [])).sort()).toEqual(trees.map(key => [key, 'WORKER_LOST']).sort());
    expect(packsOf(sweep)).toHaveLength(1);
    for (const key of trees) {
      expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
      expect(store.curve(key).map(r => r.step)).toEqual([1, 2, 3, 4, 5]);
      expect(factsOf(options.store, key).pack).toBeUndefined();
    }
  });

  test('killed from outside: what its process printed is in the logs of all, with where it stands', async () => {
    const options = { store: temporaryFolder('axe'), profile: 'slow', only: quiet, devices: 'cpu:1x1', checkpointEvery: 100 };
    const plan = await toyPlan(options);
    const trees = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    await sweep.until(progressOf(trees, 20));
    const pid = workerOf(options.store, trees[0]!);
    const [output] = outputs(options.store);
    // As a native library does, before and while it goes down.
    appendFileSync(join(options.store, 'workers', output!), 'terminate called after throwing an instance\n');
    process.kill(pid, 'SIGKILL');
    expect((await sweep.summary)!.failed).toEqual([]);
    const store = openStoreReadOnly(options.store);
    for (const key of trees) {
      const log = readFileSync(store.logFile(key, 1), 'utf8');
      expect(log).toContain('terminate called after throwing an instance');
      expect(log).toContain(join(options.store, 'workers', output!));
      expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
      expect(readFileSync(store.logFile(key, 2), 'utf8')).toMatch(/continuing from step \d\d/);
    }
    expect(outputs(options.store)).toEqual([output]);
  });

  test('the whole group is killed: the next sweep goes on from the checkpoints of all, to the same bytes', { tags: 'long' }, async () => {
    const options = { store: temporaryFolder('power'), profile: 'slow', only: quiet, devices: 'cpu:1x1', checkpointEvery: 100 };
    const plan = await toyPlan(options);
    const trees = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    await sweep.until(progressOf(trees, 40));
    sweep.killGroup();
    await sweep.summary;
    const next = startSweep(options);
    expect((await next.summary)!.failed).toEqual([]);
    expect(packsOf(next)).toEqual([[...trees].sort()]);
    const store = openStoreReadOnly(options.store);
    for (const key of trees) expect(readFileSync(store.logFile(key, 2), 'utf8')).toMatch(/continuing from step \d+/);
    expect(committedBytes(store, plan)).toEqual(committedBytes(await whatTheyLeave(), plan));
  });

  test('stopped: every member checkpoints, and can go on in another pack or alone', async () => {
    const options = { store: temporaryFolder('halt'), profile: 'slow', only: quiet, devices: 'cpu:1x1', checkpointEvery: 60_000 };
    const plan = await toyPlan(options);
    const trees = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    await sweep.until(progressOf(trees, 10));
    sweep.kill('SIGINT');
    const summary = (await sweep.summary)!;
    expect(summary).toMatchObject({ failed: [], interrupted: expect.arrayContaining(trees) as string[] });
    const store = openStoreReadOnly(options.store);
    for (const key of trees) {
      expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });
      expect(readFileSync(store.logFile(key, 1), 'utf8')).toContain('Stopping: the runner asked for it.');
    }
    expect(outputs(options.store)).toEqual([]);
    expect((await startSweep({ ...options, only: 'side-by-side/tall' }).summary)!.failed).toEqual([]);
    const rest = startSweep({ ...options, only: `${quiet},side-by-side/storm` });
    expect((await rest.summary)!.failed).toEqual([]);
    expect(packsOf(rest)).toEqual([[treeOf(plan, 'middle'), treeOf(plan, 'small'), treeOf(await toyPlan({ ...options, only: 'side-by-side/storm' }), 'storm')].sort()]);
    expect(committedBytes(store, plan)).toEqual(committedBytes(await whatTheyLeave(), plan));
  });

  test('its runner dies: the worker writes the checkpoints of all, and leaves', async () => {
    const options = { store: temporaryFolder('widow'), profile: 'slow', only: quiet, devices: 'cpu:1x1', checkpointEvery: 60_000 };
    const plan = await toyPlan(options);
    const trees = ['tall', 'middle', 'small'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    await sweep.until(progressOf(trees, 5));
    const worker = workerOf(options.store, trees[0]!);
    sweep.kill('SIGKILL');
    await sweep.summary;
    while (isRunning(worker)) await sleep(20);
    const store = openStoreReadOnly(options.store);
    for (const key of trees) {
      expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });
      expect(readdirSync(join(store.attemptDir(key, 1), 'checkpoints'))).toHaveLength(1);
    }
    expect(outputs(options.store)).toEqual([]);
  });

  test('two sweeps want the same members: each stage is done once', { tags: 'long' }, async () => {
    const options = { store: temporaryFolder('rivals'), profile: 'slow', only: 'side-by-side/tall,side-by-side/middle,side-by-side/small,side-by-side/storm', devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const [a, b] = await Promise.all([startSweep(options).summary, startSweep(options).summary]);
    expect([a!.failed, b!.failed]).toEqual([[], []]);
    expect([...a!.done, ...b!.done].sort()).toEqual([...plan.stages.keys()].sort());
    const store = openStoreReadOnly(options.store);
    for (const key of plan.stages.keys()) expect(store.attempts(key)).toEqual(key === treeOf(plan, 'storm') ? [1, 2] : [1]);
  });
});
