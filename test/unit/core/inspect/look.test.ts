/** Looks at stages of other hosts and of damaged attempts, where no process can be asked. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { lookSurely } from '../../../../src/core/inspect/look.ts';
import { Looker, workersOf } from '../../../../src/core/inspect/snapshot.ts';
import type { Plan } from '../../../../src/core/plan/plan.ts';
import { begin, identity, key, storeWithStage } from '../../../toy/store.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const plan: Plan = {
  stages: new Map([[key, { key, ...identity, cost: { labelledImages: 0, unlabelledImages: 3, flops: 3 }, roles: ['tree'], users: [{ ablation: 'a', arm: 'b', seed: 0 }] }]]),
  arms: [{ ablation: 'a', arm: 'b', seed: 0, stages: { tree: key }, final: key }],
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
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { dir, heartbeat } = await foreignStage();
    utimesSync(heartbeat, old, old);
    const looker = new Looker(dir, plan, LEASE);
    const first = looker.look();
    expect(first.stages[0]!.state.state).toBe('running');
    expect(looker.mayBeGone(first)).toBe(true);
    const sure = await lookSurely(looker);
    expect(sure.stages[0]!.state).toEqual({ state: 'interrupted', attempt: 1 });
    expect(sure.runners).toEqual([]);
    expect(told).toHaveBeenCalledTimes(1);
    vi.restoreAllMocks();
  });

  it('whose heart beats, whatever its clock says: running, with its runner and how far it is', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
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
    const sure = await lookSurely(new Looker(dir, plan, LEASE));
    beating.abort();
    await beat;
    expect(sure.stages[0]!.state).toMatchObject({ state: 'running', attempt: 1, owner: { host: 'elsewhere' } });
    expect(sure.runners.map(r => r.host)).toEqual(['elsewhere']);
    expect(workersOf(sure)[0]![0]!.work).toMatchObject({ place: 'cpu:0', phase: 'step', step: 2, steps: 3 });
    vi.restoreAllMocks();
  });
});

describe('a look at a store', () => {
  it('that is not there, is being made, or has a damaged attempt, finds what there is', async () => {
    const dir = temporaryFolder('look');
    expect(new Looker(join(dir, 'none'), plan).look()).toMatchObject({ runners: [], stages: [{ state: { state: 'absent' } }] });
    expect(new Looker(dir, plan).store).toBeUndefined(); // empty: a sweep is about to make it
    writeFileSync(join(dir, 'diary.txt'), '');
    expect(() => new Looker(dir, plan).store).toThrow(expect.objectContaining({ code: 'NOT_A_STORE' }));
    const { dir: damaged, attemptDir } = await foreignStage();
    for (const name of ['attempt.json', 'worker.json', 'progress.jsonl']) writeFileSync(join(attemptDir, name), '{"ow');
    expect(new Looker(damaged, plan).look()).toMatchObject({ runners: [], stages: [{ state: { state: 'interrupted', attempt: 1 } }] });
  });
});
