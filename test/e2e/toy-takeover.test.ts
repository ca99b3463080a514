/** A sweep that stands still for longer than its lease: another takes its stages over, and what comes late reaches only its own attempt. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterEach(endSweeps);

test('runner and worker frozen beyond their lease, then continued: one result, the same bytes, no step twice', async () => {
  const choice = { profile: 'slow', only: 'cut/whole', devices: 'cpu:1x1', checkpointEvery: 200, lease: 4_000 };
  const plan = await toyPlan(choice);
  const key = plan.arms[0]!.stages['stock']!;
  const calm = { ...choice, store: temporaryFolder('calm') },
    options = { ...choice, store: temporaryFolder('frozen') };
  const undisturbed = startSweep(calm).summary;

  const frozen = startSweep(options);
  await frozen.until(e => e.type === 'progress' && e.key === key && e.progress.step >= 40);
  process.kill(-frozen.pid, 'SIGSTOP');
  const second = startSweep(options);
  await second.until(e => e.type === 'waiting' && e.key === key);
  await second.until(e => e.type === 'started' && e.key === key && e.attempt === 2);
  await second.until(e => e.type === 'finished' && e.key === key);
  process.kill(-frozen.pid, 'SIGCONT');

  for (const summary of await Promise.all([frozen.summary, second.summary])) expect(summary).toMatchObject({ failed: [], blocked: [], interrupted: [], left: [] });
  expect((await undisturbed)!.failed).toEqual([]);
  const store = openStoreReadOnly(options.store);
  expect(committedBytes(store, plan)).toEqual(committedBytes(openStoreReadOnly(calm.store), plan));
  for (const k of plan.stages.keys()) expect(store.curve(k)).toEqual(openStoreReadOnly(calm.store).curve(k));
  expect(store.curve(key).map(r => r.step)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));

  expect(store.doneAttempt(key)).toBe(2);
  expect(store.states(key, 1).at(-1)).toMatchObject({ state: 'uncommitted' });
  expect(existsSync(join(store.attemptDir(key, 1), 'result.json'))).toBe(true); // it came to its end, and counts for nothing
  for (const k of plan.stages.keys()) if (k !== key) expect(store.attempts(k)).toEqual([1]);
});
