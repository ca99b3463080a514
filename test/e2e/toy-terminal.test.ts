/** What reaches a terminal: text that it only shows, and colours and cursor movements of ours where they are wanted. Real terminals, the real program. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { PAINT } from '../../src/cli/terminal/colours.ts';
import { keyOf as identityKey } from '../../src/core/ablation/identity.ts';
import { openStore } from '../../src/core/store/store.ts';
import { attemptFiles } from '../../src/core/store/layout.ts';
import { ablate, ablateWith, toyCommand, toyEnvironment } from '../toy/program.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';
import { onTerminal, startOnTerminal, type TerminalLine } from '../toy/terminal.ts';

const ESC = '\u001b';
/** Writes to the clipboard, erases the screen (a C1 code), turns the text around. */
const HOSTILE = `seen${ESC}]52;c;cm0gLXJm\u0007${ESC}[2J\u009b2J\u202e\rover`;
const CHOICE = ['--profile', 'quick', '--only', 'cut/whole'];

// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
const unpainted = (text: string): string =>
  text
    .split(PAINT)
    .filter((_, i) => i % 2 === 0)
    .join('');

describe('text of others', () => {
  const store = temporaryFolder('hostile'),
    reports = temporaryFolder('hostile-reports');
  const sql = `select chr(27) || ']52;c;eA' || chr(7) || chr(155) || '2J' as x`;
  const shown: Record<string, string> = {};

  beforeAll(async () => {
    const failed = await ablate('experiments', 'sweep', '--profile', 'quick', '--only', 'cut/whole,trouble/fail-permanently', '--store', store, '--reports', reports, '--devices', 'inline');
    expect(failed.exitCode).toBe(1);
    const { arms } = await toyPlan({ profile: 'quick', only: 'cut/whole,trouble/fail-permanently' });
    const keyOf = (arm: string): string => arms.find(a => a.arm === arm)!.stages['tree']!;
    const [done, blight] = [keyOf('whole'), keyOf('fail-permanently')];
    appendFileSync(join(store, 'stages', done, 'attempts/1', attemptFiles.log), `${HOSTILE}\n`);
    const states = join(store, 'stages', blight, 'attempts/1', attemptFiles.states);
    writeFileSync(states, readFileSync(states, 'utf8').replace('The tree has blight', JSON.stringify(HOSTILE).slice(1, -1)));
    for (const key of [done, blight]) {
      const file = join(store, 'stages', key, 'stage.json');
      writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), label: HOSTILE }));
    }
    const garbage = { kind: 'seedling', revision: 1, recipe: { steps: 3 }, seed: 7, upstream: {} };
    const opened = openStore(store);
    opened.ensureStage(identityKey(garbage), garbage, HOSTILE);
    opened.recordSweep({ study: 'toy', profile: 'quick', overrides: [], seeds: [0], arms: [{ ablation: 'gone', arm: 'gone', seed: 0, stages: { stock: identityKey(garbage) } }] });
    const name = `tables/${HOSTILE}.csv`;
    writeFileSync(join(reports, 'quick', name), '');
    const manifest = join(reports, 'quick/report.json');
    const text = JSON.parse(readFileSync(manifest, 'utf8')) as { files: string[] };
    writeFileSync(manifest, JSON.stringify({ ...text, files: [...text.files, name] }));

    const at = ['--store', store];
    const lines: Record<string, readonly string[]> = {
      status: toyCommand('experiments', 'status', ...at, '--profile', 'quick', '--only', 'trouble/fail-permanently'),
      explain: toyCommand('experiments', 'explain', 'trouble/fail-permanently', ...at, '--profile', 'quick'),
      logs: toyCommand('experiments', 'logs', done, ...at),
      clean: toyCommand('experiments', 'clean', ...at),
      check: toyCommand('experiments', 'report', '--check', '--profile', 'quick', '--reports', reports),
      table: ['query', sql, ...at],
      csv: ['query', sql, ...at, '--csv'],
      json: ['query', sql, ...at, '--json'],
      error: ['query', `select ${HOSTILE}`, ...at],
    };
    const texts = await onTerminal(
      Object.values(lines).map(argv => ({ argv })),
      { env: toyEnvironment },
    );
    Object.keys(lines).forEach((name, i) => (shown[name] = texts[i]!));
  });

  it.each(['status', 'explain', 'logs', 'clean', 'check', 'table', 'csv', 'json', 'error'])('of %s is shown and not obeyed', name => {
    expect(unpainted(shown[name]!)).not.toMatch(OBEYED);
    expect(shown[name]).toMatch(/52;c;|seen/);
  });

  it('is the same data as JSON', () => {
    expect(JSON.parse(shown['json']!)).toEqual([{ x: `${ESC}]52;c;eA\u0007\u009b2J` }]);
  });

  it('is exact as CSV for another program', async () => {
    const { stdout } = await ablate(undefined, 'query', sql, '--store', store, '--csv');
    expect(stdout).toBe(`x\n${ESC}]52;c;eA\u0007\u009b2J`);
  });
});

