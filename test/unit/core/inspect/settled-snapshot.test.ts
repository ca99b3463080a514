/** Looks at stages of other hosts and of damaged attempts, where no process can be asked. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { settledSnapshot } from '../../../../src/core/inspect/settled-snapshot.ts';
import { StoreWatcher, workersOf } from '../../../../src/core/inspect/snapshot.ts';
import type { Plan } from '../../../../src/core/plan/plan.ts';
import { begin, identity, key, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const plan: Plan = {
  stages: new Map([[key, { key, ...identity, cost: { labelledImages: 0, unlabelledImages: 3, flops: 3 }, roles: ['tree'], users: [{ ablation: 'a', arm: 'b', seed: 0 }] }]]),
  arms: [{ ablation: 'a', arm: 'b', seed: 0, stages: { tree: key }, final: key, finals: [key] }],
};

/** A stage that this process works on, as if it were another host's. */
async function foreignStage(): Promise<{ dir: string; heartbeat: string; attemptDir: string }> {
  const { store } = storeWithStage();
  const attempt = await begin(store);
  attempt.progress({ phase: 'step', step: 2, steps: 3 });
  attempt.close();
  for (const name of ['attempt.json', 'worker.json']) {
    const path = join(attempt.dir, name);
    const record = JSON.parse(readFileSync(path, 'utf8')) as { owner: { host: string } };
    record.owner.host = 'elsewhere';
    writeFileSync(path, JSON.stringify(record));
  }
  return { dir: store.dir, heartbeat: join(attempt.dir, 'heartbeat'), attemptDir: attempt.dir };
}

const LEASE = 600;
const old = new Date(Date.now() - 3600_000);

describe('a look at a stage of another host', () => {
  it('whose heartbeat stands still: watched for a lease, then no longer shown as running', async () => {
    const told: number[] = [];
    const { dir, heartbeat } = await foreignStage();
    utimesSync(heartbeat, old, old);
    const watcher = new StoreWatcher(dir, plan, { lease: LEASE });
    const first = watcher.snapshot();
    expect(first.stages[0]!.state.state).toBe('running');
    expect(watcher.mayBeGone(first)).toBe(true);
    // A watcher of its own, so that the lease begins with it on a machine of any speed.
    const sure = await settledSnapshot(new StoreWatcher(dir, plan, { lease: LEASE }), seconds => void told.push(seconds));
    expect(sure.stages[0]!.state).toEqual({ state: 'interrupted', attempt: 1 });
    expect(sure.runners).toEqual([]);
    expect(told).toEqual([Math.round(LEASE / 1e3)]);
  });

  it('whose heart beats, whatever its clock says: running, with its runner and how far it is', async () => {
    const { dir, heartbeat } = await foreignStage();
    utimesSync(heartbeat, old, old);
    const beating = new AbortController();
    const beat = (async () => {
      for (let n = 1; !beating.signal.aborted; n++) {
        await sleep(100);
        const time = new Date(old.getTime() + n * 100); // an hour behind ours
        utimesSync(heartbeat, time, time);
      }
    })();
    const sure = await settledSnapshot(new StoreWatcher(dir, plan, { lease: LEASE }), () => undefined);
    beating.abort();
    await beat;
    expect(sure.stages[0]!.state).toMatchObject({ state: 'running', attempt: 1, owner: { host: 'elsewhere' } });
    expect(sure.runners.map(r => r.host)).toEqual(['elsewhere']);
    expect(workersOf(sure)[0]![0]!.progress).toMatchObject({ place: 'cpu:0', phase: 'step', step: 2, steps: 3 });
  });
});

describe('a look at a store', () => {
  it('that is not there, is being made, or has a damaged attempt, finds what there is', async () => {
    const dir = temporaryFolder('look');
    expect(new StoreWatcher(join(dir, 'none'), plan).snapshot()).toMatchObject({ runners: [], stages: [{ state: { state: 'absent' } }] });
    expect(new StoreWatcher(dir, plan).store).toBeUndefined(); // empty: a sweep is about to make it
    writeFileSync(join(dir, 'diary.txt'), '');
    expect(() => new StoreWatcher(dir, plan).store).toThrow(expect.objectContaining({ code: 'NOT_A_STORE' }));
    const { dir: damaged, attemptDir } = await foreignStage();
    for (const name of ['attempt.json', 'worker.json', 'progress.jsonl']) writeFileSync(join(attemptDir, name), '{"ow');
    expect(new StoreWatcher(damaged, plan).snapshot()).toMatchObject({ runners: [], stages: [{ state: { state: 'interrupted', attempt: 1 } }] });
  });
});
