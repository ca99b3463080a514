/** A store that somebody else made, with links and pipes where files should stand: nothing outside of it is read, written or removed, and nothing hangs. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ablate } from '../toy/program.ts';
import { endSweeps, startSweep, temporaryFolder, toyPlan } from '../toy/sweep.ts';

const choice = { profile: 'quick', only: 'cut', devices: 'cpu:2x1' };
const plan = await toyPlan(choice);
const key = plan.arms[0]!.stages['tree']!;
const swept = join(temporaryFolder('received'), 'swept');
const GB = 1 << 30;

beforeAll(async () => {
  expect((await startSweep({ ...choice, store: swept }).summary)!.failed).toEqual([]);
});
afterAll(endSweeps);

let top: string, store: string, victim: string;
beforeEach(() => {
  top = temporaryFolder('received');
  store = join(top, 'store');
  cpSync(swept, store, { recursive: true });
  victim = join(top, 'victim');
  for (const folder of ['checkpoints/1', 'done', 'attempts/1']) mkdirSync(join(victim, folder), { recursive: true });
  for (const file of ['paper.tex', 'checkpoints/1/own', 'done/own', '.tmp-own']) writeFileSync(join(victim, file), 'mine');
  writeFileSync(join(victim, 'credentials'), '{"token":"s3cr3t","host":"s3cr3t"}');
  for (const file of readdirSync(victim, { recursive: true, encoding: 'utf8' })) utimesSync(join(victim, file), 1e9, 1e9); // older than a day
});

const stage = (...names: string[]): string => join(store, 'stages', key, ...names);
const outside = (): Record<string, unknown> =>
  Object.fromEntries(
    readdirSync(victim, { recursive: true, encoding: 'utf8' })
      .sort()
      .map(name => [name, statSync(join(victim, name)).isFile() ? readFileSync(join(victim, name), 'utf8') : statSync(join(victim, name)).mtimeMs]),
  );
function replace(path: string, target: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

const choose = ['--profile', 'quick', '--only', 'cut'];
/** Every command that reads or changes a store. `clean` sees all profiles. */
const COMMANDS: readonly (readonly string[])[] = [
  ['status', ...choose],
  ['query', 'select * from runs'],
  ['logs', 'cut/whole', '--role', 'tree', ...choose],
  ['explain', 'cut/whole', ...choose],
  ['diff', 'cut/whole', 'cut/half', ...choose],
  ['report', '--profile', 'quick'],
  ['sweep', ...choose],
  ['clean', '--yes'],
];

async function runAll(): Promise<{ command: string; exitCode: number; all: string }[]> {
  const answers = [];
  for (const [command, ...args] of COMMANDS) {
    const more = command === 'report' || command === 'sweep' ? ['--reports', join(top, 'reports')] : [];
    const devices = command === 'sweep' ? ['--devices', 'inline'] : [];
    const { exitCode, all } = await ablate(command === 'query' ? undefined : 'experiments', command!, ...args, '--store', store, ...more, ...devices);
    answers.push({ command: command!, exitCode, all });
  }
  return answers;
}

describe('a link', () => {
  test.each<[string, () => string, readonly string[]]>([
    ['in the place of the folder of worker output', () => join(store, 'workers'), ['sweep']],
    ['in the place of a second attempt of a stage that is done', () => stage('attempts', '2'), ['sweep', 'clean']],
    ['in the place of a stage', () => stage(), ['status', 'query', 'logs', 'explain', 'diff', 'report', 'sweep', 'clean']],
  ])('%s: named by whoever comes upon it, with exit code 2; what it leads to is as before', async (_, path, refusing) => {
    replace(path(), victim);
    const before = outside();
    const answers = await runAll();
    expect(outside()).toEqual(before);
    for (const { command, exitCode, all } of answers) {
      if (exitCode !== 0) expect([command, exitCode, all]).toEqual([command, 2, expect.stringContaining(`${path()}: expected a file or folder of its own, got a symbolic link`)]);
    }
    expect(answers.filter(({ exitCode }) => exitCode !== 0).map(({ command }) => command)).toEqual(refusing);
  });

  test('to credentials in the place of provenance and log: nothing of them is told, or gets into the report', async () => {
    for (const name of ['provenance.json', 'log.txt']) replace(stage('attempts', '1', name), join(victim, 'credentials'));
    const answers = await runAll();
    expect(answers.map(({ all }) => all).join('\n')).not.toContain('s3cr3t');
    const written = readdirSync(top, { recursive: true, encoding: 'utf8' }).filter(name => name.startsWith('reports') && statSync(join(top, name)).isFile());
    for (const name of written) expect(readFileSync(join(top, name), 'utf8')).not.toContain('s3cr3t');
    const told = (name: string): object => ({ exitCode: 2, all: expect.stringContaining(`${name}: expected a file or folder of its own, got a symbolic link`) as string });
    expect(answers.find(({ command }) => command === 'report')).toMatchObject(told('provenance.json'));
    expect(answers.find(({ command }) => command === 'logs')).toMatchObject(told('log.txt'));
  });
});

describe('what is no file, or too large for one', () => {
  const FILES = ['provenance.json', 'result.json', 'manifest.json', 'state.jsonl', 'attempt.json', 'metrics.jsonl', 'log.txt'];

  test.each<[string, (path: string) => void]>([
    ['a pipe', path => void execFileSync('mkfifo', [path])],
    [
      'a file of three gigabytes of nothing',
      path => {
        writeFileSync(path, '');
        truncateSync(path, 3 * GB);
      },
    ],
  ])('%s in the place of any file of a store: every command ends, and names it or does without', async (_, plant) => {
    const log = readFileSync(stage('attempts', '1', 'log.txt'));
    for (const name of FILES) {
      rmSync(stage('attempts', '1', name), { force: true });
      plant(stage('attempts', '1', name));
    }
    if (statSync(stage('attempts', '1', 'log.txt')).isFile()) writeFileSync(stage('attempts', '1', 'log.txt'), log); // `logs` prints what is there, however much
    for (const { command, exitCode, all } of await runAll()) {
      expect([command, all]).toEqual([command, expect.not.stringMatching(/^ {4}at /m)]);
      if (exitCode !== 0) expect([command, exitCode, all]).toEqual([command, expect.any(Number), expect.stringMatching(/expected a file, got a pipe|expected at most \d+ bytes, got 3221225472/)]);
    }
  });
});
