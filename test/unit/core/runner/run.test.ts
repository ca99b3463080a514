/** The scheduler with an executor that loses and spoils what it is given: the store alone decides what came of a stage. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { keyOf } from '../../../../src/core/ablation/identity.ts';
import { memoryLimits, type Place } from '../../../../src/core/runner/devices.ts';
import type { Ended, Executor, Job, JobListener, Task } from '../../../../src/core/runner/executors/executor.ts';
import { execute } from '../../../../src/core/runner/execute.ts';
import type { RunEvent, RunSummary } from '../../../../src/core/runner/events.ts';
import type { Limits } from '../../../../src/core/runner/limits.ts';
import { Round } from '../../../../src/core/runner/round.ts';
import { runPlan, type Share } from '../../../../src/core/runner/run.ts';
import { StoreError } from '../../../../src/core/store/errors.ts';
import { nodeFiles, type Files } from '../../../../src/core/store/files.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import toyStudy from '../../../toy/experiments/study.ts';
import { temporaryFolder, toyExperiments, toyPlan } from '../../../toy/sweep.ts';

type Behaviour = (task: Task, run: () => Promise<unknown>, given: { readonly listener: JobListener; readonly signal: AbortSignal }) => Promise<Ended>;

/** Runs stages in this process, or does to them whatever the test wants. */
class TestExecutor implements Executor {
  readonly places: number;
  readonly memory = memoryLimits([]);
  readonly #free: Place[];
  readonly #behaviour: Behaviour;
  readonly submitted: string[] = [];
  atOnce = 0;
  most = 0;

  constructor(places: number, behaviour: Behaviour = (_, run) => run().then(() => ({ exitCode: 0 }))) {
    this.#free = Array.from({ length: places }, (_, i) => ({ name: `cpu:${i}`, device: 'cpu', threads: 1 }));
    this.places = places;
    this.#behaviour = behaviour;
  }

  reserve(): Place | undefined {
    return this.#free.shift();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  release(place: Place): void {
    this.#free.push(place);
  }

  submit(place: Place, task: Task, listener: JobListener): Job {
    const stop = new AbortController();
    this.submitted.push(...task.attempts.map(a => a.key));
    this.most = Math.max(this.most, ++this.atOnce);
    const run = (): Promise<unknown> => execute(task, { signal: stop.signal, progress: listener.progress });
    const ended = this.#behaviour(task, run, { listener, signal: stop.signal }).finally(() => {
      this.atOnce--;
      this.release(place);
    });
    return { ended, stop: () => stop.abort(), kill: () => stop.abort() };
  }
}

/** The first attempt at a stage, as another runner would hand it to its worker. */
const taskOf = (store: Store, key: string): Task => ({
  experiments: toyExperiments,
  store: store.dir,
  attempts: [{ key, attempt: 1 }],
  place: 'cpu:9',
  environment: {},
  checkpointEvery: 1e6,
  command: [],
  execution: { device: 'cpu', threads: 1, dataDir: '/none', acceptEngineChange: false },
});

interface Ran {
  readonly store: Store;
  readonly summary: RunSummary;
  readonly events: RunEvent[];
}

async function run(
  executor: Executor,
  only: string,
  options: {
    store?: Store;
    stop?: AbortSignal;
    kill?: AbortSignal;
    onEvent?: (e: RunEvent) => void;
    profile?: string;
    acceptEngineChange?: boolean;
    limits?: Limits;
    share?: (store: Store) => Share;
  } = {},
): Promise<Ran> {
  const { profile = 'quick', store = openStore(temporaryFolder('run')), onEvent, share, ...rest } = options;
  const plan = await toyPlan({ profile, only });
  const events: RunEvent[] = [];
  const tell = (e: RunEvent): void => {
    events.push(e);
    onEvent?.(e);
  };
  const summary = await runPlan({
    ...rest,
    ...(share && { share: share(store) }),
    plan,
    kinds: toyStudy.kinds,
    store,
    executor,
    experiments: toyExperiments,
    dataDir: '/none',
    poll: 5,
    onEvent: tell,
  });
  return { store, summary, events };
}

