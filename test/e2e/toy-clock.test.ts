/** Clocks that are wrong, and are set while sweeps run: no lease, limit or duration hangs on them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { Host } from '../toy/host.ts';
import { startAblate } from '../toy/program.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterEach(endSweeps);

const HOUR = 3600_000;

interface Facts {
  readonly host: string;
  readonly started: string;
  readonly ended: string;
  readonly wall_seconds: number;
}

/** Paths of numbers below zero, at any depth. */
function negatives(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return value < 0 ? [`${path} ${value}`] : [];
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([name, v]) => negatives(v, `${path}/${name}`)) : [];
}

test('two hosts a day apart share a sweep while their clocks are set by hours and days: nothing is stolen, stopped, done twice or of negative length', { tags: 'long' }, async () => {
  const choice = { profile: 'slow', only: 'cut' };
  const plan = await toyPlan(choice);
  // A lease of hosts whose clocks agree would long be over whenever one is set.
  const options = { ...choice, devices: 'cpu:1x1', store: temporaryFolder('clock'), lease: 8_000 };
  const calm = { ...choice, devices: 'cpu:2x1', store: temporaryFolder('calm') };
  const [alpha, beta] = [new Host('alpha'), new Host('beta', 25 * HOUR)];
  const ablate = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout, exitCode, stderr } = await startAblate(alpha.env, 'experiments', command, '--store', options.store, '--profile', 'slow', ...args);
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    return stdout;
  };
  const look = async () => JSON.parse(await ablate('status', '--only', 'cut', '--json')) as { counts: Record<string, number> };
  const looks: { counts: Record<string, number> }[] = [];

  const undisturbed = startSweep(calm).summary;
  const first = startSweep(options, alpha.env);
  await first.until(e => e.type === 'progress' && e.progress.step >= 20);
  alpha.setClock(-2 * HOUR);
  const second = startSweep(options, beta.env);
  await second.until(e => e.type === 'progress' && e.progress.step >= 5); // each has a stage of its own now
  looks.push(await look());
  alpha.setClock(26 * HOUR);
  beta.setClock(-72 * HOUR);
  await sleep(500);
  looks.push(await look());
  const summaries = await Promise.all([first.summary, second.summary]);

  for (const { events } of [first, second]) expect(events.map(e => e.type).filter(type => ['retry', 'stalled', 'failed', 'interrupted'].includes(type))).toEqual([]);
  expect(summaries.flatMap(s => s!.done).sort()).toEqual([...plan.stages.keys()].sort());
  const store = openStoreReadOnly(options.store);
  for (const key of plan.stages.keys()) expect(store.attempts(key)).toEqual([1]);
  expect((await undisturbed)!.failed).toEqual([]);
  expect(committedBytes(store, plan)).toEqual(committedBytes(openStoreReadOnly(calm.store), plan));

  const facts = [...plan.stages.keys()].map(key => store.provenance(key) as unknown as Facts);
  expect(new Set(facts.map(f => f.host))).toEqual(new Set(['alpha', 'beta']));
  for (const { started, ended, wall_seconds: seconds } of facts) {
    expect((Date.parse(ended) - Date.parse(started)) / 1e3).toBeCloseTo(seconds, 2);
    expect(seconds).toBeLessThan(HOUR / 1e3 / 2); // clocks were set by hours
  }
  looks.push(await look());
  for (const { counts } of looks) expect(counts).toMatchObject({ failed: 0, interrupted: 0 });
  expect(looks.map(l => l.counts['done'])).toEqual([expect.any(Number), expect.any(Number), plan.stages.size]);
  const reports = temporaryFolder('clock-reports');
  await ablate('report', '--reports', reports);
  expect(negatives([looks, JSON.parse(readFileSync(join(reports, 'slow', 'provenance.json'), 'utf8'))])).toEqual([]);
});
