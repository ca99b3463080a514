/** The whole way with the real program, real workers and the real engine, at toy size on procedural images. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attemptCounts, stageBytes } from '../helpers/stage-bytes.ts';
import { command } from '../toy/commands.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));
const EXPERIMENTS = fileURLToPath(new URL('experiments', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ablate-sweep-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const ablate = (args: readonly string[], { env = {}, detached = false }: { env?: Record<string, string>; detached?: boolean } = {}) =>
  execa(process.execPath, [ABLATE, ...args], { reject: false, all: true, cwd: folder, env, detached });
const sweep = (store: string, more: readonly string[] = []) => [
  'sweep',
  '--experiments',
  EXPERIMENTS,
  '--profile',
  'toy',
  '--only',
  'tiny',
  '--store',
  store,
  '--reports',
  `${store}-reports`,
  '--devices',
  'cpu:2x1',
  ...more,
];

const bytes = (store: string): Record<string, string> => stageBytes(join(folder, store));
/** Paths of all checkpoints that stages have written and not removed yet. */
function checkpoints(store: string): string[] {
  try {
    return readdirSync(join(folder, store, 'stages'), { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('progress.json'));
  } catch {
    return []; // no stage has begun, or a folder went while it was read: the next look is soon
  }
}
const attempts = (store: string): number[] => attemptCounts(join(folder, store));

let first: ReturnType<typeof ablate> | undefined;
/** The store `whole`, to which nothing happened. */
const firstSweep = (): ReturnType<typeof ablate> => (first ??= ablate(sweep('whole')));

describe('ablate sweep with the stages of TinyMIM', () => {
  it('trains every arm, writes a report, and does nothing the second time', async () => {
    const { all, exitCode } = await firstSweep();
    expect(all).toContain('9 stages done');
    expect(exitCode).toBe(0);
    const page = readFileSync(join(folder, 'whole-reports/toy/index.html'), 'utf8');
    expect(page).toContain('Every stage once');
    const results = Object.entries(bytes('whole')).flatMap(([file, text]) => (file.endsWith('result.json') ? [JSON.parse(text) as Record<string, number>] : []));
    const accuracies = results.flatMap(r => (r['accuracy'] === undefined ? [] : [r['accuracy']]));
    expect(accuracies).toHaveLength(3);
    for (const accuracy of accuracies) expect(accuracy).toBeGreaterThan(0.3); // chance is 0.25
    const distilled = results.find(r => r['val_loss_untrained'] !== undefined)!;
    expect(distilled['val_loss_ratio']!).toBeLessThan(1);

    const again = await ablate(sweep('whole'));
    expect(again.exitCode).toBe(0);
    expect(again.all).toContain('Nothing to run: all 9 stages of profile toy are done');
    expect(again.all).toContain('Report up to date');
    expect(attempts('whole')).toEqual(Array(9).fill(1));

    const check = await ablate(['report', '--check', '--experiments', EXPERIMENTS, '--profile', 'toy', '--reports', 'whole-reports']);
    expect(check.exitCode).toBe(0);
  });

  it('trains every factor away from its default, every target and a sequence of teachers, and judges claims', { tags: 'long' }, async () => {
    const { exitCode, all } = await ablate(['sweep', '--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'grid', '--reports', 'grid-reports', '--devices', 'cpu:2x1']);
    expect(all).toContain('61 stages done');
    expect(exitCode).toBe(0);
    const results = Object.entries(bytes('grid'))
      .filter(([file]) => file.endsWith('result.json'))
      .map(([, text]) => JSON.parse(text) as Record<string, number>);
    for (const result of results) for (const value of Object.values(result)) expect(Number.isFinite(value)).toBe(true);
    const report = readFileSync(join(folder, 'grid-reports/grid/README.md'), 'utf8');
    expect(report).toContain('Every comparison can be made.');
    expect(report).toContain('undecided');

    const dry = await ablate(['sweep', '--dry-run', '--experiments', EXPERIMENTS, '--profile', 'grid', '--store', 'grid', '--set', 'distill.base_lr=1e-3']);
    expect(dry.exitCode).toBe(0);
    expect(attempts('grid')).toEqual(Array(61).fill(1)); // a dry run runs nothing
  });

  it('ends with the same bytes after SIGKILL in the middle', { tags: 'long' }, async () => {
    const undisturbed = await firstSweep();
    expect(undisturbed.exitCode, undisturbed.all).toBe(0);
    let kills = 0;
    while (kills < 3) {
      const before = checkpoints('killed');
      const running = ablate(sweep('killed', ['--checkpoint-every', '0.1', '--no-report']), { detached: true });
      let ended = false;
      void running.then(() => {
        ended = true;
      });
      while (!ended && checkpoints('killed').every(file => before.includes(file))) await sleep(20);
      if (ended) break;
      process.kill(-running.pid!, 'SIGKILL'); // the runner and its workers, as when the machine goes down
      await running;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await ablate(sweep('killed', ['--no-report']));
    expect(last.exitCode).toBe(0);
    expect(Math.max(...attempts('killed'))).toBeGreaterThan(1);
    expect(bytes('killed')).toEqual(bytes('whole'));
  });

  it('does not begin without the data, and says how to get them', async () => {
    const { exitCode, all } = await ablate(['sweep', '--only', 'mae-vs-scratch/scratch-b', '--store', 'no-data', '--no-report', '--devices', 'cpu:1x1'], {
      env: { TINYMIM_CACHE: join(folder, 'empty') },
    });
    expect(exitCode).toBe(2);
    expect(all).toMatch(/error Expected the files of Fashion-MNIST in .*, got none\.\nTo mend it: .* setup$/m);
    expect(all).not.toContain('started');
  });

  it('ends a stage whose loss is not finite at once, and says at which step and what to look at', async () => {
    const { exitCode, all } = await ablate(['sweep', '--experiments', EXPERIMENTS, '--profile', 'explode', '--only', 'tiny/scratch', '--store', 'explode', '--no-report', '--devices', 'cpu:1x1']);
    expect(exitCode).toBe(1);
    expect(all).toMatch(/Expected a finite 'loss', got (NaN|Infinity) at step \d+ \(epoch [\d.]+, learning rate/);
    expect(all).toContain('schedule.base_lr');
    expect(all).not.toContain('retry'); // no other try could end better
    expect(all).toContain('blocked'); // what hangs on it
    const status = await ablate(['status', '--experiments', EXPERIMENTS, '--profile', 'explode', '--only', 'tiny/scratch', '--store', 'explode']);
    expect(status.all).toContain('failed');
    expect(status.all).toContain('log.txt');
  });

  it.each([
    [['sweep', '--devices', 'tpu:0'], /--devices: expected/],
    [['plan', '--only', 'relaton'], /did you mean 'relation'/],
    [['plan', '--profile', 'mimi'], /did you mean 'mini'/],
    [['swep'], /unknown command 'swep'/],
    [['plan', '--set', 'distill.epoch=3'], /did you mean 'distill.schedule.epochs'/],
    [['sweep', '--profile', 'imagenet1k'], /planned, not run/],
    [['explain', 'relation/qk-v'], /did you mean 'relation\/qk-vv'/],
    [['plan', '--sed', '1'], /unknown option '--sed'/],
  ])('ends with 2 on bad use: %s', async (args, message) => {
    const { exitCode, all } = await command(args, { cwd: folder });
    expect(all).toMatch(message);
    expect(exitCode).toBe(2);
  });

  it('has help for every command', async () => {
    for (const name of ['setup', 'doctor', 'plan', 'sweep', 'status', 'report', 'explain', 'diff']) {
      const { exitCode, all } = await command([name, '--help'], { cwd: folder });
      expect(exitCode).toBe(0);
      expect(all).toContain(`Usage: ablate ${name}`);
    }
  });
});