describe('runPlan', () => {
  test('runs every stage once, inputs first, on no more places than there are', async () => {
    const executor = new TestExecutor(3);
    const plan = await toyPlan({ profile: 'quick', only: 'cut,variety' });
    const { summary, store } = await run(executor, 'cut,variety');
    expect([...executor.submitted].sort()).toEqual([...plan.stages.keys()].sort());
    expect(summary.done).toHaveLength(plan.stages.size);
    for (const stage of plan.stages.values()) {
      for (const key of Object.values(stage.upstream)) expect(summary.done.indexOf(key)).toBeLessThan(summary.done.indexOf(stage.key));
      expect(store.state(stage.key).state).toBe('done');
    }
    expect(executor.most).toBeLessThanOrEqual(3);
  });

  test('counts always add up, and end with nothing left', async () => {
    const { events } = await run(new TestExecutor(2), 'trouble/fail,trouble/sound,trouble/fail-permanently');
    for (const { counts: c } of events) expect(c.done + c.reused + c.failed + c.blocked + c.interrupted + c.running + c.queued).toBe(c.total);
    expect(events[0]).toMatchObject({ type: 'begin', counts: { queued: events[0]!.counts.total } });
    expect(events.at(-1)!.counts).toMatchObject({ running: 0, queued: 0, failed: 2, blocked: 2 });
  });

  test('a worker that says it failed after it committed is done', async () => {
    const { summary } = await run(new TestExecutor(1, (_, go) => go().then(() => ({ exitCode: 1 }))), 'cut/whole');
    expect(summary).toMatchObject({ failed: [], done: [expect.any(String), expect.any(String), expect.any(String)] });
  });

  test('a worker that says it is done and left nothing has failed, twice, and then no more', async () => {
    const executor = new TestExecutor(1, () => Promise.resolve({ exitCode: 0 }));
    const { summary } = await run(executor, 'cut/whole');
    expect(executor.submitted).toHaveLength(2);
    expect(summary.failed).toEqual([expect.objectContaining({ code: 'WORKER_LOST', reason: 'the worker ended with exit code 0 before it had a result' })]);
    expect(summary.blocked).toHaveLength(2);
  });

  test('a worker that could not be started is told so', async () => {
    const { summary } = await run(new TestExecutor(1, () => Promise.resolve({ error: 'spawn ENOENT' })), 'cut/whole');
    expect(summary.failed[0]!.reason).toBe('the worker could not be started: spawn ENOENT');
  });

  test('a stage that is lost once is done at the second try', async () => {
    let first = true;
    const { summary, events, store } = await run(
      new TestExecutor(1, (_, go) => {
        if (!first) return go().then(() => ({ exitCode: 0 }));
        first = false;
        return Promise.resolve({ signal: 'SIGKILL' });
      }),
      'cut/whole',
    );
    expect(summary.failed).toEqual([]);
    expect(events.filter(e => e.type === 'retry')).toHaveLength(1);
    expect(store.attempts(summary.done[0]!)).toEqual([1, 2]);
  });

  test('stopped: asks what runs to leave, starts nothing more, and says what is left', async () => {
    const stop = new AbortController();
    const executor = new TestExecutor(1);
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'progress' && e.progress.step >= 2) stop.abort();
    };
    const { summary, store } = await run(executor, 'cut/whole', { stop: stop.signal, onEvent, profile: 'slow' });
    expect(executor.submitted).toHaveLength(1);
    expect(summary).toMatchObject({ done: [], failed: [], interrupted: executor.submitted });
    expect(summary.left).toHaveLength(2);
    expect(store.state(executor.submitted[0]!)).toEqual({ state: 'interrupted', attempt: 1 });
  });

  test('runs stages that share side by side, each with an attempt of its own; one that is tried again runs alone', async () => {
    const tasks: string[][] = [];
    const executor = new TestExecutor(1, (task, go) => {
      tasks.push(task.attempts.map(a => a.key));
      return go().then(() => ({ alive: true }));
    });
    const only = 'side-by-side/tall,side-by-side/middle,side-by-side/storm,side-by-side/warm';
    const plan = await toyPlan({ profile: 'quick', only });
    const tree = (arm: string): string => plan.arms.find(a => a.arm === arm)!.stages['tree']!;
    const { summary, store, events } = await run(executor, only);
    expect(summary).toMatchObject({ failed: [], blocked: [] });
    const grafts = tasks.filter(keys => plan.stages.get(keys[0]!)!.kind === 'graft');
    expect(grafts).toEqual(expect.arrayContaining([[tree('tall'), tree('middle'), tree('storm')], [tree('storm')], [tree('warm')]]));
    expect(grafts).toHaveLength(3);
    for (const arm of ['tall', 'middle', 'storm']) expect(store.attempts(tree(arm))).toEqual(arm === 'storm' ? [1, 2] : [1]);
    const finished = events.flatMap(e => (e.type === 'finished' && e.key === tree('tall') ? [e] : []))[0]!;
    expect(finished.workerSeconds).toBeCloseTo(finished.seconds / 3);
  });

  test('leaves out of a pack what another process works on', async () => {
    const only = 'side-by-side/tall,side-by-side/middle,side-by-side/small';
    const store = openStore(temporaryFolder('taken'));
    await run(new TestExecutor(1), 'side-by-side/tall', { store });
    const plan = await toyPlan({ profile: 'quick', only });
    const [taken, ...others] = ['small', 'middle'].map(arm => plan.stages.get(plan.arms.find(a => a.arm === arm)!.stages['tree']!)!);
    store.ensureStage(taken!.key, taken!, 'theirs');
    const acquired = await store.acquire(taken!.key, 'cpu:9');
    if (acquired.type !== 'acquired') throw new Error('expected the lease');
    const theirs = taskOf(store, taken!.key);
    const packs: (readonly string[])[] = [];
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'started' && others.some(s => s.key === e.key)) packs.push(e.pack);
      if (e.type === 'waiting') void execute(theirs, { signal: new AbortController().signal, progress: () => undefined });
    };
    const { summary } = await run(new TestExecutor(1), only, { store, onEvent });
    expect(summary).toMatchObject({ failed: [], reused: expect.arrayContaining([taken!.key]) as string[] });
    expect(packs).toEqual([others.map(s => s.key)]);
  });

  test('tries what another process gave up, while the pack that it was left out of still runs', async () => {
    // On two places [middle, small] and [storm, blight].
    const only = 'side-by-side/tall,side-by-side/middle,side-by-side/small,side-by-side/storm,side-by-side/blight';
    const store = openStore(temporaryFolder('given-up'));
    await run(new TestExecutor(1), 'side-by-side/tall', { store });
    const plan = await toyPlan({ profile: 'quick', only });
    const [taken, beside] = ['small', 'middle'].map(arm => plan.stages.get(plan.arms.find(a => a.arm === arm)!.stages['tree']!)!);
    store.ensureStage(taken!.key, taken!, 'theirs');
    const acquired = await store.acquire(taken!.key, 'cpu:9');
    if (acquired.type !== 'acquired') throw new Error('expected the lease');
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>(resolve => (begun = resolve));
    const executor = new TestExecutor(2, async (task, go) => {
      if (task.attempts.some(a => a.key === beside!.key)) await isBegun;
      await go();
      return { alive: true };
    });
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'waiting') acquired.attempt.record({ state: 'interrupted' });
      if (e.type === 'started' && e.key === taken!.key) begun();
    };
    const { summary } = await run(executor, only, { store, onEvent });
    expect(summary).toMatchObject({ failed: [{ code: 'BLIGHT' }], left: [] });
    expect(store.state(taken!.key)).toEqual({ state: 'done', attempt: 2 });
  });

  test('whose failed stage another runner tries at once says why it failed, and waits for the other', async () => {
    const store = openStore(temporaryFolder('faster')),
      other = openStore(store.dir);
    let key = '';
    const executor = new TestExecutor(1, async (task, go) => {
      if (key !== '') return go().then(() => ({ alive: true }));
      key = task.attempts[0]!.key;
      const attempt = store.attemptOf(key, 1);
      attempt.claim();
      attempt.record({ state: 'failed', code: 'LIGHTNING', reason: 'lightning struck', permanent: false });
      expect((await other.acquire(key, 'cpu:9')).type).toBe('acquired'); // before our runner has heard of it
      return { exitCode: 1 };
    });
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'waiting') void execute({ ...taskOf(store, key), attempts: [{ key, attempt: 2 }] }, { signal: new AbortController().signal, progress: () => undefined });
    };
    const { summary, events } = await run(executor, 'cut/whole', { store, onEvent });
    expect(events.flatMap(e => (e.type === 'retry' ? [e.failure.reason] : []))).toEqual(['lightning struck']);
    expect(summary).toMatchObject({ failed: [], reused: [key] });
    expect(executor.submitted.filter(k => k === key)).toHaveLength(1);
  });

  test('tells the stages whether a change of engine is accepted', async () => {
    const told: boolean[] = [];
    const executor = (): Executor =>
      new TestExecutor(1, (task, go) => {
        told.push(task.execution.acceptEngineChange);
        return go().then(() => ({ alive: true }));
      });
    await run(executor(), 'variety/own-root');
    expect(new Set(told.splice(0))).toEqual(new Set([false]));
    await run(executor(), 'variety/own-root', { acceptEngineChange: true });
    expect(new Set(told)).toEqual(new Set([true]));
  });

  test('whose end cannot be written down, as on a full disk, fails once, and the run ends', async () => {
    let isFull = false;
    const full = (): never => {
      throw new StoreError('STORE_FULL', 'Could not write 160 bytes to /disk. The disk is full.');
    };
    const files: Files = { ...nodeFiles, openAppend: path => (isFull ? full() : nodeFiles.openAppend(path)) };
    const store = openStore(temporaryFolder('full'), { files });
    const executor = new TestExecutor(1, task => {
      store.attemptOf(task.attempts[0]!.key, 1).claim();
      isFull = true;
      return Promise.resolve({ exitCode: 1 });
    });
    const { summary } = await run(executor, 'cut/whole', { store });
    expect(summary.failed).toEqual([expect.objectContaining({ code: 'STORE_FULL', reason: 'Could not write 160 bytes to /disk. The disk is full.' })]);
    expect(executor.submitted).toHaveLength(1);
    expect(summary.blocked).toHaveLength(2);
  });

  test('killed while it takes a lease: ends the worker at once', async () => {
    const [stop, kill] = [new AbortController(), new AbortController()];
    const files: Files = {
      ...nodeFiles,
      publishFolder: (from, to) => {
        stop.abort();
        kill.abort();
        return nodeFiles.publishFolder(from, to);
      },
    };
    const executor = new TestExecutor(1, (_, __, { signal }) => asked(signal).then(() => ({ signal: 'SIGKILL' })));
    const submit = executor.submit.bind(executor);
    executor.submit = (...args) => ({ ...submit(...args), stop: () => undefined }); // deaf
    const { summary } = await run(executor, 'cut/whole', { store: openStore(temporaryFolder('deaf'), { files }), stop: stop.signal, kill: kill.signal });
    expect(summary).toMatchObject({ failed: [], interrupted: executor.submitted });
    expect(executor.submitted).toHaveLength(1);
  });

  test('stopped before it began: starts nothing', async () => {
    const executor = new TestExecutor(1);
    const { summary } = await run(executor, 'cut/whole', { stop: AbortSignal.abort() });
    expect(executor.submitted).toEqual([]);
    expect(summary.left).toHaveLength(3);
  });

  test('a failed stage of an earlier run is tried again by the next', async () => {
    const store = openStore(temporaryFolder('again'));
    await run(new TestExecutor(1, () => Promise.resolve({ exitCode: 3 })), 'cut/whole', { store });
    const { summary } = await run(new TestExecutor(1), 'cut/whole', { store });
    expect(summary).toMatchObject({ failed: [], blocked: [] });
    expect(summary.done).toHaveLength(3);
  });

  test('waits for a stage that another process works on, holding no place, and reuses its result', async () => {
    const store = openStore(temporaryFolder('other'));
    const plan = await toyPlan({ profile: 'quick', only: 'cut/whole' });
    const stock = plan.stages.get(plan.arms[0]!.stages['stock']!)!;
    store.ensureStage(stock.key, stock, 'theirs');
    const acquired = await store.acquire(stock.key, 'cpu:9');
    if (acquired.type !== 'acquired') throw new Error('expected the lease');
    const task = taskOf(store, stock.key);
    const executor = new TestExecutor(1);
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'waiting') void execute(task, { signal: new AbortController().signal, progress: () => undefined });
    };
    const { summary, events } = await run(executor, 'cut/whole', { store, onEvent });
    expect(events.map(e => e.type).filter(t => t === 'waiting' || t === 'reused')).toEqual(['waiting', 'reused']);
    expect(summary).toMatchObject({ reused: [stock.key], failed: [] });
    expect(executor.submitted).not.toContain(stock.key);
  });

  test.each([
    ['revision', { revision: 7 }, 'OTHER_REVISION', 'Expected revision 7'],
    ['code', { codeHash: 'f'.repeat(32) }, 'OTHER_CODE', `Expected code ${'f'.repeat(32)} of kind 'seedling' as planned, got `],
  ])('another %s than was planned is refused by the worker, for good', async (_, planned, code, reason) => {
    const store = openStore(temporaryFolder('revision'));
    const plan = await toyPlan({ profile: 'quick', only: 'cut/whole' });
    const [arm] = plan.arms,
      stage = { ...plan.stages.get(arm!.stages['stock']!)!, ...planned },
      key = keyOf(stage);
    const executor = new TestExecutor(1);
    const summary = await runPlan({
      plan: { stages: new Map([[key, { ...stage, key }]]), arms: [{ ...arm!, stages: { stock: key }, final: key, finals: [key] }] },
      kinds: toyStudy.kinds,
      store,
      executor,
      experiments: toyExperiments,
      dataDir: '/none',
    });
    expect(summary.failed).toEqual([expect.objectContaining({ code, reason: expect.stringContaining(reason) as string })]);
    expect(executor.submitted).toHaveLength(1);
  });
});

