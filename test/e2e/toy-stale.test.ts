/** Sweeps of several hosts on a shared folder whose answers are old, come late or are lost, one of them killed: nothing is lost, and nothing done twice. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { compiledClient } from '../toy/compiled.ts';
import { Host } from '../toy/host.ts';
import { begin, key, storeWithStage } from '../toy/store.ts';
import type { ClientCommand } from '../toy/store-client.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan, type Sweep } from '../toy/sweep.ts';

const SHIM = new URL('../toy/stale.mjs', import.meta.url).href;
const HOUR = 3600_000;

interface Sharing {
  /** Milliseconds for which at most a host repeats an answer. */
  readonly ms: number;
  /** Share of answers that are lost. */
  readonly lost: number;
  readonly seed?: number;
}

/** Variables of the processes of one host. */
function onHost(name: string, wrong: number, folder: string, clients: string, sharing: Sharing): Record<string, string> {
  const { env } = new Host(name, wrong);
  return { ...env, TEST_STALE: JSON.stringify({ folder, clients, ...sharing }), NODE_OPTIONS: `${env['NODE_OPTIONS']} --import=${SHIM}` };
}

const FOR_EVER = 1e12;
const ended: (() => void)[] = [];
afterAll(() => {
  endSweeps();
  for (const end of ended.splice(0)) end();
});

