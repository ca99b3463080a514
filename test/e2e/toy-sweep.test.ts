/** Whole sweeps of the toy study with real worker processes, undisturbed and disturbed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { committedBytes, endSweeps, isRunning, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterAll(endSweeps);

describe.concurrent('an undisturbed sweep', () => {
  test('does every stage once, and a second sweep does nothing', async () => {
    const options = { store: temporaryFolder('sweep'), profile: 'quick', only: 'variety,cut', devices: 'cpu:2x1' };
    const plan = await toyPlan(options);
    const first = await startSweep(options).summary;
    expect(first).toMatchObject({ reused: [], failed: [], blocked: [], interrupted: [], left: [] });
    expect([...first!.done].sort()).toEqual([...plan.stages.keys()].sort());

    const store = openStoreReadOnly(options.store);
    for (const stage of plan.stages.values()) {
      expect(store.state(stage.key)).toEqual({ state: 'done', attempt: 1 });
      expect(store.stage(stage.key)).toMatchObject({ kind: stage.kind, revision: 1, recipe: stage.recipe, seed: stage.seed, upstream: stage.upstream });
      expect(readdirSync(store.attemptDir(stage.key, 1))).not.toContain('checkpoints');
    }
    const tree = plan.arms[0]!.stages['tree']!;
    expect(store.curve(tree).map(r => r.step)).toEqual([1, 2, 3, 4, 5]);
    expect(store.result(tree)).toEqual({ height: store.curve(tree).at(-1)!['height'] });
    expect(store.provenance(tree)).toMatchObject({ place: expect.stringMatching(/^cpu:[01]$/) as string, threads: 1, stage: { gpu: '-1', threads: '1' } });

    const second = await startSweep(options).summary;
    expect(second).toMatchObject({ done: [], failed: [], left: [] });
    expect([...second!.reused].sort()).toEqual([...plan.stages.keys()].sort());
  });
});

describe.concurrent('a sweep that is killed', () => {
  test('whole process group, twice: the next one re-runs nothing that is done and ends with the same bytes', async () => {
    const choice = { profile: 'slow', only: 'cut', devices: 'cpu:2x1', checkpointEvery: 100 };
    const plan = await toyPlan(choice);
    const calm = { ...choice, store: temporaryFolder('calm') };
    expect((await startSweep(calm).summary)!.failed).toEqual([]);

    const store = temporaryFolder('killed');
    const first = startSweep({ ...choice, store });
    await first.until(e => e.type === 'progress' && e.progress.step >= 40);
    first.killGroup();
    await first.summary;

    const second = startSweep({ ...choice, store });
    await second.until(e => e.type === 'started' && e.attempt === 2);
    await second.until(e => e.type === 'progress' && e.progress.step >= 40 && e.counts.done >= 1);
    second.killGroup();
    await second.summary;
    const doneBefore = [...plan.stages.keys()].filter(key => openStoreReadOnly(store).doneAttempt(key) !== undefined);
    expect(doneBefore.length).toBeGreaterThan(0);

    const third = await startSweep({ ...choice, store }).summary;
    expect(third!.failed).toEqual([]);
    expect([...third!.reused].sort()).toEqual(doneBefore.sort());
    expect([...third!.reused, ...third!.done].sort()).toEqual([...plan.stages.keys()].sort());
    const [disturbed, undisturbed] = [openStoreReadOnly(store), openStoreReadOnly(calm.store)];
    expect(committedBytes(disturbed, plan)).toEqual(committedBytes(undisturbed, plan));
    for (const key of plan.stages.keys()) expect(disturbed.curve(key)).toEqual(undisturbed.curve(key));
    const resumed = [...plan.stages.keys()].filter(key => disturbed.attempts(key).length > 1);
    expect(resumed.length).toBeGreaterThan(0);
    // Not all: the second kill can come upon an attempt that has just begun.
    const logs = resumed.flatMap(key => disturbed.attempts(key).map(n => disturbed.logFile(key, n))).filter(file => existsSync(file));
    expect(logs.some(file => /continuing from step \d+/.test(readFileSync(file, 'utf8')))).toBe(true);
  });

  test('runner alone: its workers notice, checkpoint and leave', async () => {
    const options = { store: temporaryFolder('orphan'), profile: 'slow', only: 'cut', devices: 'cpu:1x1', checkpointEvery: 60_000 };
    const sweep = startSweep(options);
    const event = await sweep.until(e => e.type === 'progress' && e.progress.step >= 5);
    const key = 'key' in event ? event.key : '';
    const store = openStoreReadOnly(options.store);
    const worker = (JSON.parse(readFileSync(join(store.attemptDir(key, 1), 'worker.json'), 'utf8')) as { owner: { pid: number } }).owner.pid;
    expect(isRunning(worker)).toBe(true);
    expect(store.state(key)).toMatchObject({ state: 'running', attempt: 1 });
    sweep.kill('SIGKILL');
    await sweep.summary;
    while (isRunning(worker)) await sleep(20);
    expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });
    expect(readFileSync(store.logFile(key, 1), 'utf8')).toContain('Stopping: the runner is gone.');
    expect(readdirSync(join(store.attemptDir(key, 1), 'checkpoints'))).toHaveLength(1);
  });
});

describe.concurrent('a sweep that is interrupted', () => {
  test('once: checkpoints and stops; the next one goes on from there', async () => {
    const options = { store: temporaryFolder('stop'), profile: 'slow', only: 'cut', devices: 'cpu:1x1', checkpointEvery: 60_000 };
    const sweep = startSweep(options);
    const event = await sweep.until(e => e.type === 'progress' && e.progress.step >= 10);
    const key = 'key' in event ? event.key : '';
    sweep.kill('SIGINT');
    const summary = (await sweep.summary)!;
    expect(summary).toMatchObject({ done: [], failed: [], blocked: [], interrupted: [key] });
    expect(summary.left).toHaveLength((await toyPlan(options)).stages.size - 1);
    const store = openStoreReadOnly(options.store);
    expect(store.state(key)).toEqual({ state: 'interrupted', attempt: 1 });

    const next = startSweep({ ...options, devices: 'cpu:2x1' });
    expect((await next.summary)!.failed).toEqual([]);
    expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
    expect(store.curve(key).map(r => r.step)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(readFileSync(join(store.attemptDir(key, 2), 'resumed.json'), 'utf8')).toMatch(/"attempt":1,"step":\d\d/);
  });

  test('a worker that does not listen is ended by force, and is not a failure', async () => {
    const options = { store: temporaryFolder('hang'), profile: 'quick', only: 'trouble/hang', devices: 'cpu:1x1', grace: 200 };
    const sweep = startSweep(options);
    const started = await sweep.until(e => e.type === 'progress' && e.progress.phase === 'evaluate');
    sweep.kill('SIGINT');
    const summary = (await sweep.summary)!;
    expect(summary).toMatchObject({ failed: [], interrupted: ['key' in started ? started.key : ''] });
  });

  test('twice: workers are killed at once', async () => {
    const options = { store: temporaryFolder('twice'), profile: 'quick', only: 'trouble/hang', devices: 'cpu:1x1', grace: 600_000 };
    const sweep = startSweep(options);
    const hung = await sweep.until(e => e.type === 'progress' && e.progress.phase === 'evaluate');
    sweep.kill('SIGINT');
    const log = openStoreReadOnly(options.store).logFile('key' in hung ? hung.key : '', 1);
    while (!readFileSync(log, 'utf8').includes('Stopping: the runner asked for it.')) await sleep(20);
    sweep.kill('SIGINT');
    expect(await sweep.summary).toMatchObject({ failed: [], interrupted: [expect.any(String)] });
  });
});

describe.concurrent('a sweep with failures', () => {
  test('retries each once from its checkpoint, reports with the log, and the others go on', async () => {
    const only = 'trouble/sound,trouble/fail,trouble/fail-once,trouble/fail-permanently,trouble/crash-once,trouble/die-once';
    const options = { store: temporaryFolder('trouble'), profile: 'quick', only, devices: 'cpu:2x1' };
    const plan = await toyPlan(options);
    const stageOf = (arm: string, role: string): string => plan.arms.find(a => a.arm === arm)!.stages[role]!;
    const sweep = startSweep(options);
    const summary = (await sweep.summary)!;
    const store = openStoreReadOnly(options.store);

    for (const arm of ['sound', 'fail-once', 'crash-once', 'die-once']) expect(store.state(stageOf(arm, 'weigh'))).toMatchObject({ state: 'done' });
    expect(store.state(stageOf('sound', 'tree'))).toMatchObject({ attempt: 1 });
    for (const arm of ['fail-once', 'crash-once', 'die-once']) {
      expect(store.state(stageOf(arm, 'tree'))).toEqual({ state: 'done', attempt: 2 });
      expect(store.curve(stageOf(arm, 'tree')).map(r => r.step)).toEqual([1, 2, 3, 4, 5]);
      // Trouble is the only difference, and it does not touch the numbers.
      expect(store.result(stageOf(arm, 'tree'))).toEqual(store.result(stageOf('sound', 'tree')));
    }
    const failures = Object.fromEntries(summary.failed.map(f => [f.key, f]));
    expect(Object.keys(failures).sort()).toEqual([stageOf('fail', 'tree'), stageOf('fail-permanently', 'tree')].sort());
    expect(failures[stageOf('fail', 'tree')]).toMatchObject({ code: 'STAGE_FAILED', reason: 'Lightning struck at step 3', label: 'tree of trouble/fail seed 0' });
    expect(failures[stageOf('fail', 'tree')]!.logTail).toContain('Lightning struck at step 3');
    expect(failures[stageOf('fail-permanently', 'tree')]).toMatchObject({ code: 'BLIGHT' });
    expect(store.attempts(stageOf('fail', 'tree'))).toEqual([1, 2]);
    expect(store.attempts(stageOf('fail-permanently', 'tree'))).toEqual([1]);
    expect([...summary.blocked].sort()).toEqual([stageOf('fail', 'weigh'), stageOf('fail-permanently', 'weigh')].sort());

    const reasons = sweep.events.flatMap(e => (e.type === 'retry' ? [e.failure.reason] : []));
    expect(reasons.sort()).toEqual([
      'Lightning struck at step 3',
      'Lightning struck at step 3',
      'the worker ended with exit code 7 before it had a result',
      'the worker was ended by SIGKILL, perhaps because memory ran out',
    ]);
    expect(sweep.events.at(-1)!.counts).toMatchObject({ failed: 2, blocked: 2, running: 0, queued: 0 });
  });
});

describe.concurrent('devices', () => {
  test('each GPU worker sees exactly one GPU, and no GPU has two workers at a time', async () => {
    const options = { store: temporaryFolder('gpus'), profile: 'quick', only: 'cut,variety', devices: 'gpu:0,1,MIG-GPU-5a/2/0' };
    const plan = await toyPlan(options);
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    const store = openStoreReadOnly(options.store);
    const uses = [...plan.stages.values()].filter(s => s.kind !== 'weigh').map(s => store.provenance(s.key) as { started: string; ended: string; place: string; stage: { gpu: string } });
    expect(new Set(uses.map(u => u.stage.gpu))).toEqual(new Set(['0', '1', 'MIG-GPU-5a/2/0']));
    for (const use of uses) expect(use.place).toBe(`gpu:${use.stage.gpu.replaceAll('/', '_')}`);
    // By the runner's own order: clocks may be set between two stages.
    const busy = new Map<string, string>();
    for (const event of sweep.events) {
      if (event.type === 'started') {
        expect([...busy.values()]).not.toContain(event.place);
        busy.set(event.key, event.place);
      } else if (event.type === 'finished') busy.delete(event.key);
    }
    expect([busy.size, sweep.events.filter(({ type }) => type === 'started')]).toEqual([0, expect.objectContaining({ length: plan.stages.size }) as unknown]);
  });
});

describe.concurrent('two sweeps on one store', () => {
  test('share the work: every stage has one attempt', async () => {
    const options = { store: temporaryFolder('two'), profile: 'slow', only: 'cut', devices: 'cpu:1x1' };
    const plan = await toyPlan(options);
    const [a, b] = await Promise.all([startSweep(options).summary, startSweep(options).summary]);
    expect([a!.failed, b!.failed]).toEqual([[], []]);
    expect([...a!.done, ...b!.done].sort()).toEqual([...plan.stages.keys()].sort());
    const store = openStoreReadOnly(options.store);
    for (const key of plan.stages.keys()) expect(store.attempts(key)).toEqual([1]);
  });
});