describe('a part of several workers', () => {
  const GIBI = 2 ** 30;
  const shareOf =
    (facts: Share['facts'] = {}, estimate?: (key: string) => number | undefined) =>
    (store: Store): Share => ({ round: new Round(store, { name: 'r', ...(estimate && { estimate }) }), places: 4, facts });

  test('says in its attempts whose part they are', async () => {
    const { store, summary } = await run(new TestExecutor(1), 'cut/whole', { share: shareOf({ job: '7', node: 'n1', memory: GIBI }) });
    for (const key of summary.done) expect(store.attempt(key, 1)!.share).toEqual({ round: 'r', job: '7', node: 'n1', memory: GIBI });
  });

  test('leaves what is too large for it to others, reuses their result, and counts it as queued meanwhile', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut/whole' });
    const stages = plan.arms[0]!.stages,
      [stock, tree] = [stages['stock']!, stages['tree']!];
    const store = openStore(temporaryFolder('large'));
    const executor = new TestExecutor(1);
    let theirs: Promise<unknown> | undefined;
    const { summary } = await run(executor, 'cut/whole', {
      store,
      share: shareOf({ memory: GIBI }, key => (key === tree ? 2 * GIBI : undefined)),
      onEvent: event => {
        if (event.type !== 'finished' || event.key !== stock) return;
        expect(event.counts.running).toBe(0);
        theirs = run(new TestExecutor(1), 'cut/whole', { store, share: shareOf({ memory: 4 * GIBI }) });
      },
    });
    await theirs;
    expect(executor.submitted).not.toContain(tree);
    expect(summary).toMatchObject({ failed: [], blocked: [], left: [] });
    expect(summary.reused).toContain(tree);
  });

  test('tries what memory did not suffice for no more by itself, and does not count it as at work', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'cut/whole' });
    const { stock } = plan.arms[0]!.stages;
    const leave = new AbortController();
    const counts: RunEvent['counts'][] = [];
    const executor = new TestExecutor(1, () => Promise.resolve({ signal: 'SIGKILL', outOfMemory: true }));
    const { summary, store } = await run(executor, 'cut/whole', {
      share: shareOf({ memory: GIBI }),
      stop: leave.signal,
      onEvent: event => {
        if (event.type !== 'retry') return;
        counts.push(event.counts);
        setTimeout(() => leave.abort(), 50);
      },
    });
    expect(executor.submitted).toEqual([stock]);
    expect(counts).toMatchObject([{ running: 0, queued: 3 }]);
    expect(summary).toMatchObject({ failed: [], left: expect.arrayContaining([stock]) as string[] });
    expect(shareOf()(store).round.memory(stock!)).toBe(2 * GIBI);
  });

  test('gives up what others gave up, and tells them what it gives up', async () => {
    const lost = (): Promise<Ended> => Promise.resolve({ exitCode: 3 });
    const store = openStore(temporaryFolder('given-up'));
    const first = await run(new TestExecutor(1, lost), 'cut/whole', { store, share: shareOf() });
    expect(first.summary.failed).toMatchObject([{ code: 'WORKER_LOST' }]);
    const { key } = first.summary.failed[0]!;
    expect(store.attempts(key)).toEqual([1, 2]);
    expect(store.states(key, 2).at(-1)).toMatchObject({ given_up: true });
    const executor = new TestExecutor(1);
    const second = await run(executor, 'cut/whole', { store, share: shareOf() });
    expect(second.summary).toMatchObject({ failed: [{ key, code: 'WORKER_LOST' }], done: [] });
    expect(executor.submitted).toEqual([]);
  });
});

