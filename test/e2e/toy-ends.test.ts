/** How the program ends: its exit code says what became of the work, whoever listens; no signal opens anything; errors have no stack. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { attemptFiles } from '../../src/core/store/layout.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { editableStudy } from '../toy/editable.ts';
import { ablate, ablateWith, startAblate, toyCommand, toyEnvironment } from '../toy/program.ts';
import { endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

afterEach(endSweeps);

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));

/** The program behind a line of bash in which it is called "$@". */
const inBash = (line: string, ...argv: readonly string[]) => execa('bash', ['-c', line, 'bash', process.execPath, ABLATE, ...argv], { reject: false, env: toyEnvironment });

const sweepCommand = (store: string, reports: string, only: string): string[] =>
  toyCommand('experiments', 'sweep', '--profile', 'quick', '--only', only, '--store', store, '--reports', reports, '--devices', 'cpu:2x1');

describe('where what it prints goes nowhere', () => {
  const store = temporaryFolder('unread');

  it('a sweep whose reader leaves goes on to its report, silently, and its exit code tells of the failure', async () => {
    const reports = temporaryFolder('left-reports');
    const { exitCode, stdout, stderr } = await inBash('"$@" | head -1; exit ${PIPESTATUS[0]}', ...sweepCommand(store, reports, 'cut/whole,trouble/fail-permanently'));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^Sweep of profile quick: .*$/);
    expect(readFileSync(join(reports, 'quick/README.md'), 'utf8')).toContain('The tree has blight');
  });

  it('a sweep whose log is on a full disk goes on to its report, and says that the log is not whole', async () => {
    const reports = temporaryFolder('full-reports');
    const { exitCode, stderr } = await inBash('"$@" > /dev/full', ...sweepCommand(store, reports, 'cut/whole'));
    expect(stderr).toMatch(/^error Expected to be able to write to standard output, got ENOSPC: .*\. What comes is not written; the work goes on\.$/);
    expect(exitCode).toBe(1);
    expect(existsSync(join(reports, 'quick/index.html'))).toBe(true);
  });

  it('a log whose reader leaves is not called printed', async () => {
    const key = (await toyPlan({ profile: 'quick', only: 'cut/whole' })).arms[0]!.stages['tree']!;
    appendFileSync(openStoreReadOnly(store).logFile(key, 1), 'one more line\n'.repeat(100_000));
    const { exitCode, stderr } = await inBash('"$@" | head -1; exit ${PIPESTATUS[0]}', 'logs', key, '--store', store);
    expect(exitCode).toBe(141);
    expect(stderr).toMatch(/^tree of cut\/whole seed 0, attempt 1: .*$/);
  });

  it('an answer of which only a part fits on the disk is not called whole', async () => {
    const file = join(temporaryFolder('part'), 'answer.csv');
    const { exitCode, stderr } = await inBash(`ulimit -f 64; "$@" > ${file}`, 'query', "select repeat('x', 100000)", '--csv', '--store', store);
    expect(readFileSync(file)).toHaveLength(64 * 1024);
    expect(stderr).toContain('EFBIG');
    expect(exitCode).toBe(1);
  });
});

/** The process at work on a stage, once it is some steps further. */
async function workerOf(store: string, key: string, attempt: number): Promise<number> {
  const folder = join(store, 'stages', key, 'attempts', String(attempt));
  const steps = (): number => (existsSync(join(folder, attemptFiles.metrics)) ? readFileSync(join(folder, attemptFiles.metrics), 'utf8').split('\n').length : 0);
  const before = steps();
  await expect.poll(steps).toBeGreaterThan(before + 5);
  return (JSON.parse(readFileSync(join(folder, attemptFiles.worker), 'utf8')) as { owner: { pid: number } }).owner.pid;
}

/** Sockets of a process on which others can connect. */
function listening(pid: number): string[] {
  const inodes = ['tcp', 'tcp6'].flatMap(table =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .flatMap(([, , , state, , , , , , inode]) => (state === '0A' ? [`socket:[${inode}]`] : [])),
  );
  const own = readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
  return own.filter(target => inodes.includes(target));
}

