/** The real program in broken surroundings. Each has an empty cache of its own and fails before it would touch this checkout's engine. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/setup/doctor.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

let folder: string;
beforeEach(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'setup-command-')); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function ablate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(ROOT, 'src/cli/ablate.mjs'), ...args], {
    cwd: ROOT, reject: false, stdin: 'ignore',
    env: { NO_COLOR: '1', CI: undefined, CXX: undefined, TINYMIM_DEVICE: 'cpu', TINYMIM_CACHE: path.join(folder, 'cache'), ...env },
  });
  return { exitCode, stdout, stderr };
}

/** A PATH with these programs only. */
function pathWith(...programs: string[]): string {
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const name of programs) symlinkSync(execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(), path.join(bin, name));
  return bin;
}

/** A program that answers `--version` and nothing else. */
function fake(name: string, script: string): string {
  const bin = path.join(folder, 'fake');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return bin;
}

describe('ablate setup --engine', () => {
  const setup = (env: NodeJS.ProcessEnv) => ablate(['setup', '--engine'], env);

  it('without a C++ compiler says so before it downloads anything', async () => {
    const { exitCode, stderr } = await setup({ PATH: pathWith('python3') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected a C\+\+ compiler \(g\+\+ or clang\+\+\) on the PATH.*\nTo mend it: .*(g\+\+|xcode-select)/);
    expect(stderr).not.toContain('Downloading');
  });

  it('without Python says so, and how to get it', async () => {
    const { exitCode, stderr } = await setup({ PATH: fake('g++', 'echo g++ 12') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected python3 on the PATH.*\nTo mend it: .*python3/);
  });

  it('with a Python that has no pip says so, and how to get it', async () => {
    fake('g++', 'echo g++ 12');
    const bin = fake('python3', 'case "$*" in --version) echo Python 3.12.1;; *) echo "python3: No module named pip" >&2; exit 1;; esac');
    const { exitCode, stderr } = await setup({ PATH: bin });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected Python 3.12.1 to have pip, got: python3: No module named pip\nTo mend it: .*pip/);
  });

  it('offline shows what pip says, and that the same call goes on later', async () => {
    const { exitCode, stderr } = await setup({
      PIP_CONFIG_FILE: os.devNull, PIP_FIND_LINKS: '', PIP_EXTRA_INDEX_URL: '', PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '0',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Downloading tensorflow-cpu 2\.21\.0 \(274 MB\) with pip/);
    expect(stderr).toMatch(/error pip could not download tensorflow-cpu==2\.21\.0:[^]*No matching distribution[^]*To mend it: check the network.*`make setup` again/);
  });

  it('with a cache that cannot be made names the variable that moves it', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const { exitCode, stderr } = await setup({ TINYMIM_CACHE: path.join(folder, 'file', 'cache') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected to be able to write to the cache [^]*To mend it: .*export TINYMIM_CACHE=/);
  });

  it('refuses a device that it does not know', async () => {
    const { exitCode, stderr } = await setup({ TINYMIM_DEVICE: 'tpu' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Expected TINYMIM_DEVICE to be cpu or gpu, got "tpu".');
  });
});

describe('ablate', () => {
  it('before the packages are installed says how to install them, in one line', async () => {
    copyFileSync(path.join(ROOT, 'src/cli/ablate.mjs'), path.join(folder, 'ablate.mjs'));
    const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(folder, 'ablate.mjs'), 'plan'], { reject: false });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1, stdout: '', stderr: 'error The npm packages are not installed (tsx is missing): run `make setup` here.',
    });
  });
});

describe('ablate doctor', () => {
  it('trains on the engine, and says for what is missing how to mend it', async () => {
    const { exitCode, stdout } = await ablate(['doctor', '--json', '--store', path.join(folder, 'runs')]);
    const { ok, checks } = JSON.parse(stdout) as Diagnosis;
    const find = (name: string) => checks.find(check => check.name === name)!;
    expect(find('engine')).toMatchObject({ state: 'ok', details: { device: 'cpu', libraryVersion: '2.21.0', toy: { ok: true } } });
    expect(find('data')).toMatchObject({ state: 'missing', mend: 'npx ablate setup --data' });
    expect(checks.filter(check => check.state !== 'ok').every(check => check.mend !== undefined)).toBe(true);
    expect({ ok, exitCode }).toEqual({ ok: false, exitCode: 1 });
  });
});
