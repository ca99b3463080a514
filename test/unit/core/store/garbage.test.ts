import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keyOf } from '../../../../src/core/ablation/identity.ts';
import { findGarbage } from '../../../../src/core/store/garbage.ts';
import { begin, identity, key, storeWithStage } from '../../../toy/store.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOON }));
afterEach(() => void vi.useRealTimers());

test.each([
  ['goes on', 60_000],
  ['was set back by an hour', -3600_000],
])('what a running sweep planned is none, when its clock %s', async (_, set) => {
  const { store } = storeWithStage();
  const [second, third] = [1, 2].map(seed => ({ ...identity, seed }));
  const keys = [second!, third!].map(stage => {
    store.ensureStage(keyOf(stage), stage, 'a stage');
    return keyOf(stage);
  });
  expect(
    findGarbage(store, new Set())
      .map(g => g.key)
      .sort(),
  ).toEqual([key, ...keys].sort()); // nobody plans them yet
  store.recordSweep({ profile: 'mini', overrides: [], seeds: [0], arms: [{ ablation: 'a', arm: 'x', seed: 0, stages: { stock: key, tree: keys[0]!, weigh: keys[1]! } }] });
  vi.setSystemTime(NOON + 1_000);
  await (await begin(store)).commit({ height: 1 });
  vi.setSystemTime(NOON + set);
  expect((await store.acquire(keys[0]!, 'cpu:0')).type).toBe('acquired');
  expect(findGarbage(store, new Set())).toEqual([]);
});