/** Short, but for what is not tested. */
const limits: Limits = { load: 1_000, trace: 60_000, evaluate: 60_000, save: 60_000, step: { times: 2, floor: 1_000, unknown: 1_000 } };

const asked = (signal: AbortSignal): Promise<void> => new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('a job that says nothing', () => {
  test('is told of as stalled, stopped at its limit, failed with the phase and the limit, and tried again', async () => {
    const states: unknown[] = [];
    const store = openStore(temporaryFolder('silent'));
    let first = true;
    const executor = new TestExecutor(1, async (task, go, { listener, signal }) => {
      listener.began();
      if (!first) return go().then(() => ({ alive: true }));
      first = false;
      store.attemptOf(task.attempts[0]!.key, 1).claim();
      await asked(signal);
      return { signal: 'SIGKILL' };
    });
    const onEvent = (e: RunEvent): void => {
      if (e.type === 'stalled') states.push(store.state(e.key));
    };
    const { summary, events } = await run(executor, 'cut/whole', { store, limits, onEvent });
    expect(summary).toMatchObject({ failed: [], interrupted: [] });
    const key = summary.done[0]!;
    expect(events.filter(e => e.type === 'stalled')).toEqual([expect.objectContaining({ key, phase: 'load', limit: 1_000, place: 'cpu:0' })]);
    // Whoever looks into the store sees that, too.
    expect(states).toEqual([expect.objectContaining({ state: 'running', attempt: 1, stalled: expect.stringMatching(/^no word for .* in phase 'load' \(limit 1 s\)$/) as string })]);
    const retry = events.find(e => e.type === 'retry')!;
    expect(retry).toMatchObject({
      microBatches: 1,
      failure: { key, code: 'WORKER_HUNG', reason: expect.stringMatching(/^no word for .* in phase 'load' \(limit 1 s\): the worker was stopped$/) as string },
    });
    expect(store.states(key, 1).at(-1)).toMatchObject({ state: 'failed', code: 'WORKER_HUNG', permanent: false });
    expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
  });

  test('and leaves when it is asked to, has hung all the same', async () => {
    const executor = new TestExecutor(1, async (task, _, { listener, signal }) => {
      listener.began();
      const attempt = store.attemptOf(task.attempts[0]!.key, task.attempts[0]!.attempt);
      attempt.claim();
      await asked(signal);
      attempt.record({ state: 'interrupted' });
      return { exitCode: 75 };
    });
    const store = openStore(temporaryFolder('obeys'));
    const { summary } = await run(executor, 'cut/whole', { store, limits });
    expect(summary).toMatchObject({ failed: [{ code: 'WORKER_HUNG' }], interrupted: [] });
    expect(executor.submitted).toHaveLength(2); // and no more
  });

  test('but had committed, is done', async () => {
    const executor = new TestExecutor(1, async (_, go, { listener, signal }) => {
      listener.began();
      await go();
      await asked(signal);
      return { signal: 'SIGKILL' };
    });
    const { summary } = await run(executor, 'cut/whole', { limits: { ...limits, save: 1_000 } });
    expect(summary.failed).toEqual([]);
    expect(summary.done).toHaveLength(3);
  });

  test('for a while, and speaks again, goes on: the store says so', async () => {
    const store = openStore(temporaryFolder('again'));
    const seen: (string | undefined)[] = [];
    let told: () => void = () => undefined;
    const isTold = new Promise<void>(resolve => (told = resolve));
    const executor = new TestExecutor(1, async (task, go, { listener }) => {
      if (store.stage(task.attempts[0]!.key)!.kind !== 'graft') return go().then(() => ({ alive: true }));
      listener.began();
      const { key } = task.attempts[0]!;
      const look = (): number => {
        const state = store.state(key);
        return seen.push(state.state === 'running' ? state.stalled : state.state);
      };
      store.attemptOf(key, 1).claim();
      await isTold;
      look();
      listener.progress(key, { phase: 'load', step: 0, steps: 0 });
      look();
      return go().then(() => ({ alive: true }));
    });
    const { summary } = await run(executor, 'cut/whole', {
      store,
      limits: { ...limits, load: 4_000 },
      onEvent: e => {
        if (e.type === 'stalled') told();
      },
    });
    expect(summary).toMatchObject({ failed: [] });
    expect(seen).toEqual([expect.stringContaining("in phase 'load'"), undefined]);
  });

  test('is left alone where nobody said that it began, as one in a queue', async () => {
    const executor = new TestExecutor(1, (_, go) => new Promise(resolve => setTimeout(resolve, 2_500)).then(go).then(() => ({ alive: true })));
    const { summary, events } = await run(executor, 'variety/own-root', { limits });
    expect(summary.failed).toEqual([]);
    expect(events.some(e => e.type === 'stalled')).toBe(false);
  });

  test('takes its pack with it, and each of them is tried again by itself', async () => {
    const only = 'side-by-side/tall,side-by-side/middle';
    const tasks: string[][] = [];
    const executor = new TestExecutor(1, async (task, go, { listener, signal }) => {
      tasks.push(task.attempts.map(a => a.key));
      listener.began();
      if (task.attempts.length === 1) return go().then(() => ({ alive: true }));
      await asked(signal);
      return { signal: 'SIGKILL' };
    });
    const { summary, events } = await run(executor, only, { limits });
    expect(summary.failed).toEqual([]);
    const pack = tasks.find(keys => keys.length > 1)!;
    const of = (type: RunEvent['type']): string[] => events.flatMap(e => (e.type !== type ? [] : 'failure' in e ? [e.failure.key] : 'key' in e ? [e.key] : []));
    expect(of('stalled').sort()).toEqual([...pack].sort());
    expect(of('retry').sort()).toEqual([...pack].sort());
    for (const key of pack) expect(tasks).toContainEqual([key]);
  });
});

