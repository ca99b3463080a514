/** What workers in allocations of their own know of each other's tries. */
import { describe, expect, test } from 'vitest';
import { Round, type RoundOptions } from '../../../../src/core/runner/round.ts';
import type { StateLine } from '../../../../src/core/store/records.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { key, storeWithStage } from '../../../toy/store.ts';

const GIBI = 2 ** 30;

interface Tried {
  readonly round?: string;
  readonly job?: string;
  readonly memory?: number;
  readonly place?: string;
}

/** An attempt of one round that came to an end. */
async function tried(store: Store, end: Omit<StateLine, 'time'>, { round = 'r', place = 'cpu:0', ...facts }: Tried = {}): Promise<void> {
  const acquired = await store.acquire(key, place, { round, ...facts });
  if (acquired.type !== 'acquired') throw new Error(`expected the stage, got ${acquired.state.state}`);
  acquired.attempt.record(end);
  acquired.attempt.close();
}

const roundOf = (store: Store, name = 'r', more: Partial<RoundOptions> = {}): Round => new Round(store, { name, ...more });
const failed = { state: 'failed', code: 'BENT', reason: 'bent' } as const,
  interrupted = { state: 'interrupted' } as const,
  outOfMemory = { state: 'failed', code: 'OUT_OF_MEMORY', reason: 'none left' } as const;

describe('failures', () => {
  test('two of them end the tries at a stage, whoever made them; interruptions do not count', async () => {
    const { store } = storeWithStage();
    await tried(store, failed, { job: '1' });
    await tried(store, interrupted, { job: '1' });
    expect(roundOf(store).failure(key)).toBeUndefined();
    expect(roundOf(store).mayTryAgain(key)).toBe(true);
    await tried(store, failed, { job: '2' });
    expect(roundOf(store).mayTryAgain(key)).toBe(false);
    expect(roundOf(store).failure(key)).toEqual({ attempt: 3, code: 'BENT', reason: 'bent', permanent: false });
    await tried(store, interrupted, { job: '2' });
    expect(roundOf(store).failure(key)).toMatchObject({ attempt: 3 });
  });

  test('of another round, or of no round, count for nothing', async () => {
    const { store } = storeWithStage();
    await tried(store, failed, { round: 'before' });
    await tried(store, failed, { round: 'before' });
    expect(roundOf(store).failure(key)).toBeUndefined();
    expect(roundOf(store, 'before').failure(key)).toMatchObject({ attempt: 2 });
    const acquired = await store.acquire(key, 'cpu:0');
    if (acquired.type === 'acquired') acquired.attempt.record(failed);
    expect(roundOf(store).failure(key)).toBeUndefined();
  });

  test('one that is permanent suffices, as does one that a worker gave up', async () => {
    for (const word of [{ permanent: true }, { given_up: true }]) {
      const { store } = storeWithStage();
      await tried(store, { ...failed, ...word });
      expect(roundOf(store).failure(key)).toMatchObject({ attempt: 1, permanent: 'permanent' in word });
    }
  });
});

describe('memory', () => {
  test('twice what did not suffice, and again, as often as it runs out; it is no failure', async () => {
    const { store } = storeWithStage();
    expect(roundOf(store).memory(key)).toBeUndefined();
    await tried(store, outOfMemory, { memory: GIBI });
    expect(roundOf(store).memory(key)).toBe(2 * GIBI);
    await tried(store, outOfMemory, { memory: 2 * GIBI });
    await tried(store, outOfMemory, { memory: 4 * GIBI });
    expect(roundOf(store).memory(key)).toBe(8 * GIBI);
    expect(roundOf(store).failure(key)).toBeUndefined();
    expect(roundOf(store).mayTryAgain(key)).toBe(true);
    expect(roundOf(store, 'next').memory(key)).toBeUndefined();
  });

  test('an estimate counts as long as nothing was lacking', async () => {
    const { store } = storeWithStage();
    const estimate = (): number => 3 * GIBI;
    expect(roundOf(store, 'r', { estimate }).memory(key)).toBe(3 * GIBI);
    await tried(store, outOfMemory, { memory: 4 * GIBI });
    expect(roundOf(store, 'r', { estimate }).memory(key)).toBe(8 * GIBI);
  });

  test('ran out where the scheduler says so of its job, which could not', async () => {
    const { store } = storeWithStage();
    await tried(store, { state: 'running' }, { job: '7', memory: GIBI });
    expect(roundOf(store, 'r', { ranOutOfMemory: job => job === '7' }).memory(key)).toBe(2 * GIBI);
    expect(roundOf(store, 'r', { ranOutOfMemory: () => false }).memory(key)).toBeUndefined();
  });

  test('of a GPU is not that of the allocation', async () => {
    const { store } = storeWithStage();
    await tried(store, outOfMemory, { memory: GIBI, place: 'gpu:0' });
    expect(roundOf(store).memory(key)).toBeUndefined();
    await tried(store, outOfMemory, { memory: GIBI, place: 'gpu:0' });
    expect(roundOf(store).mayTryAgain(key)).toBe(true); // in smaller micro-batches
  });

  test('what allocations had is told for those that were looked at', async () => {
    const { store } = storeWithStage();
    await tried(store, interrupted, { job: '7', memory: GIBI });
    const round = roundOf(store);
    expect(round.memories()).toEqual([]);
    round.memory(key);
    expect(round.memories()).toEqual([{ job: '7', memory: GIBI }]);
  });
});
