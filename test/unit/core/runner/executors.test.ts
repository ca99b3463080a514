/** What stands behind the executor's interface makes no difference to what a sweep leaves: this process, or a cluster far away. */
import { describe, expect, test, vi } from 'vitest';
import type { Plan } from '../../../../src/core/plan/plan.ts';
import { parseDevices } from '../../../../src/core/runner/devices.ts';
import { createExecutor } from '../../../../src/core/runner/executors/create.ts';
import type { Executor } from '../../../../src/core/runner/executors/executor.ts';
import type { RunEvent, RunSummary } from '../../../../src/core/runner/events.ts';
import type { RunOptions } from '../../../../src/core/runner/run.ts';
import { runPlan } from '../../../../src/core/runner/run.ts';
import { openStore, type Store } from '../../../../src/core/store/store.ts';
import toyStudy from '../../../toy/experiments/study.ts';
import { committedBytes, temporaryFolder, toyExperiments, toyPlan } from '../../../toy/sweep.ts';
import { Cluster, ClusterExecutor, Network, type Weather } from '../../../helpers/fake-cluster.ts';

vi.setConfig({ testTimeout: 60_000 }); // whole sweeps, several in each test

const ONLY = 'cut,variety,side-by-side/tall,side-by-side/middle,side-by-side/small';
/** Of about two seconds each; both can begin at once. */
const TWO_TREES = { profile: 'slow', only: 'variety/own-root', seeds: '0,1' };
const STORM: Weather = { lost: 0.3, doubled: 0.3, delay: 8 };

interface Swept {
  readonly store: Store;
  readonly summary: RunSummary;
  readonly events: readonly RunEvent[];
}

async function sweep(plan: Plan, executor: Executor, options: Partial<RunOptions> = {}): Promise<Swept> {
  const { store = openStore(temporaryFolder('executors')) } = options,
    events: RunEvent[] = [];
  const summary = await runPlan({
    plan,
    kinds: toyStudy.kinds,
    store,
    executor,
    experiments: toyExperiments,
    dataDir: '/none',
    poll: 5,
    ...options,
    onEvent: e => {
      events.push(e);
      options.onEvent?.(e);
    },
  });
  return { store, summary, events };
}

describe('inline', () => {
  test('runs every stage in this process, one after the other', async () => {
    const plan = await toyPlan({ profile: 'quick', only: ONLY });
    const { store, summary, events } = await sweep(plan, createExecutor(parseDevices('inline')));
    expect(summary).toMatchObject({ failed: [], blocked: [], left: [] });
    for (const key of plan.stages.keys()) expect(store.provenance(key)).toMatchObject({ pid: process.pid, place: 'inline' });
    expect(events.map(e => e.counts.running)).not.toContain(4);
    const packs = new Set(events.flatMap(e => (e.type === 'started' ? [e.pack.join()] : [])));
    expect([...packs].map(keys => keys.split(',').length)).toContain(3);
  });

  test('is not watched: a debugger may hold it', async () => {
    const plan = await toyPlan({ profile: 'slow', only: 'variety/own-root' });
    const short = { load: 1, trace: 1, evaluate: 1, save: 1, step: { times: 0, floor: 1, unknown: 1 } };
    const { summary, events } = await sweep(plan, createExecutor(parseDevices('inline')), { limits: short });
    expect(summary.failed).toEqual([]);
    expect(events.some(e => e.type === 'stalled')).toBe(false);
  });

  test('stops after a checkpoint when asked to', async () => {
    const plan = await toyPlan({ profile: 'slow', only: 'cut/whole' });
    const stop = new AbortController();
    const { store, summary } = await sweep(plan, createExecutor(parseDevices('inline')), {
      stop: stop.signal,
      onEvent: e => {
        if (e.type === 'progress' && e.progress.step >= 3) stop.abort();
      },
    });
    expect(summary.interrupted).toHaveLength(1);
    expect(store.furthestCheckpoint(summary.interrupted[0]!)!.step).toBeGreaterThanOrEqual(3);
  });

  test('refuses a stage that needs another environment from the start of its process', async () => {
    const plan = await toyPlan({ profile: 'quick', only: 'side-by-side/tall,side-by-side/warm' });
    const { summary } = await sweep(plan, createExecutor(parseDevices('inline')));
    expect(summary.failed).toEqual([expect.objectContaining({ reason: expect.stringContaining('run it with --devices cpu:1x1') as string })]);
  });
});

