/** A study whose stages are programs, by the real command: planned, swept, killed, edited, explained, reported. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import { killTree } from '../../src/core/runner/process-tree.ts';
import { command } from '../toy/commands.ts';
import { temporaryFolder } from '../toy/sweep.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const STUDY = fileURLToPath(new URL('../toy/programs', import.meta.url));
const cache = temporaryFolder('cache');
const env = { TINYMIM_CACHE: cache, TINYMIM_DEVICE: 'cpu', ENGINE: 'native' };

function copyOfStudy() {
  const folder = temporaryFolder('programs');
  cpSync(STUDY, folder, { recursive: true });
  const line = (name: string, args: readonly string[]): string[] => [name, '--experiments', folder, '--store', join(folder, 'store'), ...args];
  return {
    folder,
    ablate: (name: string, ...args: string[]) => command(line(name, args), { cwd: folder, env }),
    start: (name: string, ...args: string[]) => execa(process.execPath, [ABLATE, ...line(name, args)], { cwd: folder, env, reject: false, all: true }),
    edit: (from: string, to: string) => {
      const file = join(folder, 'trainer.mjs');
      const text = readFileSync(file, 'utf8');
      if (!text.includes(from)) throw new Error(`Expected '${from}'`);
      writeFileSync(file, text.replace(from, to));
    },
    store: () => openStoreReadOnly(join(folder, 'store')),
  };
}

const QUICK = ['--profile', 'quick', '--only', 'rate'];

describe('stages that are programs', () => {
  const study = copyOfStudy();
  const keys = async (): Promise<string[]> => (JSON.parse((await study.ablate('plan', ...QUICK, '--json')).stdout) as { stages: { key: string }[] }).stages.map(({ key }) => key).sort();

  beforeAll(async () => {
    const { exitCode, all } = await study.ablate('sweep', ...QUICK, '--devices', 'cpu:2x1', '--reports', join(study.folder, 'reports'));
    if (exitCode !== 0) throw new Error(all);
  });

  it('are swept and reported as others: shared, with curves, costs and a claim', () => {
    const page = readFileSync(join(study.folder, 'reports/quick/README.md'), 'utf8');
    expect(page).toContain('Fast learning is better.');
    for (const arm of ['Slow', 'Fast', 'Continued']) expect(page).toMatch(new RegExp(`^\\| \\**${arm}\\** \\| \\**\\d+\\.\\d+`, 'm'));
    // Of three arms with three seeds each: the stage that one continues has one seed, and is the first of another arm.
    expect(study.store().keys()).toHaveLength(9);
  });

  it('keep their numbers, their curve, and by what and at what cost they were made', async () => {
    const store = study.store();
    const [key] = await keys();
    expect(Object.keys(store.result(key!)!)).toEqual(['accuracy', 'accuracy_se']);
    expect(store.curve(key!).map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const facts = store.provenance(key!)!;
    expect(facts['code_hash']).toBe(store.stage(key!)!.codeHash);
    expect(facts['stage']).toMatchObject({ versions: [{ lines: [process.version] }] });
    expect(facts['cpu_seconds']).toBeGreaterThan(0);
    expect(readdirSync(join(study.folder, 'store/stages', key!, 'attempts/1')).filter(name => name.startsWith('.tmp'))).toEqual([]);
  });

  it('have another key once a source is edited, which explain names, and the same once that is undone', async () => {
    const before = await keys();
    expect((await study.ablate('sweep', ...QUICK, '--no-report')).all).toContain('Nothing to run');
    study.edit('value * 0.9', 'value * 0.8');
    const edited = await keys();
    expect(edited.filter(key => before.includes(key))).toEqual([]);
    expect((await study.ablate('explain', 'rate/fast', ...QUICK)).stdout).toMatch(/stale[^]*codeHash: "[0-9a-f]{32}" -> "[0-9a-f]{32}"/);
    study.edit('value * 0.8', 'value * 0.9');
    expect(await keys()).toEqual(before);
  });

  it('are refused by what their kind knows, and where a source is missing', async () => {
    const { exitCode, stderr } = await study.ablate('plan', '--profile', 'quick', '--only', 'trouble/impossible');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('train of trouble/impossible: rate: expected at most 9, got 10') as string]);
    const other = copyOfStudy();
    writeFileSync(join(other.folder, 'study.ts'), readFileSync(join(other.folder, 'study.ts'), 'utf8').replace("sources: ['trainer.mjs']", "sources: ['trainer.py']"));
    const missing = await other.ablate('plan', ...QUICK);
    expect([missing.exitCode, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/its code is part of its key and cannot be told: expected to read its sources \(trainer\.py\) in .*ENOENT/) as string,
    ]);
  });
});

it('what goes wrong with one is told in a sentence, and spoils no other', async () => {
  const study = copyOfStudy();
  const arms = 'trouble/sound,trouble/die-once,trouble/memory,trouble/nan';
  const { exitCode, all } = await study.ablate('sweep', '--profile', 'quick', '--seeds', '0', '--only', arms, '--devices', 'cpu:2x1', '--no-report');
  expect(exitCode).toBe(1);
  const store = study.store();
  const states = Object.fromEntries(
    store.keys().map(key => {
      const state = store.state(key);
      return [store.stage(key)!.recipe['trouble'] as string, state.state === 'failed' ? `${state.code} ${state.attempt}` : `${state.state} ${'attempt' in state ? state.attempt : ''}`];
    }),
  );
  expect(states).toEqual({ none: 'done 1', 'die-once': 'done 2', memory: 'OUT_OF_MEMORY 2', nan: 'NOT_FINITE 1' });
  expect(all).toContain('Metrics, line 8: loss: expected a finite number, got NaN');
});

/** Programs of this study that run. */
const running = (folder: string): number =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('trainer.mjs') && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
      } catch {
        return false;
      }
    }).length;

