/** Stores on disks that cannot do all that most can, written by older versions, and copied by tools that follow links. */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { compiledDriver } from '../toy/compiled.ts';
import { ablate } from '../toy/program.ts';
import { committedBytes, endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

const SHIM = new URL('../toy/disk.mjs', import.meta.url).href;
/** Variables of processes on such a disk. */
const lacking = (what: string) => ({ NODE_OPTIONS: `--import=${SHIM}`, TEST_DISK_LACKS: what });

const choice = { profile: 'quick', only: 'cut', devices: 'cpu:2x1' };
const plan = await toyPlan(choice);
const swept = join(temporaryFolder('disks'), 'swept');
const of = (store: string, ...args: string[]) => ['--store', store, '--profile', 'quick', '--only', 'cut', ...args];

/** A sweep writes it on a disk without links. */
beforeAll(async () => {
  expect(await startSweep({ ...choice, store: swept }, lacking('links')).summary).toMatchObject({ failed: [], blocked: [], interrupted: [], left: [] });
});
afterAll(endSweeps);

/** A store as format 1 has it: `done` is a link. */
function oldStore(): string {
  const store = temporaryFolder('old-store');
  cpSync(swept, store, { recursive: true });
  writeFileSync(join(store, 'store.json'), '{"format":1}\n');
  for (const done of commitsIn(store)) {
    const { attempt } = JSON.parse(readFileSync(join(done, 'commit.json'), 'utf8')) as { attempt: number };
    rmSync(done, { recursive: true });
    symlinkSync(`attempts/${attempt}`, done);
  }
  return store;
}

const commitsIn = (store: string): string[] =>
  openStoreReadOnly(store)
    .keys()
    .map(key => join(store, 'stages', key, 'done'));

describe('a disk without symbolic links', () => {
  test('takes the whole sweep: every stage is done, once, and nothing in the store is a link', () => {
    const store = openStoreReadOnly(swept);
    for (const key of plan.stages.keys()) expect([store.state(key), store.attempts(key)]).toEqual([{ state: 'done', attempt: 1 }, [1]]);
    expect(readdirSync(swept, { recursive: true, encoding: 'utf8' }).filter(name => lstatSync(join(swept, name)).isSymbolicLink() || name.includes('.tmp-'))).toEqual([]);
  });
});

describe('a disk that cannot hold a store', () => {
  test.concurrent.each([
    ['names of folders,replacement', 'it cannot give a folder another name (ENOSYS), refuse the name of a folder to a second one (ENOSYS), put a file in the place of another (EPERM).'],
    ['refusal,appending,times', 'it cannot refuse the name of a folder to a second one, add to the end of a file (EINVAL), keep the time that a file is given.'],
  ])('for want of %s: one error that names them, before anything is computed', async (what, message) => {
    const store = temporaryFolder('unfit');
    const { stderr, stdout, failed } = await execa(process.execPath, [compiledDriver(), JSON.stringify({ ...choice, store })], { reject: false, env: lacking(what) });
    expect([failed, stdout, stderr]).toEqual([true, '', expect.stringContaining(`The disk of ${store} cannot hold a store: ${message} Choose another --store, e.g. on a local disk.`)]);
    expect(readdirSync(store)).toEqual([]);
  });
});

describe('a store of format 1', () => {
  test('is read as it is, and written on in the new form', async () => {
    const store = oldStore();
    expect((await ablate('experiments', 'status', ...of(store))).all).toMatch(/7 of 7 stages done/);
    expect(readFileSync(join(store, 'store.json'), 'utf8')).toBe('{"format":1}\n');
    const key = plan.arms[0]!.final;
    rmSync(join(store, 'stages', key), { recursive: true }); // one is missing
    expect(await startSweep({ ...choice, store }).summary).toMatchObject({ done: [key], failed: [] });
    expect(readFileSync(join(store, 'store.json'), 'utf8')).toBe('{"format":2}\n');
    expect(committedBytes(openStoreReadOnly(store), plan)).toEqual(committedBytes(openStoreReadOnly(swept), plan));
    expect(commitsIn(store).filter(done => lstatSync(done).isSymbolicLink())).toHaveLength(plan.stages.size - 1);
  });

  test.each([
    ['a copy that followed links', (from: string, to: string) => void execaSync('cp', ['-rL', from, to])],
    [
      'a copy that wrote links as text',
      (from: string, to: string) => {
        cpSync(from, to, { recursive: true, verbatimSymlinks: true });
        for (const done of commitsIn(to)) {
          rmSync(done);
          writeFileSync(done, 'attempts/1');
        }
      },
    ],
  ])('in %s: its stages are done, that is said once, and nothing is run or lost', async (_, copy) => {
    const store = join(temporaryFolder('copied'), 'store');
    copy(oldStore(), store);
    const { all } = await ablate('experiments', 'status', ...of(store));
    expect(all).toMatch(/7 of 7 stages done/);
    expect(all.match(/has become a copy/g)).toHaveLength(1);
    expect(committedBytes(openStoreReadOnly(store), plan)).toEqual(committedBytes(openStoreReadOnly(swept), plan));
    const again = await ablate('experiments', 'sweep', '--no-report', ...of(store));
    expect([again.exitCode, again.all]).toEqual([0, expect.stringMatching(/Nothing to run: all 7 stages/)]);
    // One whose attempt is damaged counts no more than any other.
    const reader = openStoreReadOnly(store),
      key = [...plan.stages.keys()][0]!;
    writeFileSync(join(reader.attemptDir(key, 1), 'result.json'), '{"height":1e9}');
    expect(reader.state(key).state).not.toBe('done');
  });
});

describe('a store that a sweep is just making', () => {
  test.each([[['status']], [['explain', 'cut/whole']], [['diff', 'cut/whole', 'cut/half']], [['plan', '--devices', 'cpu:1x1']]])('%j finds no stage in it yet', async args => {
    const store = temporaryFolder('half-made');
    mkdirSync(join(store, 'stages'));
    writeFileSync(join(store, '.tmp-half'), '{"for'); // `store.json` comes last
    const { exitCode, stderr } = await ablate('experiments', args[0]!, ...args.slice(1), ...of(store));
    expect([exitCode, stderr]).toEqual([0, '']);
  });
});

describe('addresses that are no paths', () => {
  test.each([
    [['status', '--store', 's3://bucket/runs']],
    [['status', '--store', '~/runs']],
    [['query', 'select 1', '--store', 'gs://bucket/runs']],
    [['sweep', '--reports', '~/reports']],
    [['report', '--reports', 'https://example.org/reports']],
    [['report', '--out', '$HOME/out']],
    [['report', '--verify', '~/runs']],
    [['plan', '--experiments', '~me/experiments']],
    [['clean', '--store', '']],
    [['init', 's3://bucket/study']],
  ])('%j: refused, with what to do, and no folder is made', async args => {
    const { exitCode, all } = await ablate(undefined, args[0]!, ...args.slice(1));
    expect([exitCode, all]).toEqual([2, expect.stringMatching(/expected a path of this machine, got '.*(the path|the path out|folder is \.|outside)/)]);
    expect(['s3:', '~', 'gs:', 'https:', '~me', '$HOME'].filter(name => existsSync(name))).toEqual([]);
  });
});
