/**
 * `npm pack`, then `npm install` of the tarball in an empty folder, by the real npm: the same command, with the user's own declarations and their types.
 * @module-tag long
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import { install, npmWarnings, pack, packageFolder, ROOT, typeErrors } from '../installed/package.ts';

let folder: string;
let project: string;
let files: readonly string[];

/** Files below `dir`, without the packages that it brings. */
function filesBelow(dir: string): string[] {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  return found
    .map(entry => relative(dir, join(entry.parentPath, entry.name)))
    .filter(file => !file.startsWith('node_modules'))
    .sort();
}

const ablate = (...args: string[]) => execa(join(project, 'node_modules/.bin/ablate'), args, { cwd: project, reject: false, stdin: 'ignore', all: true, env: { CI: undefined } });

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'installed elsewhere ü-')));
  project = join(folder, 'my project');
  const said = await install(await pack(ROOT, join(folder, 'packed')), project);
  expect(npmWarnings(said)).toEqual([]);
  files = filesBelow(packageFolder(project));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('has sources, declarations, their types and the licence, and nothing else', () => {
    expect([...new Set(files.map(file => file.split('/')[0]))].sort()).toEqual(['LICENSE', 'README.md', 'experiments', 'package.json', 'src', 'types']);
    expect(files).toEqual(
      expect.arrayContaining([
        'types/src/index.d.ts',
        'types/experiments/paper.d.ts',
        'experiments/paper.json',
        'src/setup/unpack.py',
        'src/cli/init/python/train_pytorch.py',
        'src/cli/init/common/gitignore',
        'types/src/core/command/command-stage.d.ts',
        'src/core/report/render/html/page/main.ts',
      ]),
    );
    expect(files.filter(file => !file.startsWith('experiments/teachers/')).reduce((sum, file) => sum + statSync(join(packageFolder(project), file)).size, 0)).toBeLessThan(3.5e6);
  });

  it('leaves nothing behind where it was packed', () => {
    expect(existsSync(join(ROOT, 'types'))).toBe(false);
  });
});

describe('the command', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect((await ablate('--version')).stdout).toBe(version);
  });

  it('plans what comes with it where there is nothing else: the same stages as in the clone', async () => {
    const ours = buildPlan(await loadExperiments(join(ROOT, 'experiments'), { profile: 'mini' }));
    const { stages } = JSON.parse((await ablate('plan', '--json')).stdout) as { stages: readonly { key: string }[] };
    expect(stages.map(({ key }) => key).sort()).toEqual([...ours.stages.keys()].sort());
  });
});

describe("declarations of one's own", () => {
  beforeAll(async () => {
    cpSync(join(ROOT, 'test/installed/study'), join(project, 'coins'), { recursive: true });
    expect((await ablate('init', 'mine')).exitCode).toBe(0);
    expect((await ablate('init', '--template', 'python', 'scripts')).exitCode).toBe(0);
  });

  it('run, and are reported in the folder of the user alone, by a package that is of no repository, with the commit of their own', async () => {
    const git = (...args: string[]) => execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: join(project, 'coins') });
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
      ['commit', '-q', '-m', 'coins'],
    ])
      await git(...args);
    const { stdout: commit } = await git('rev-parse', 'HEAD');
    const { exitCode, all } = await ablate('sweep', '--experiments', 'coins', '--profile', 'few', '--devices', 'cpu:2x1');
    expect(all).toContain('12 stages done');
    expect(exitCode).toBe(0);
    expect(readFileSync(join(project, 'reports/few/README.md'), 'utf8')).toContain('A bent coin shows heads more often.');
    expect(readFileSync(join(project, 'reports/few/index.html'), 'utf8')).toContain('Vega');
    expect(readdirSync(project).sort()).toEqual(['coins', 'mine', 'node_modules', 'package-lock.json', 'package.json', 'reports', 'runs', 'scripts']);
    expect(filesBelow(packageFolder(project))).toEqual(files);
    const [stage = ''] = readdirSync(join(project, 'runs/stages'));
    const provenance = JSON.parse(readFileSync(join(project, 'runs/stages', stage, 'attempts/1/provenance.json'), 'utf8')) as { packages: Record<string, string> };
    expect(provenance).toMatchObject({
      package: expect.stringMatching(/^tinymim-ablations \d/) as string,
      commit: null,
      study: { commit, dirty: false },
      code_hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(Object.values(provenance.packages)).not.toContain('unknown');
  });

  it.each(['nodenext', 'bundler'] as const)('are type-checked strictly, libraries included, with module resolution %s', async modules => {
    writeFileSync(
      join(project, 'wrong.ts'),
      `
      import { defineAblation } from 'tinymim-ablations';
      import type { Factors } from 'tinymim-ablations/tinymim';
      export default defineAblation<Factors>({
        name: 'wrong', title: 't', table: 'ours', question: 'q', expected: 'e', base: { student: 'B' }, default: 'a',
        arms: [{ name: 'a', label: 'A', factors: { softmaxx: true } }],
      });`,
    );
    const errors = (await typeErrors(project, ['coins', 'mine', 'scripts', 'wrong.ts'], modules)).split('\n').filter(line => /error TS/.test(line));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.ts\(6,\d+\): error TS2561: .*'softmaxx'/)]);
  });
});