describe('signals', () => {
  const SLOW = ['--profile', 'slow', '--only', 'cut/whole', '--no-report', '--devices', 'cpu:1x1'];
  const stock = async (): Promise<string> => (await toyPlan({ profile: 'slow', only: 'cut/whole' })).arms[0]!.stages['stock']!;

  it('USR1 opens nothing; HUP and USR2 end a sweep with the word, checkpoints and their own codes; a watcher whose reader left does not say that all is done', async () => {
    const [store, key] = [temporaryFolder('signals'), await stock()];
    const first = startAblate({}, 'experiments', 'sweep', ...SLOW, '--store', store);
    let worker = await workerOf(store, key, 1);
    const watcher = inBash(
      '"$@" | head -1 > /dev/null; exit ${PIPESTATUS[0]}',
      ...toyCommand('experiments', 'status', '--watch', '--json', '--profile', 'slow', '--only', 'cut/whole', '--store', store),
    );
    first.kill('SIGUSR1');
    process.kill(worker, 'SIGUSR1');
    worker = await workerOf(store, key, 1);
    expect([...listening(first.pid!), ...listening(worker)]).toEqual([]);
    first.kill('SIGHUP');
    first.kill('SIGHUP'); // a shell and the system may both say that a terminal has hung up
    const hungUp = await first;
    expect(hungUp.exitCode).toBe(129);
    expect(hungUp.stdout.match(/Stopping: the workers write their checkpoints\./g)).toHaveLength(1);
    expect(hungUp.stdout).toMatch(/^stopped stock of cut\/whole seed 0$/m);
    expect(hungUp.stderr).toBe('');

    const second = startAblate({}, 'experiments', 'sweep', ...SLOW, '--store', store);
    await workerOf(store, key, 2);
    second.kill('SIGUSR2');
    const usr2 = await second;
    expect(usr2.exitCode).toBe(140);
    expect(usr2.stdout).toMatch(/Stopping: the workers write their checkpoints\./);
    expect(readFileSync(openStoreReadOnly(store).logFile(key, 2), 'utf8')).toMatch(/continuing from step \d+/);
    expect((await watcher).exitCode).toBe(141);
  });

  it.each(['SIGHUP', 'SIGUSR2'] as const)('%s to a worker alone lets it write its checkpoint and leave', async signal => {
    const [store, key] = [temporaryFolder('worker'), await stock()];
    const sweep = startSweep({ store, profile: 'slow', only: 'cut/whole', devices: 'cpu:1x1', checkpointEvery: 60_000 });
    process.kill(await workerOf(store, key, 1), signal);
    await sweep.until(event => event.type === 'retry');
    const log = readFileSync(openStoreReadOnly(store).logFile(key, 1), 'utf8');
    expect(log).toContain(`Stopping: ${signal}.`);
    expect(readdirSync(join(store, 'stages', key, 'attempts/1', attemptFiles.checkpoints))).toHaveLength(1);
  });
});

describe('what is needed at the end', () => {
  it('is tried at the start: reports that cannot be written end a sweep before it begins', async () => {
    const [store, folder] = [join(temporaryFolder('reports'), 'store'), temporaryFolder('no-reports')];
    writeFileSync(join(folder, 'file'), '');
    const { exitCode, stderr } = await ablate('experiments', ...(sweepCommand(store, join(folder, 'file'), 'cut/whole').slice(0, -2) as ['sweep', ...string[]]));
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error --reports: expected a folder in which .*file\/quick can be written, got: .*\. Name another folder, or mend this one\.$/);
    expect(existsSync(store)).toBe(false);
  });

  it.each([
    ['sweep', ['--profile', 'mini', '--store', '/none/store', '--reports', temporaryFolder('unused')], 2],
    ['setup', ['--data'], 1],
  ])('a data file that is a folder: %s names it', async (command, args, code) => {
    const cache = temporaryFolder('obstructed');
    const file = join(cache, 'data/fashion-mnist/train-images-idx3-ubyte');
    mkdirSync(join(file, 'kept'), { recursive: true });
    const { exitCode, all } = await ablateWith({ TINYMIM_CACHE: cache, ENGINE: 'wasm' }, undefined, command, ...args);
    expect(all).toContain(`Expected ${file} to be a file, got a folder: move it away`);
    expect(all).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(code);
    expect(existsSync(join(file, 'kept'))).toBe(true);
  });
});

describe('an error that nobody expected', () => {
  it('is told in one line, with its stack where that is asked for', async () => {
    const study = editableStudy('quick');
    study.edit('experiments/study.ts', 'defineStudy<Factors, Profile>({', "defineStudy<Factors, Profile>({ notRunnable: () => { throw new TypeError('odd\\nindeed'); },");
    const plain = await study.ablate('plan');
    expect(plain).toMatchObject({ exitCode: 1, all: 'error odd indeed (unexpected; --debug shows where)' });
    const { exitCode, stderr } = await study.ablate('plan', '--debug');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error odd indeed .*\nTypeError: odd\nindeed\n {4}at .*study\.ts/);
  });

  it('is told in one line where nobody waits for it, too', async () => {
    const study = editableStudy('quick');
    study.edit(
      'experiments/study.ts',
      'defineStudy<Factors, Profile>({',
      "defineStudy<Factors, Profile>({ notRunnable: () => { setImmediate(() => { throw new TypeError('late'); }); return undefined; },",
    );
    const { exitCode, stderr } = await study.start('plan');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'error late (unexpected; --debug shows where)' });
  });

  it('of a stage has its stack in the log alone', async () => {
    const store = temporaryFolder('stack');
    const line = ['sweep', '--profile', 'quick', '--only', 'trouble/fail-permanently', '--store', store, '--no-report', '--devices', 'inline'] as const;
    const { stdout } = await ablate('experiments', ...line);
    expect(stdout).toMatch(/ {10}\| .*The tree has blight/);
    expect(stdout).not.toMatch(/\bat .*:\d+:\d+/);
    const log = /log: (.*)$/m.exec(stdout)![1]!;
    expect(readFileSync(log, 'utf8')).toMatch(/^ {4}at .*grow\.ts:\d+:\d+/m);
    expect(dirname(log)).toContain(store);
  });
});
