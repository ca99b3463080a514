/** The first minutes, with the real program: a study is written, planned, swept and reported, in a folder whose name is not plain. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa, execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const ABLATE = join(ROOT, 'src/cli/ablate.mjs');
const TEMPLATE = join(ROOT, 'src/cli/init');

let folder: string;
let study: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'ablate-init-')));
  study = join(folder, "Ada's stüdy");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ablate = (args: readonly string[], cwd = folder, env = {}) => execaNode(ABLATE, args, { cwd, reject: false, all: true, env: { NO_COLOR: '1', ...env } });

/** Relative paths of all files, links not followed. */
const filesOf = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort();

describe('ablate init', () => {
  it('writes a study that is planned by the commands it prints', async () => {
    const { exitCode, stdout } = await ablate(['init', "Ada's stüdy"]);
    expect(exitCode).toBe(0);
    const links = ['node_modules/.bin/ablate', 'node_modules/tinymim-ablations'];
    expect(filesOf(study)).toEqual(['.gitattributes', '.gitignore', 'ablations/tiny.ts', ...links, 'profiles/minute.ts', 'study.ts', 'tsconfig.json']);
    for (const file of ['study/ablations/tiny.ts', 'study/profiles/minute.ts', 'study/study.ts', 'common/tsconfig.json']) {
      expect(readFileSync(join(study, file.slice(file.indexOf('/'))), 'utf8')).toBe(readFileSync(join(TEMPLATE, file), 'utf8'));
    }

    // The printed commands, in a shell, with a plan in the place of the sweep: that one is made smaller below.
    const [cd, plan, sweep] = stdout
      .split('\n')
      .filter(line => line.startsWith('  '))
      .slice(-3)
      .map(line => line.trim());
    expect([plan, sweep]).toEqual(['npx ablate plan', 'npx ablate sweep']);
    const planned = await execa('bash', ['-ec', `${cd!}\n${plan!}`], { cwd: folder, env: { NO_COLOR: '1' } });
    expect(planned.stdout).toContain('Four ways to train a ViT-T');
  });

  // That its files are typed where they stand is seen by the type check of the program.
  it('writes a study that is typed as an editor reads it, by its own settings', { tags: 'long' }, async () => {
    expect((await ablate(['init', study])).exitCode).toBe(0);
    expect((await execa(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: study, reject: false })).stdout).toBe('');
  });

  it('writes a study that is swept and reported by the commands it prints', { tags: 'long' }, async () => {
    expect((await ablate(['init', study])).exitCode).toBe(0);
    const small = [
      '--seeds',
      '0',
      '--set',
      'unlabelled_images=256',
      '--set',
      'labelled_images=256',
      '--set',
      'pretrain.schedule.epochs=1',
      '--set',
      'pretrain.sizes.L.epochs=1',
      '--set',
      'supervise.epochs=3',
      '--set',
      'finetune.epochs=3',
    ];
    const swept = await ablate(['sweep', '--devices', 'cpu:2x1', ...small], study);
    expect(swept.all).toMatch(/\d+ stages done/);
    expect(swept.exitCode, swept.all).toBe(0);
    const reports = readdirSync(join(study, 'reports'));
    expect(reports).toHaveLength(1);
    const page = readFileSync(join(study, 'reports', reports[0]!, 'README.md'), 'utf8');
    expect(page).toContain('Four ways to train a ViT-T');
    expect(page).toMatch(/^# My study ablations$/m);
    expect(page).not.toMatch(/\b(papers?|published|order(ed)?|reproduced|contradicted)\b/i);
    for (const arm of ['From scratch', 'MAE', 'Class token of a teacher', 'Relations of a teacher']) expect(page).toMatch(new RegExp(`^\\| \\**${arm}\\** \\| \\**\\d+\\.\\d+`, 'm'));
    expect(page).toContain('Measured with 1 of 3 seeds');
    expect(page).toContain('MAE pre-training of a ViT-T is worse than training it from scratch.');

    const again = await ablate(['sweep', '--devices', 'cpu:2x1', ...small], study);
    expect(again.all).toContain('Nothing to run');
  });

  it('writes a study that asks for the data before it runs, where they are not there', async () => {
    expect((await ablate(['init', study])).exitCode).toBe(0);
    const { exitCode, stderr } = await ablate(['sweep', '--devices', 'cpu:2x1'], study, { TINYMIM_CACHE: join(folder, 'cache') });
    expect(stderr).toContain(`error Expected the files of Fashion-MNIST in ${join(folder, 'cache/data/fashion-mnist')}, got none.\nTo mend it: npx ablate setup`);
    expect(exitCode).toBe(2);
    expect(readdirSync(join(study, 'runs/stages'))).toEqual([]);
  });

  it('overwrites nothing, and says what is in the way', async () => {
    mkdirSync(study);
    writeFileSync(join(study, 'study.ts'), 'mine');
    writeFileSync(join(study, 'README.md'), 'mine');
    const { exitCode, stderr } = await ablate(['init', study]);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      `error Expected ${study} to be a new or an empty folder, or one with a README, a licence and files of git and npm, got one that holds study.ts. Nothing was written; name another: ablate init <folder>`,
    );
    expect(filesOf(study)).toEqual(['README.md', 'study.ts']);
    expect(readFileSync(join(study, 'study.ts'), 'utf8')).toBe('mine');

    const ofFile = await ablate(['init', join(study, 'study.ts')]);
    expect(ofFile.exitCode).toBe(2);
    expect(ofFile.stderr).toContain('got a file');
    const below = await ablate(['init', join(study, 'study.ts', 'below')]);
    expect(below.exitCode).toBe(2);
    expect(below.stderr).toContain('ENOTDIR');
  });

  it('takes the folder of a new repository, and leaves what is there', async () => {
    mkdirSync(join(study, '.git'), { recursive: true });
    const there = { 'README.md': '# Mine', LICENSE: 'mine', '.DS_Store': '', '.gitignore': 'dist/\r\nnode_modules/', '.git/HEAD': 'ref: refs/heads/main\n' };
    for (const [name, text] of Object.entries(there)) writeFileSync(join(study, name), text);
    const { exitCode, all } = await ablate(['init', '.'], study);
    expect(exitCode, all).toBe(0);
    expect(filesOf(study)).toEqual(expect.arrayContaining(['.gitattributes', 'study.ts', 'tsconfig.json']));
    for (const [name, text] of Object.entries(there)) expect(readFileSync(join(study, name), 'utf8'), name).toBe(name === '.gitignore' ? `${text}\n/runs/\n__pycache__/\n` : text);
  });

  it('adds no link where the package is installed, and prints how it is called there', async () => {
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
    symlinkSync(ROOT, join(folder, 'node_modules/tinymim-ablations'));
    symlinkSync('../tinymim-ablations/src/cli/ablate.mjs', join(folder, 'node_modules/.bin/ablate'));
    const { stdout } = await ablate(['init', 'study']);
    expect(stdout).toMatch(/^ {2}cd study\n {2}npx ablate plan\n {2}npx ablate sweep$/m);
    expect(filesOf(join(folder, 'study'))).not.toContain('node_modules/tinymim-ablations');
  });
});

it('a folder without a study is told how to get one', async () => {
  const { exitCode, stderr } = await ablate(['plan', '--experiments', '.']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('or write a study to begin with: ablate init <folder>');
});
