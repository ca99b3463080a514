import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openStore, openStoreReadOnly } from '../../../../src/core/store/store.ts';
import type { SweptPlan } from '../../../../src/core/store/sweeps.ts';
import { temporaryFolder } from '../../../toy/sweep.ts';

const plan = (stages: Record<string, Record<string, string>>, more: Partial<SweptPlan> = {}): SweptPlan => ({
  profile: 'mini',
  overrides: [],
  seeds: [0],
  arms: Object.entries(stages).map(([arm, keys]) => ({ ablation: 'a', arm, seed: 0, stages: keys })),
  ...more,
});

describe('records of sweeps', () => {
  it('are kept newest first, and only where they say something new', async () => {
    const store = openStore(temporaryFolder('sweeps'));
    // A process records one sweep; here each needs a time of its own.
    const record = async (planned: SweptPlan): Promise<boolean> => {
      await sleep(2);
      return store.recordSweep(planned);
    };
    const x = { tree: 'k1', weigh: 'k2' },
      y = { tree: 'k3', weigh: 'k4' };
    expect(await record(plan({ x }))).toBe(true);
    expect(await record(plan({ x: { weigh: 'k2', tree: 'k1' } }))).toBe(false);
    expect(await record(plan({ x, y }))).toBe(true);
    expect(await record(plan({ y }))).toBe(false); // the record of both covers it
    expect(await record(plan({ y: { ...y, tree: 'k5' } }))).toBe(true);
    expect(await record(plan({ y }))).toBe(true); // back again: other than the newest says
    expect(await record(plan({ y: { weigh: 'k4' } }))).toBe(true); // a role is gone
    const sweeps = openStoreReadOnly(store.dir).sweeps();
    expect(sweeps.map(s => s.arms.length)).toEqual([1, 1, 1, 2, 1]);
    expect(sweeps.map(s => s.time)).toEqual([...sweeps.map(s => s.time)].sort().reverse());
    expect(readdirSync(join(store.dir, 'sweeps')).every(name => name.endsWith(`-${process.pid}.json`))).toBe(true);
  });

  it('of another profile, or of other overrides, say nothing of this one', async () => {
    const store = openStore(temporaryFolder('sweeps'));
    const x = { tree: 'k1' };
    await sleep(2);
    expect(store.recordSweep(plan({ x }))).toBe(true);
    await sleep(2);
    expect(store.recordSweep(plan({ x }, { profile: 'desk' }))).toBe(true);
    await sleep(2);
    expect(store.recordSweep(plan({ x }, { overrides: ['b=1', 'a=2'] }))).toBe(true);
    await sleep(2);
    expect(store.recordSweep(plan({ x }, { overrides: ['a=2', 'b=1'] }))).toBe(false);
  });

  it('that are damaged are told and passed over', () => {
    const warnings: string[] = [];
    const store = openStore(temporaryFolder('sweeps'), { warn: w => warnings.push(w) });
    expect(store.sweeps()).toEqual([]);
    store.recordSweep(plan({ x: { tree: 'k1' } }));
    writeFileSync(join(store.dir, 'sweeps/1.json'), '');
    writeFileSync(join(store.dir, 'sweeps/2.json'), '{"time":"2026-01-01T00:00:00Z","profile":1}');
    writeFileSync(join(store.dir, 'sweeps/.tmp-half'), '{');
    expect(store.sweeps(w => warnings.push(w))).toHaveLength(1);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/2\.json: profile: .*; passed over, it only serves to explain/);
    expect(store.recordSweep(plan({ x: { tree: 'k1' } }))).toBe(false);
  });
});