const SLOW = ['--profile', 'slow', '--only', 'rate/fast', '--devices', 'cpu:1x1', '--no-report'];

describe('a sweep of programs that is disturbed', () => {
  it.each([
    ['asked to stop', (sweep: ReturnType<ReturnType<typeof copyOfStudy>['start']>) => sweep.kill('SIGTERM'), /continues from its checkpoint of step|Stopped on request/],
    ['killed with all its workers', (sweep: ReturnType<ReturnType<typeof copyOfStudy>['start']>) => killTree(sweep.pid!), undefined],
    ['killed alone', (sweep: ReturnType<ReturnType<typeof copyOfStudy>['start']>) => sweep.kill('SIGKILL'), undefined],
  ])('(%s) leaves no program, and goes on from its checkpoint to the same bytes', async (_, disturb, said) => {
    const [study, calm] = [copyOfStudy(), copyOfStudy()];
    const undisturbed = calm.start('sweep', ...SLOW);
    const sweep = study.start('sweep', ...SLOW);
    const key = () => study.store().keys()[0]!;
    await expect.poll(() => study.store().furthestCheckpoint(key())?.step ?? 0, { interval: 50 }).toBeGreaterThan(20);
    disturb(sweep);
    await sweep;
    await expect.poll(() => running(study.folder)).toBe(0);
    if (said !== undefined) expect(readFileSync(study.store().logFile(key(), 1), 'utf8')).toMatch(said);
    const { exitCode, all } = await study.start('sweep', ...SLOW);
    expect(exitCode, all).toBe(0);
    await undisturbed;
    const [store, other] = [study.store(), calm.store()];
    expect(store.result(key())).toEqual(other.result(key()));
    expect(store.curve(key())).toEqual(other.curve(key()));
    expect(readFileSync(store.logFile(key(), 2), 'utf8')).toMatch(/going on from step \d+/);
  });

  it('(a worker killed) leaves no program behind', async () => {
    const study = copyOfStudy();
    const sweep = study.start('sweep', ...SLOW);
    await expect.poll(() => running(study.folder), { interval: 50 }).toBe(1);
    const workers = readdirSync('/proc').filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker.mjs') && new RegExp(`\\) [RSD] ${sweep.pid} `).test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      } catch {
        return false;
      }
    });
    expect(workers).toHaveLength(1);
    await sleep(500);
    process.kill(Number(workers[0]), 'SIGKILL');
    const { exitCode, all } = await sweep;
    expect(exitCode, all).toBe(0);
    expect(running(study.folder)).toBe(0);
    expect(study.store().state(study.store().keys()[0]!)).toEqual({ state: 'done', attempt: 2 });
  });
});
