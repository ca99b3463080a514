/** What goes wrong is told once and clearly: by the program, and by the report where the store can hold it. Nothing done is lost. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { makeRoom, type Room } from '../chaos/room.ts';
import { compiledDriver } from '../toy/compiled.ts';
import { ablate, startAblate } from '../toy/program.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan, untilRunning } from '../toy/sweep.ts';

// To compile keeps this process busy: later, what other tests wait for would pass unseen.
beforeAll(() => void compiledDriver());
afterAll(endSweeps);

const choice = (store: string, profile: string, only?: string): string[] => ['--store', store, '--profile', profile, ...(only === undefined ? [] : ['--only', only])];
const sweep = (store: string, profile: string, only: string, ...more: string[]) =>
  startAblate({}, 'experiments', 'sweep', ...choice(store, profile, only), '--devices', 'cpu:1x1', '--checkpoint-every', '0.2', ...more);

const times = (text: string, words: RegExp): number => [...text.matchAll(new RegExp(words, 'g'))].length;

describe('a store of a newer version', () => {
  it.each(['sweep', 'status', 'plan', 'explain cut/whole', 'diff cut/whole cut/half', 'logs cut/whole', 'query select_1', 'clean', 'report'])('%s refuses it and changes nothing', async line => {
    const store = temporaryFolder('newer');
    writeFileSync(join(store, 'store.json'), '{"format": 99}');
    mkdirSync(join(store, 'stages'));
    const [command = '', ...args] = line.split(' ').map(word => word.replace('_', ' '));
    const { exitCode, all } = await ablate(
      command === 'query' ? undefined : 'experiments',
      command,
      ...args,
      '--store',
      store,
      ...(['query', 'clean'].includes(command) ? [] : ['--profile', 'quick']),
      ...(['sweep', 'report'].includes(command) ? ['--reports', temporaryFolder('reports')] : []),
    );
    expect(exitCode).toBe(1);
    expect(all).toContain(`${store} was written by a newer version of this program (store format 99; this one reads up to 2); update the program or choose another --store`);
    expect(all).not.toContain('    at '); // one message, and no stack
    expect(readdirSync(store).sort()).toEqual(['stages', 'store.json']);
  });
});

describe.concurrent('Ctrl-C', () => {
  it('once: says what happens, leaves with 130, and the same command goes on from the checkpoint', async () => {
    const store = temporaryFolder('once');
    const running = sweep(store, 'slow', 'cut/whole', '--no-report');
    await untilRunning(store, ({ step }) => step > 5);
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(130);
    expect(times(stdout, /Stopping: the workers write their checkpoints\. Press Ctrl-C again to end them at once\./)).toBe(1);
    expect(stdout).toMatch(/^stopped stock of cut\/whole seed 0$/m);
    expect(stdout).toMatch(/0 stages done in \d+ s, 3 left; run the same command again to continue/);
    const next = await sweep(store, 'slow', 'cut/whole', '--no-report');
    expect(next.exitCode).toBe(0);
    const key = (await toyPlan({ profile: 'slow', only: 'cut/whole' })).arms[0]!.stages['stock']!;
    expect(readFileSync(openStoreReadOnly(store).logFile(key, 2), 'utf8')).toMatch(/continuing from step \d+/);
  });

  it('twice: ends workers that do not listen', async () => {
    const store = temporaryFolder('twice');
    const running = sweep(store, 'quick', 'trouble/hang', '--no-report');
    let told = '';
    running.stdout.on('data', (text: Buffer) => {
      told += text.toString();
    });
    await untilRunning(store, ({ phase }) => phase === 'evaluate');
    running.kill('SIGINT');
    while (!told.includes('Press Ctrl-C again')) await sleep(20);
    running.kill('SIGINT');
    const { exitCode, stdout } = await running; // the workers would have a minute to leave
    expect(exitCode).toBe(130);
    expect(stdout).toMatch(/^stopped tree of trouble\/hang seed 0$/m);
    expect(stdout).not.toContain('failed');
  });
});

describe.concurrent('a disk', () => {
  const rooms: Room[] = [];
  afterAll(() => rooms.splice(0).forEach(room => room.remove()));
  const newRoom = (): { room: Room; store: string } => {
    const room = makeRoom();
    rooms.push(room);
    return { room, store: join(room.dir, 'store') };
  };
  const ONLY = 'cut/whole,cut/half';

  /** A sweep that is stopped in its middle. @returns keys of the stages that were done */
  async function begun(store: string): Promise<string[]> {
    const running = sweep(store, 'slow', ONLY, '--no-report');
    await untilRunning(store, ({ step }) => step > 5);
    const reader = openStoreReadOnly(store);
    const doneNow = (): string[] => reader.keys().filter(key => reader.doneAttempt(key) !== undefined);
    while (doneNow().length === 0) await sleep(50);
    running.kill('SIGINT');
    await running;
    return doneNow();
  }

  let calm: Promise<string> | undefined;
  /** A store that nothing happened to. */
  const undisturbed = (): Promise<string> =>
    (calm ??= (async () => {
      const store = temporaryFolder('calm');
      await startSweep({ profile: 'slow', only: ONLY, devices: 'cpu:2x1', store }).summary;
      return store;
    })());

  /** The rest, on a disk that is well again. */
  async function expectNothingLost(store: string, done: readonly string[]): Promise<void> {
    expect((await sweep(store, 'slow', ONLY, '--no-report', '--devices', 'cpu:2x1')).exitCode).toBe(0);
    const plan = await toyPlan({ profile: 'slow', only: ONLY });
    expect(committedBytes(openStoreReadOnly(store), plan)).toEqual(committedBytes(openStoreReadOnly(await undisturbed()), plan));
    for (const key of done) expect(openStoreReadOnly(store).attempts(key)).toEqual([1]);
  }

  it('that is read-only: sweep says where and what to do, the others read on, nothing done is lost', { tags: 'long' }, async context => {
    const { room, store } = newRoom();
    const done = await begun(store);
    if (!room.readOnly(store)) return context.skip('only an ordinary user, or one who may mount, can have such a place');
    const { exitCode, all } = await sweep(store, 'slow', ONLY, '--reports', temporaryFolder('reports'));
    expect(exitCode).toBe(1);
    expect(all).toMatch(new RegExp(`Could not write ${store}\\S*\\. (That file system is read-only|This user may not write there).*choose another --store`));
    expect(all).not.toContain('    at ');
    for (const command of ['status', 'explain cut/whole', 'report']) {
      const [name = '', ...args] = command.split(' ');
      expect((await ablate('experiments', name, ...args, ...(name === 'report' ? [...choice(store, 'slow'), '--reports', temporaryFolder('reports')] : choice(store, 'slow', ONLY)))).exitCode).toBe(0);
    }
    room.writable(store);
    await expectNothingLost(store, done);
  });

  it('that is full: sweep says how much, where and what to do, nothing done is lost', async context => {
    const { room, store } = newRoom();
    if (room.notFillable !== undefined) return context.skip(room.notFillable);
    const done = await begun(store);
    const reports = temporaryFolder('reports');
    const running = sweep(store, 'slow', ONLY, '--reports', reports);
    await untilRunning(store, ({ step }) => step > 20);
    room.fill();
    const { exitCode, all } = await running;
    expect(exitCode).toBe(1);
    expect(all).toMatch(new RegExp(`Could not write (?:at least )?\\d+ bytes to ${store}\\S*\\. The disk is full; free some space \\(ablate clean shows what no arm needs\\) and run again\\.`));
    room.unfill();
    await expectNothingLost(store, done);
  });
});

describe.concurrent('the report', () => {
  it('has the reason of a stage that failed, also of one that hung', async () => {
    const store = temporaryFolder('failed'),
      reports = temporaryFolder('reports');
    const limits = { load: 60_000, trace: 60_000, save: 60_000, evaluate: 60_000, step: { times: 20, floor: 1_500, unknown: 1_500 } };
    const hung = startSweep({ declarations: 'hardship', store, profile: 'quick', only: 'hardship/freeze,hardship/sound', devices: 'cpu:1x1', grace: 300, limits });
    expect((await hung.summary)!.failed).toHaveLength(1);
    const { exitCode } = await ablate('hardship', 'report', ...choice(store, 'quick'), '--reports', reports);
    expect(exitCode).toBe(0);
    for (const name of ['README.md', 'index.html']) expect(readFileSync(join(reports, 'quick', name), 'utf8')).toMatch(/no word for .+ in phase .+step.+ \(limit 1\.5 s\): the worker was stopped/);
  });
});
