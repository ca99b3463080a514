/** Workers that hang, with real processes: told of, stopped with their children, tried again; and none outlives its runner. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Limits } from '../../src/core/runner/limits.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import type { DriveOptions } from '../toy/drive.ts';
import { endSweeps, isRunning, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterAll(endSweeps);

/** Long for a process to start on a busy machine, short for what hangs. */
const limits: Limits = { load: 60_000, trace: 60_000, save: 60_000, evaluate: 1_500, step: { times: 20, floor: 1_500, unknown: 1_500 } };

const optionsFor = (arms: string, more: Partial<DriveOptions> = {}): DriveOptions => ({
  declarations: 'hardship',
  profile: 'quick',
  only: arms
    .split(',')
    .map(arm => `hardship/${arm}`)
    .join(),
  devices: 'cpu:1x1',
  store: temporaryFolder('hang'),
  grace: 300,
  limits,
  ...more,
});
const treeOf = (plan: Plan, arm: string): string => plan.arms.find(a => a.arm === arm)!.stages['tree']!;

/** The child that a frozen attempt says it has. */
function childOf(store: string, key: string, attempt: number): number {
  const [, pid] = /frozen with child (\d+)/.exec(readFileSync(openStoreReadOnly(store).logFile(key, attempt), 'utf8')) ?? [];
  return Number(pid);
}

const workerOf = (store: string, key: string): number => (JSON.parse(readFileSync(join(openStoreReadOnly(store).attemptDir(key, 1), 'worker.json'), 'utf8')) as { owner: { pid: number } }).owner.pid;

describe.concurrent('a worker that hangs', () => {
  test('and is stuck: stalled, then killed with its child, and done at the second try', async () => {
    const options = optionsFor('freeze-once,sound');
    const plan = await toyPlan(options);
    const key = treeOf(plan, 'freeze-once');
    const sweep = startSweep(options);
    await sweep.until(e => e.type === 'stalled' && e.key === key);
    const store = openStoreReadOnly(options.store);
    const [worker, child] = [workerOf(options.store, key), childOf(options.store, key, 1)];
    expect(store.state(key)).toMatchObject({ state: 'running', attempt: 1, stalled: expect.stringContaining("in phase 'step'") as string });
    expect([isRunning(worker), isRunning(child)]).toEqual([true, true]);
    expect((await sweep.summary)!.failed).toEqual([]);
    expect([isRunning(worker), isRunning(child)]).toEqual([false, false]);
    expect(sweep.events.flatMap(e => (e.type === 'retry' ? [[e.failure.key, e.failure.code]] : []))).toEqual([[key, 'WORKER_HUNG']]);
    expect(store.states(key, 1).at(-1)).toMatchObject({
      state: 'failed',
      code: 'WORKER_HUNG',
      reason: expect.stringMatching(/^no word for .* in phase 'step' \(limit 1\.5 s\): the worker was stopped$/) as string,
    });
    expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
    expect(store.curve(key).map(r => r.step)).toEqual([1, 2, 3, 4, 5]);
    expect(store.result(key)).toEqual(store.result(treeOf(plan, 'sound')));
  });

  test('each time: fails with the reason after two tries, and the others go on', async () => {
    const options = optionsFor('freeze,sound');
    const plan = await toyPlan(options);
    const key = treeOf(plan, 'freeze');
    const sweep = startSweep(options);
    const summary = (await sweep.summary)!;
    expect(summary.failed).toEqual([expect.objectContaining({ key, code: 'WORKER_HUNG', reason: expect.stringContaining("in phase 'step' (limit 1.5 s)") as string })]);
    const store = openStoreReadOnly(options.store);
    expect(store.attempts(key)).toEqual([1, 2]);
    expect(store.state(treeOf(plan, 'sound'))).toMatchObject({ state: 'done' });
    for (const attempt of [1, 2]) expect(isRunning(childOf(options.store, key, attempt))).toBe(false);
  });

  test('in an evaluation, though it hears: the limit of that phase', async () => {
    const options = optionsFor('hang');
    const sweep = startSweep({ ...options, limits: { ...limits, step: { times: 20, floor: 60_000, unknown: 60_000 } } });
    expect((await sweep.summary)!.failed).toEqual([]); // it hangs at one step, and the second attempt begins after that
    expect(sweep.events.flatMap(e => (e.type === 'retry' ? [e.failure] : []))).toEqual([
      expect.objectContaining({ code: 'WORKER_HUNG', reason: expect.stringContaining("in phase 'evaluate' (limit 1.5 s)") as string }),
    ]);
  });

  test('with a pack: all of it is stopped, and each stage is tried again by itself', { tags: 'long' }, async () => {
    const options = optionsFor('tall,small,frozen');
    const plan = await toyPlan(options);
    const trees = ['tall', 'small', 'frozen'].map(arm => treeOf(plan, arm));
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    expect(sweep.events.flatMap(e => (e.type === 'retry' ? [[e.failure.key, e.failure.code]] : [])).sort()).toEqual(trees.map(key => [key, 'WORKER_HUNG']).sort());
    const store = openStoreReadOnly(options.store);
    for (const key of trees) {
      expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
      expect(store.provenance(key)).not.toHaveProperty('pack');
    }
  });

  test('is not one that waits while the runner itself is frozen', async () => {
    const options = optionsFor('sound', { profile: 'slow', limits: { ...limits, step: { times: 20, floor: 3_000, unknown: 3_000 } } });
    const sweep = startSweep(options);
    await sweep.until(e => e.type === 'progress' && e.progress.step >= 5);
    sweep.kill('SIGSTOP');
    await sleep(5_000); // longer than the limit of a step
    sweep.kill('SIGCONT');
    expect((await sweep.summary)!.failed).toEqual([]);
    expect(sweep.events.filter(e => e.type === 'retry' || e.type === 'stalled')).toEqual([]);
  });
});

describe.concurrent('a runner that dies', () => {
  test("takes a worker that is stuck with it, and the worker's child", async () => {
    const options = optionsFor('freeze', { grace: 3_000, limits: { ...limits, step: { times: 20, floor: 600_000, unknown: 600_000 } } });
    const key = treeOf(await toyPlan(options), 'freeze');
    const sweep = startSweep(options);
    const isFrozen = (): boolean => {
      try {
        return Number.isInteger(childOf(options.store, key, 1));
      } catch {
        return false;
      }
    };
    while (!isFrozen()) await sleep(50);
    const [worker, child] = [workerOf(options.store, key), childOf(options.store, key, 1)];
    sweep.kill('SIGKILL');
    await sweep.summary;
    expect([isRunning(worker), isRunning(child)]).toEqual([true, true]);
    while (isRunning(worker)) await sleep(50);
    while (isRunning(child)) await sleep(50);
    expect(openStoreReadOnly(options.store).state(key)).toEqual({ state: 'interrupted', attempt: 1 });
  });
});
