/** What workers in allocations of their own know of each other's tries. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Round, type RoundOptions } from '../../../../src/core/runner/round.ts';
import { ownerOf } from '../../../../src/core/store/owner.ts';
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

describe('a stage whose jobs end without a word', () => {
  /** As after a crash of the node: nobody wrote how it ended, and its processes are gone. */
  async function lost(store: Store, job: string, { checkpoint = false, round = 'r' } = {}): Promise<void> {
    const acquired = await store.acquire(key, 'cpu:0', { round, job });
    if (acquired.type !== 'acquired') throw new Error(`expected the stage, got ${acquired.state.state}`);
    const { dir } = acquired.attempt;
    acquired.attempt.record({ state: 'running' });
    acquired.attempt.close();
    if (checkpoint) mkdirSync(join(dir, 'checkpoints/3'), { recursive: true });
    const file = join(dir, 'attempt.json');
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), owner: { ...ownerOf(process.pid), started: '1' } }));
  }

  test('is given up after five times in a row without a checkpoint, with the jobs that ended', async () => {
    const { store } = storeWithStage();
    for (const job of ['1', '2', '3', '4']) await lost(store, job);
    expect(roundOf(store).failure(key)).toBeUndefined();
    await lost(store, '5');
    const { reason, ...failure } = roundOf(store).failure(key)!;
    expect(failure).toEqual({ attempt: 5, code: 'JOB_LOST', permanent: false });
    expect(reason).toContain('its job ended 5 times in a row without a word');
    expect(reason).toContain('(jobs 1, 2, 3, 4, 5)');
    expect(roundOf(store, 'next').failure(key)).toBeUndefined();
  });

  test('but not while somebody works on it, after a checkpoint, a word, or for want of memory', async () => {
    const worked = storeWithStage().store;
    for (const job of ['1', '2', '3', '4', '5']) await lost(worked, job);
    await worked.acquire(key, 'cpu:0', { round: 'r', job: '6' });
    expect(roundOf(worked).failure(key)).toBeUndefined();

    const further = storeWithStage().store;
    for (const job of ['1', '2', '3', '4', '5']) await lost(further, job, { checkpoint: job === '3' });
    expect(roundOf(further).failure(key)).toBeUndefined();

    const told = storeWithStage().store;
    for (const job of ['1', '2', '3']) await lost(told, job);
    await tried(told, interrupted);
    for (const job of ['4', '5']) await lost(told, job);
    expect(roundOf(told).failure(key)).toBeUndefined();

    const hungry = storeWithStage().store;
    for (const job of ['1', '2', '3', '4', '5']) await lost(hungry, job);
    expect(roundOf(hungry, 'r', { ranOutOfMemory: job => job === '4' }).failure(key)).toBeUndefined();
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