describe('a cluster behind a network that loses, delays and doubles messages', () => {
  test.each([1, 2, 3, 4])('ends with the same bytes, and runs nothing twice (seed %i)', async seed => {
    const plan = await toyPlan({ profile: 'quick', only: ONLY });
    const calm = await sweep(plan, createExecutor(parseDevices('inline')));
    const cluster = new Cluster(2),
      network = new Network(seed, STORM);
    const { store, summary } = await sweep(plan, new ClusterExecutor(cluster, network, 4));
    expect(summary).toMatchObject({ failed: [], blocked: [], interrupted: [], left: [] });
    expect(committedBytes(store, plan)).toEqual(committedBytes(calm.store, plan));
    expect(Object.keys(committedBytes(store, plan))).toHaveLength(2 * plan.stages.size);
    for (const key of plan.stages.keys()) {
      expect(store.attempts(key)).toEqual([1]);
      expect(store.curve(key)).toEqual(calm.store.curve(key));
    }
    expect(new Set(cluster.started).size).toBe(cluster.started.length);
    expect(network.counts.lost).toBeGreaterThan(10);
    expect(network.counts.doubled).toBeGreaterThan(10);
  });

  const CALM = { lost: 0, doubled: 0, delay: 1 };

  describe.each([
    { weather: 'a storm', links: STORM, tags: ['long'] },
    { weather: 'a calm', links: CALM, tags: [] },
  ])('in $weather', ({ links, tags }) => {
    test('cancels what runs and what waits in its queue; the next sweep goes on from there', { tags }, async () => {
      const plan = await toyPlan(TWO_TREES);
      const calm = await sweep(plan, createExecutor(parseDevices('inline')));
      const store = openStore(temporaryFolder('cancel')),
        stop = new AbortController();
      // One node, two places: the second job waits in the queue.
      const cluster = new Cluster(1);
      const onEvent = (e: RunEvent): void => {
        if (e.type === 'progress' && e.progress.step >= 5) stop.abort();
      };
      const first = await sweep(plan, new ClusterExecutor(cluster, new Network(5, links), 2), { store, stop: stop.signal, onEvent });
      expect(first.summary).toMatchObject({ done: [], failed: [] });
      expect(first.summary.interrupted).toHaveLength(2);
      // In a storm the node may come free, and take the second, before the word of its end arrives.
      if (links === CALM) expect(cluster.started).toHaveLength(1);
      const second = await sweep(plan, new ClusterExecutor(cluster, new Network(6, links), 2), { store });
      expect(second.summary).toMatchObject({ failed: [], left: [] });
      expect(committedBytes(store, plan)).toEqual(committedBytes(calm.store, plan));
      for (const key of first.summary.interrupted) expect(store.state(key)).toEqual({ state: 'done', attempt: 2 });
    });
  });

  test('of a job in its queue no word is expected', async () => {
    const plan = await toyPlan(TWO_TREES);
    const cluster = new Cluster(1),
      calmNetwork = new Network(7, CALM);
    const limits = { load: 1_500, trace: 1_500, evaluate: 1_500, save: 1_500, step: { times: 1, floor: 1_500, unknown: 1_500 } };
    // The second tree waits for about two seconds.
    const { summary, events } = await sweep(plan, new ClusterExecutor(cluster, calmNetwork, 2), { limits });
    expect(summary.failed).toEqual([]);
    expect(events.filter(e => e.type === 'retry')).toEqual([]);
  });
});
