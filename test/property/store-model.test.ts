/** The store against a model of it: any order of leases, deaths, commits (late ones too) and damage. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attempt } from '../../src/core/store/attempt.ts';
import type { Store } from '../../src/core/store/store.ts';
import { key, storeWithStage } from '../toy/store.ts';

interface Model {
  /** Number of the attempt that counts. */
  done: number | undefined;
  /** Numbers of attempts whose process lives and has said nothing of its end. */
  readonly live: Set<number>;
  /** Numbers of attempts with a whole result: they can be made to count. */
  readonly complete: Set<number>;
  last: number;
}

interface Real {
  readonly store: Store;
  /** Of all processes that ever had a lease, living or taken for dead. */
  readonly attempts: Attempt[];
}

type Command = fc.AsyncCommand<Model, Real>;

/** The commands that were given, without their arguments. */
const given = new Set<string>();

const command = (name: string, check: (model: Model) => boolean, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check,
  run: (model, real) => {
    given.add(name.split(' ')[0]!);
    return run(model, real);
  },
  toString: () => name,
});

const resultOf = (attempt: number): { by: number } => ({ by: attempt });

function expectState(model: Model, { store }: Real): void {
  const state = store.state(key).state;
  if (model.done !== undefined) {
    expect(state).toBe('done');
    expect(store.doneAttempt(key)).toBe(model.done);
    expect(store.result(key)).toEqual(resultOf(model.done));
  } else if (model.live.size > 0) expect(state).toBe('running');
  else expect(['absent', 'interrupted', 'failed']).toContain(state);
}

const acquire = command(
  'acquire',
  () => true,
  async (model, real) => {
    const acquired = await real.store.acquire(key, 'cpu:0');
    // A result that was only never linked, or not in time, is not made again.
    if (model.done === undefined && model.live.size === 0 && model.complete.size > 0) model.done = Math.min(...model.complete);
    const free = model.done === undefined && model.live.size === 0;
    expect(acquired.type).toBe(free ? 'acquired' : 'taken');
    if (acquired.type === 'acquired') {
      expect(acquired.attempt.number).toBe(++model.last);
      model.live.add(model.last);
      acquired.attempt.claim();
      real.attempts.push(acquired.attempt);
    }
    expectState(model, real);
  },
);

const commit = (which: number): Command =>
  command(
    `commit ${which}`,
    model => model.last > 0,
    async (model, real) => {
      const attempt = real.attempts[which % real.attempts.length]!;
      // A writer whose attempt counts, or counted and was damaged, has nothing more to commit.
      if (existsSync(join(attempt.dir, 'result.json'))) return;
      writeFileSync(join(attempt.output, 'tree'), 'oak');
      const committed = await attempt.commit(resultOf(attempt.number));
      expect(committed).toBe(model.done === undefined);
      model.complete.add(attempt.number);
      if (committed) model.done = attempt.number;
      model.live.delete(attempt.number);
      expectState(model, real);
    },
  );

const die = (which: number): Command =>
  command(
    `die ${which}`,
    model => model.live.size > 0,
    (model, real) => {
      const number = [...model.live][which % model.live.size]!;
      const { dir } = real.attempts.find(a => a.number === number)!;
      for (const name of ['attempt.json', 'worker.json']) {
        const file = join(dir, name);
        writeFileSync(file, readFileSync(file, 'utf8').replace(/"started":"\d*"/, '"started":"1"'));
      }
      model.live.delete(number);
      expectState(model, real);
      return Promise.resolve();
    },
  );

const fail = (which: number): Command =>
  command(
    `fail ${which}`,
    model => model.live.size > 0,
    (model, real) => {
      const number = [...model.live][which % model.live.size]!;
      real.attempts.find(a => a.number === number)!.record({ state: 'failed', code: 'X', reason: 'x', permanent: false });
      model.live.delete(number);
      expectState(model, real);
      return Promise.resolve();
    },
  );

const damage = command(
  'damage',
  model => model.done !== undefined,
  async (model, real) => {
    truncateSync(join(real.store.attemptDir(key, model.done!), 'output', 'tree'), 1);
    expect(await real.store.verify(key)).toBe(false);
    model.complete.delete(model.done!);
    model.done = undefined;
    expectState(model, real);
  },
);

test('agrees with a model of leases and commits', async () => {
  const which = fc.nat(20);
  // At the usual size two commands a case are given, and seldom one that needs a result.
  const commands = fc.commands([fc.constant(acquire), which.map(commit), which.map(die), which.map(fail), fc.constant(damage)], { maxCommands: 20, size: 'max' });
  await fc.assert(
    fc.asyncProperty(commands, async list => {
      const { store } = storeWithStage();
      await fc.asyncModelRun(() => ({ model: { done: undefined, live: new Set<number>(), complete: new Set<number>(), last: 0 }, real: { store, attempts: [] } }), list);
    }),
    { numRuns: 100 },
  );
  expect([...given].sort()).toEqual(['acquire', 'commit', 'damage', 'die', 'fail']);
});