/** A store with a stage of this host, and a process on another one that has it open. */
function shared(sharing: Partial<Sharing> = {}, lease = 60_000) {
  const { store } = storeWithStage();
  const env = onHost('elsewhere', 0, store.dir, temporaryFolder('clients'), { ms: FOR_EVER, lost: 0, ...sharing });
  const child = execa(process.execPath, [compiledClient(), store.dir, String(lease)], { env, reject: false, buffer: false, stderr: 'inherit' });
  ended.push(() => void child.kill('SIGKILL'));
  const answers = child.iterable();
  const there = async (command: ClientCommand, ...args: readonly number[]): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify([command, ...args])}\n`);
    return JSON.parse((await answers.next()).value as string) as unknown;
  };
  return { store, there };
}

describe.concurrent('a host that repeats old answers for ever', () => {
  test('takes no stage that another one has, and learns that it is done', async () => {
    const { store, there } = shared();
    expect(await there('state')).toEqual({ state: 'absent' });
    const attempt = await begin(store);
    expect(await there('state')).toEqual({ state: 'absent' }); // it does repeat
    expect(await there('acquire')).toMatchObject({ type: 'taken', state: { state: 'running', attempt: 1 } });
    await attempt.commit({ height: 1 });
    expect(await there('state')).toMatchObject({ state: 'running' });
    expect(await there('stateAgain')).toEqual({ state: 'done', attempt: 1 });
    expect(store.attempts(key)).toEqual([1]);
  });

  test('does not begin what was begun and done meanwhile', async () => {
    const { store, there } = shared();
    await there('state');
    await (await begin(store)).commit({ height: 1 });
    expect(await there('acquire')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
    expect([store.attempts(key), await there('warnings')]).toEqual([[1], []]);
  });

  test('never withdraws the commit of an attempt that it remembers as half done', async () => {
    const { store, there } = shared();
    const late = await begin(store);
    late.record({ state: 'interrupted' }); // taken for dead
    expect(await there('acquire')).toEqual({ type: 'acquired', attempt: 2 }); // it has looked for a result of the first
    expect(await late.commit({ height: 1 })).toBe(true);
    expect(await there('commit', 2)).toBe(false);
    expect(await there('verify')).toBe(true);
    expect(await there('acquire')).toEqual({ type: 'taken', state: { state: 'done', attempt: 1 } });
    expect([store.doneAttempt(key), store.result(key), await there('warnings')]).toEqual([1, { height: 1 }, []]);
  });

  test('sees by its heartbeat that another one lives, and that it does no longer', async ({ expect }) => {
    const { store, there } = shared({}, 3_000);
    const attempt = await begin(store);
    const beat = setInterval(() => attempt.heartbeat(), 100);
    const began = performance.now();
    while (performance.now() - began < 5_000) {
      expect(await there('state')).toMatchObject({ state: 'running' });
      await sleep(100);
    }
    clearInterval(beat);
    await expect.poll(() => there('state')).toMatchObject({ state: 'interrupted' });
    expect(performance.now() - began).toBeGreaterThan(7_000);
  });
});

describe('a host all of whose answers are lost', () => {
  test('knows its own work', async () => {
    const { store, there } = shared({ lost: 1 });
    expect(await there('acquire')).toEqual({ type: 'acquired', attempt: 1 });
    expect(await there('commit', 1)).toBe(true);
    expect([store.state(key), store.attempts(key), store.result(key)]).toEqual([{ state: 'done', attempt: 1 }, [1], { height: 1 }]);
    expect(readdirSync(store.dir, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('.tmp-'))).toEqual([]);
  });
});

/** Keys of the stages that were started, in order. */
const startedBy = ({ events }: Sweep): string[] => events.flatMap(event => (event.type === 'started' ? [event.key] : []));

async function expectOnce(sharing: Sharing, hosts: number, seeds: string): Promise<void> {
  const choice = { profile: 'quick', only: 'cut', seeds, sets: ['milliseconds=30', 'steps=40'], devices: 'cpu:1x1' };
  const plan = await toyPlan(choice);
  const calm = { ...choice, devices: 'cpu:2x1', store: temporaryFolder('calm') };
  const undisturbed = startSweep(calm).summary;
  const store = temporaryFolder('stale'),
    clients = temporaryFolder('clients');
  const sweeps = Array.from({ length: hosts }, (_, i) => startSweep({ ...choice, store, lease: 6_000 }, onHost(`host-${i}`, i * 7 * HOUR, store, clients, sharing)));
  // Whichever is first in the middle of a stage: where everything is slow, one of them may get none.
  const inTheMiddle = async (sweep: Sweep): Promise<Sweep> => {
    await sweep.until(e => e === sweep.events.at(-1) && e.type === 'progress' && e.progress.step >= 5 && e.progress.step <= 20);
    return sweep;
  };
  const killed = await Promise.any(sweeps.map(inTheMiddle)),
    others = sweeps.filter(sweep => sweep !== killed);
  killed.killGroup();

  for (const sweep of others) expect(await sweep.summary).toMatchObject({ failed: [], blocked: [], interrupted: [], left: [] });
  expect((await undisturbed)!.failed).toEqual([]);
  const read = openStoreReadOnly(store);
  expect(committedBytes(read, plan)).toEqual(committedBytes(openStoreReadOnly(calm.store), plan));
  const inHand = startedBy(killed).filter(done => !killed.events.some(e => e.type === 'finished' && e.key === done));
  expect(inHand).toHaveLength(1);
  const started = [killed, ...others].flatMap(startedBy);
  for (const stage of plan.stages.keys()) {
    const attempts = read.attempts(stage);
    expect([stage, attempts, attempts.filter(n => read.states(stage, n).at(-1)?.state === 'done').length]).toEqual([stage, inHand.includes(stage) ? [1, 2] : [1], 1]);
    expect(started.filter(other => other === stage)).toHaveLength(attempts.length);
  }
  expect(others.flatMap(({ events }) => events).filter(({ type }) => ['retry', 'failed', 'blocked', 'stalled'].includes(type))).toEqual([]);
  expect(others.flatMap(startedBy)).not.toEqual([]);
}

describe('a sweep of several hosts, one of them killed: every stage is done, once but for the one that the killed had in hand', () => {
  test('with answers up to two seconds old, some of them lost', () => expectOnce({ ms: 2_000, lost: 0.02 }, 3, '0-1'));
  test.each([1, 2, 3, 4])('up to a minute old, more of them lost (seed %i)', { tags: 'long' }, seed => expectOnce({ ms: 60_000, lost: 0.05, seed }, 4, '0-4'));
});