describe('colours and cursor', () => {
  const plan = (env: TerminalLine['env'] = {}): TerminalLine => ({ argv: toyCommand('experiments', 'plan', ...CHOICE, '--store', '/none/store'), env });
  const sweep = (store: string, env: TerminalLine['env'] = {}): TerminalLine => ({
    argv: toyCommand('experiments', 'sweep', ...CHOICE, '--store', temporaryFolder(store), '--no-report', '--devices', 'inline'),
    env,
  });
  const lines = {
    plain: plan(),
    noColor: plan({ NO_COLOR: '1' }),
    forcedOff: plan({ FORCE_COLOR: '0' }),
    dumb: plan({ TERM: 'dumb' }),
    forcedDumb: plan({ TERM: 'dumb', FORCE_COLOR: '1' }),
    both: plan({ NO_COLOR: '1', FORCE_COLOR: '1' }),
    help: { argv: ['--help'] },
    liveSweep: sweep('live'),
    dumbSweep: sweep('dumb', { TERM: 'dumb' }),
  };
  let shown: Record<keyof typeof lines, string>;

  beforeAll(async () => {
    const texts = await onTerminal(Object.values(lines), { columns: 0, env: toyEnvironment });
    shown = Object.fromEntries(Object.keys(lines).map((name, i) => [name, texts[i]!])) as typeof shown;
  });

  it('follow NO_COLOR, FORCE_COLOR and TERM on a terminal', () => {
    const { plain, forcedDumb, noColor, forcedOff, dumb, both } = shown;
    expect(plain).toContain(`${ESC}[36mcut${ESC}[39m`);
    expect(forcedDumb).toBe(plain);
    for (const text of [noColor, forcedOff, dumb, both]) expect(text).toBe(stripVTControlCharacters(plain));
  });

  it('are none in a pipe, in CI as elsewhere, unless FORCE_COLOR asks for them', async () => {
    const line = ['plan', ...CHOICE, '--store', '/none/store'] as const;
    const outputs: string[] = [];
    for (const env of [{ CI: 'true' }, { CI: 'true', FORCE_COLOR: '0' }, { FORCE_COLOR: '1' }]) {
      outputs.push((await ablateWith({ NO_COLOR: '', FORCE_COLOR: '', ...env }, 'experiments', ...line)).stdout);
    }
    const [ci, off, forced] = outputs;
    expect(ci).not.toContain(ESC);
    expect(off).toBe(ci);
    expect(forced).toContain(`${ESC}[36mcut${ESC}[39m`);
  });

  it('draw a sweep in place, on a dumb terminal line by line', () => {
    const { liveSweep, dumbSweep } = shown;
    expect(liveSweep).toContain(`${ESC}[?25l`);
    expect(liveSweep).toContain(`${ESC}[2K`);
    expect(liveSweep).toContain(`${ESC}[32mdone${ESC}[39m`);
    expect(dumbSweep).not.toContain(ESC);
    expect(dumbSweep).toMatch(/^started stock of cut\/whole seed 0 {2}on inline$/m);
  });

  it.each(['plain', 'help', 'liveSweep'] as const)('take 0 columns for 80 (%s)', name => {
    const widest = Math.max(
      ...stripVTControlCharacters(shown[name])
        .split('\n')
        .map(line => line.length),
    );
    expect(widest).toBeGreaterThan(60);
  });
});

describe('a terminal that hangs up', () => {
  it('ends a sweep as a service manager does: with checkpoints, the word, and the code of HUP', async () => {
    const store = temporaryFolder('hang-up'),
      hangUp = join(store, 'hang-up');
    const argv = toyCommand('experiments', 'sweep', '--profile', 'slow', '--only', 'cut/whole', '--store', store, '--no-report', '--devices', 'cpu:1x1');
    const { arms } = await toyPlan({ profile: 'slow', only: 'cut/whole' });
    const log = join(store, 'stages', arms[0]!.stages['stock']!, 'attempts/1', attemptFiles.metrics);
    const ended = startOnTerminal(['node', 'src/cli/ablate.mjs', ...argv], { env: toyEnvironment, hangUp });
    await expect.poll(() => execa('wc', ['-l', log], { reject: false }).then(({ stdout }) => Number.parseInt(stdout) || 0)).toBeGreaterThan(5);
    writeFileSync(hangUp, '');
    expect((await ended).exitCode).toBe(129);
    const { stdout } = await ablate('experiments', 'explain', 'cut/whole', '--profile', 'slow', '--store', store);
    expect(stdout).toMatch(/stock .*interrupted/);
    expect(stdout).toMatch(/checkpoint after step \d+/);
  });
});
