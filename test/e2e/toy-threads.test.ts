/** A stage that all others wait for has the threads of the workers that wait with them: real sweeps of the toy study. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { StoreWatcher } from '../../src/core/inspect/snapshot.ts';
import type { RunEvent } from '../../src/core/runner/events.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterAll(endSweeps);

/** Most threads in use at once, as the runner's events tell: places of one thread each. */
function mostThreads(events: readonly RunEvent[]): number {
  const busy = new Map<string, number>();
  return Math.max(
    ...events.map(event => {
      if (event.type === 'started') busy.set(event.key, event.threads ?? 1);
      if (event.type === 'finished' || event.type === 'interrupted') busy.delete(event.key);
      if (event.type === 'retry' || event.type === 'failed') busy.delete(event.failure.key);
      return [...busy.values()].reduce((a, b) => a + b, 0);
    }),
  );
}

const wide = { profile: 'quick', devices: 'cpu:3x1', wideFrom: 1 };
interface Facts {
  readonly place: string;
  readonly threads: number;
  readonly borrowed_threads?: number;
  readonly stage: { readonly threads: string };
}

describe.concurrent('idle threads', () => {
  test('go to the one stage that can run; what waited for it finds its places free, and the bytes are those of one thread', async () => {
    const options = { ...wide, only: 'cut', store: temporaryFolder('wide') };
    const plan = await toyPlan(options);
    const sweep = startSweep(options);
    expect((await sweep.summary)!.failed).toEqual([]);
    const store = openStoreReadOnly(options.store);
    const facts = (kind: string): Facts[] => [...plan.stages.values()].flatMap(s => (s.kind === kind ? [store.provenance(s.key) as unknown as Facts] : []));

    const [stock] = facts('seedling');
    expect(stock).toMatchObject({ threads: 3, borrowed_threads: 2, stage: { threads: '3' } });
    const key = [...plan.stages.values()].find(s => s.kind === 'seedling')!.key;
    expect(readFileSync(store.logFile(key, 1), 'utf8')).toContain('with 3 threads, 2 of them of idle workers');
    const grafts = facts('graft');
    expect(grafts.map(g => g.place).sort()).toEqual(['cpu:0', 'cpu:1', 'cpu:2']);
    for (const graft of grafts) {
      expect(graft).toMatchObject({ threads: 1, stage: { threads: '1' } });
      expect(graft).not.toHaveProperty('borrowed_threads');
    }
    expect(mostThreads(sweep.events)).toBe(3);

    const narrow = { ...options, devices: 'cpu:1x1', store: temporaryFolder('narrow') };
    expect((await startSweep(narrow).summary)!.failed).toEqual([]);
    expect(committedBytes(store, plan)).toEqual(committedBytes(openStoreReadOnly(narrow.store), plan));
  });

  test('stay where they are while another stage can run, or runs; for a short stage; and for one whose bytes could change', async () => {
    const threadsOf = async (options: { only: string; wideFrom?: number }): Promise<number[]> => {
      const all = { ...wide, ...options, store: temporaryFolder('own') };
      const sweep = startSweep(all);
      expect((await sweep.summary)!.failed).toEqual([]);
      return sweep.events.flatMap(e => (e.type === 'started' ? [e.threads ?? 1] : []));
    };
    const [two, short] = await Promise.all([
      threadsOf({ only: 'variety/oak,variety/elm' }), // two stocks; grafts and weighings are of kinds that say nothing of threads
      threadsOf({ only: 'cut/whole', wideFrom: 6 }),
    ]);
    expect([two, short].map(all => new Set(all))).toEqual([new Set([1]), new Set([1])]);
  });

  test('a sweep that is killed while they are lent goes on, with the same bytes', { tags: 'long' }, async () => {
    const choice = { ...wide, profile: 'slow', only: 'cut', checkpointEvery: 100 };
    const plan = await toyPlan(choice);
    const store = temporaryFolder('killed-wide');
    const first = startSweep({ ...choice, store });
    await first.until(e => e.type === 'progress' && e.progress.step >= 30);
    expect(first.events.find(e => e.type === 'started')).toMatchObject({ threads: 3 });
    const watcher = new StoreWatcher(store, plan);
    expect(watcher.snapshot().stages.flatMap(({ progress }) => (progress ? [progress] : []))).toMatchObject([{ place: 'cpu:0', threads: 3 }]);
    expect(watcher.places(watcher.snapshot())).toMatchObject([{ name: 'cpu:0', threads: 1 }]);
    first.killGroup();
    await first.summary;
    const second = startSweep({ ...choice, store });
    expect((await second.summary)!.failed).toEqual([]);
    expect(second.events.find(e => e.type === 'started')).toMatchObject({ threads: 3, attempt: 2 });
    expect(mostThreads(second.events)).toBe(3);
    const calm = { ...choice, wideFrom: 1e12, store: temporaryFolder('calm-narrow') };
    const steps = (where: string): object[] => [...plan.stages.keys()].map(key => openStoreReadOnly(where).result(key)!);
    expect((await startSweep(calm).summary)!.failed).toEqual([]);
    expect(steps(store)).toEqual(steps(calm.store));
  });
});