describe('a stage that memory does not suffice for', () => {
  const executorOf = (behaviour: Behaviour): { executor: TestExecutor; split: () => number[] } => {
    const split: number[] = [];
    const executor = new TestExecutor(1, (task, go, given) => {
      if (store.stage(task.attempts[0]!.key)!.kind !== 'graft') return go().then(() => ({ alive: true }));
      split.push(task.execution.microBatches ?? 1);
      return behaviour(task, go, given);
    });
    return { executor, split: () => split };
  };
  let store: Store;
  beforeEach(() => (store = openStore(temporaryFolder('memory'))));

  test.each<[string, Ended, number[]]>([
    ['killed, and the system tells nothing', { signal: 'SIGKILL' }, [1, 2, 4, 4]],
    ['killed by the system for it', { signal: 'SIGKILL', outOfMemory: true }, [1, 2, 4, 4]],
    ['killed, and the system knows of no want', { signal: 'SIGKILL', outOfMemory: false }, [1, 1, 2, 4]],
    ['ended by an engine that says so', { signal: 'SIGABRT', output: { text: 'std::bad_alloc', file: 'f' } }, [1, 2, 4, 4]],
    ['crashed otherwise', { signal: 'SIGSEGV' }, [1, 1]],
  ])('%s: what is tried, and then no more', async (_, ended, expected) => {
    const { executor, split } = executorOf(() => Promise.resolve(ended));
    const { summary } = await run(executor, 'cut/whole', { store });
    expect(split()).toEqual(expected);
    expect(summary.failed).toHaveLength(1);
  });

  test('is done with half the micro-batch, as its provenance says; a later run goes on with it', async () => {
    let stopped = false;
    const stop = new AbortController();
    const { executor, split } = executorOf(async ({ execution: { microBatches = 1 } }, go, { signal }) => {
      if (microBatches === 1) return { signal: 'SIGKILL' };
      if (!stopped) {
        stopped = true;
        stop.abort();
        await asked(signal);
      }
      await go();
      return { exitCode: 0 };
    });
    const first = await run(executor, 'cut/whole', { store, stop: stop.signal });
    expect(first.summary.interrupted).toHaveLength(1);
    const key = first.summary.interrupted[0]!;
    const second = await run(executor, 'cut/whole', { store });
    expect(second.summary).toMatchObject({ failed: [] });
    expect(split()).toEqual([1, 2, 2]);
    expect(store.provenance(key)).toMatchObject({ stage: { micro_batches: 2 } });
    expect(readFileSync(store.logFile(key, 3), 'utf8')).toContain('2 times as many micro-batches');
  });

  test('in a pack: each runs alone as it was before any of them is split', async () => {
    const sizes: number[][] = [];
    const { executor } = executorOf((task, go) => {
      sizes.push([task.attempts.length, task.execution.microBatches ?? 1]);
      return task.attempts.length > 1 ? Promise.resolve({ signal: 'SIGKILL' }) : go().then(() => ({ alive: true }));
    });
    const { summary } = await run(executor, 'side-by-side/tall,side-by-side/middle', { store });
    expect(summary.failed).toEqual([]);
    expect(sizes).toEqual([
      [2, 1],
      [1, 1],
      [1, 1],
    ]);
    for (const key of summary.done) expect(store.provenance(key)).not.toHaveProperty('stage.micro_batches');
  });
});
