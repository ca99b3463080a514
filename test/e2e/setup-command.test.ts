/** The real program on machines that lack something. Each has an empty cache of its own and fails before it would touch this checkout's engine. */
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diagnosisSchema, type Diagnosis } from '../../src/setup/diagnosis.ts';
import { COMPILER, cudaDriver, driverTool, has, openFolder, pathWith, program, PYTHON, ROOT } from '../surroundings/machine.ts';
import { wheelIndex } from '../surroundings/servers.ts';

let folder: string;
beforeEach(() => {
  folder = openFolder('setup-command');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cache = (): string => path.join(folder, 'cache');

async function ablate(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(ROOT, 'src/cli/ablate.mjs'), ...args], {
    cwd: ROOT,
    reject: false,
    stdin: 'ignore',
    env: { NO_COLOR: '1', CI: undefined, CXX: undefined, ENGINE: undefined, TINYMIM_DEVICE: 'cpu', TINYMIM_CACHE: cache(), ...env },
  });
  return { exitCode, stdout, stderr };
}

const setup = (env: NodeJS.ProcessEnv) => ablate(['setup', '--engine'], env);

/** Variables of a pip that knows no index but these, whatever the user has configured. */
const pip = (more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({ PIP_CONFIG_FILE: os.devNull, PIP_FIND_LINKS: '', PIP_EXTRA_INDEX_URL: '', PIP_RETRIES: '1', ...more });
const OFFLINE = pip({ PIP_INDEX_URL: 'http://127.0.0.1:9/simple' });

describe('a machine that cannot have the native engine goes on with WebAssembly, and says once why, at what cost and how to get the other', () => {
  const goesOn = async (PATH: string, why: string | RegExp): Promise<void> => {
    const { exitCode, stderr } = await setup({ PATH });
    const [warning, ...rest] = stderr.split('\n').filter(line => !line.startsWith('Engine ready'));
    expect(warning).toMatch(/^warning No native TensorFlow here: .*Going on with WebAssembly: a training step takes 4 to 6 times as long\. For the native engine: .+, then make setup\. ENGINE=wasm/);
    expect(warning).toMatch(why);
    expect(rest).toEqual([expect.stringMatching(/^Engine: WebAssembly \d/)]);
    expect(exitCode).toBe(0);
    expect(existsSync(cache())).toBe(false);
  };

  it('without a C++ compiler', () => goesOn(program(folder, 'python3', PYTHON), /Expected a C\+\+ compiler.*(apt-get install g\+\+|g\+\+ or clang\+\+)/));
  it('without Python', () => goesOn(program(folder, 'g++', COMPILER), /Expected python3 on the PATH.*python3/));
});

describe('ENGINE', () => {
  const nothing = (): string => pathWith(folder);

  it('wasm needs no program and no download, and asks for nothing', async () => {
    expect(await setup({ ENGINE: 'wasm', PATH: nothing() })).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^(?:Engine ready.*\n)?Engine: WebAssembly \S+ \(ENGINE=wasm\)\.$/) as string,
    });
    expect(existsSync(cache())).toBe(false);
  });

  it('native is not replaced by another', async () => {
    const { exitCode, stderr } = await setup({ ENGINE: 'native', PATH: nothing() });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected a C\+\+ compiler \(g\+\+ or clang\+\+\) on the PATH.*\nTo mend it: .*(g\+\+|xcode-select).*\nOr without it: ENGINE=wasm make setup/);
  });

  it('names an engine, or is an error', async () => {
    expect(await setup({ ENGINE: 'jax' })).toMatchObject({ exitCode: 2, stderr: 'error Expected ENGINE to be native or wasm, got "jax".' });
  });

  it('wasm has workers of one thread', async () => {
    const { exitCode, stderr } = await ablate(['plan', '--experiments', 'test/e2e/experiments', '--profile', 'toy', '--devices', 'cpu:1x2'], { ENGINE: 'wasm' });
    expect(stderr).toMatch(/^error --devices: expected workers of one thread on the CPU.*got 'cpu:1x2'/);
    expect(exitCode).toBe(2);
  });
});

describe('what a retry can mend is an error with the command, and no reason for another engine', () => {
  it('pip offline before set-up', async () => {
    const { exitCode, stderr } = await setup(OFFLINE);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Downloading tensorflow-cpu 2\.21\.0 \(274 MB\) with pip/);
    expect(stderr).toMatch(
      /error pip could not download tensorflow-cpu==2\.21\.0:[^]*No matching distribution[^]*To mend it: check the network.*`make setup` again\nOr without it: ENGINE=wasm make setup \(WebAssembly: .*4 to 6 times/,
    );
  });

  it('a mirror of the user, which is asked, but has no wheel for this platform', { tags: 'long' }, async () => {
    const mirror = await wheelIndex(folder);
    writeFileSync(path.join(folder, 'pip.conf'), `[global]\nindex-url = ${mirror.url}/simple\n`);
    writeFileSync(path.join(folder, 'tensorflow_cpu-2.21.0-cp312-cp312-win_amd64.whl'), '');
    const { exitCode, stderr } = await setup({ ...pip({}), PIP_CONFIG_FILE: path.join(folder, 'pip.conf') });
    mirror.close();
    expect(mirror.requests).toEqual(['/simple/tensorflow-cpu/']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/error pip found no wheel of tensorflow-cpu==2\.21\.0 for this platform[^]*To mend it: name an index that has it: PIP_INDEX_URL=/);
  });

  it('a cache that cannot be made', async () => {
    writeFileSync(path.join(folder, 'file'), '');
    const { exitCode, stderr } = await setup({ TINYMIM_CACHE: path.join(folder, 'file', 'cache') });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error Expected to be able to write to the cache [^]*To mend it: .*export TINYMIM_CACHE=[^]*Or without it: ENGINE=wasm/);
  });
});

it('offline after set-up, and without pip and compiler, there is nothing to do', async () => {
  expect(await setup({ PATH: pathWith(folder), TINYMIM_CACHE: undefined })).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^Engine: tensorflow-cpu 2\.21\.0/) as string });
});

// Without a compiler there is no driver library to stand in for that of the machine.
it.skipIf(process.platform !== 'linux' || !has('c++'))(
  'a machine whose NVIDIA GPU cannot be used says so and gets the CPU build; a GPU that CUDA_VISIBLE_DEVICES hides is not missed',
  { tags: 'long' },
  async () => {
    const env = { ...OFFLINE, TINYMIM_DEVICE: undefined, PATH: `${driverTool(folder)}:${process.env['PATH']!}`, LD_LIBRARY_PATH: cudaDriver(folder, { init: 100 }) };
    expect((await setup(env)).stderr).toMatch(
      /^warning NVIDIA H100.* cannot be used: cuInit answers CUDA_ERROR_NO_DEVICE\. Going on with the CPU\..*TINYMIM_DEVICE=cpu.*\nDownloading tensorflow-cpu 2\.21\.0/,
    );
    expect((await setup({ ...env, CUDA_VISIBLE_DEVICES: '' })).stderr).toMatch(/^Downloading tensorflow-cpu 2\.21\.0/);
  },
);

it('before the packages are installed there is one line that says how to install them', async () => {
  mkdirSync(path.join(folder, 'src/cli'), { recursive: true });
  copyFileSync(path.join(ROOT, 'src/cli/ablate.mjs'), path.join(folder, 'src/cli/ablate.mjs'));
  cpSync(path.join(ROOT, 'src/start'), path.join(folder, 'src/start'), { recursive: true });
  writeFileSync(path.join(folder, 'package-lock.json'), '{}');
  const { exitCode, stdout, stderr } = await execa(process.execPath, [path.join(folder, 'src/cli/ablate.mjs'), 'plan'], { reject: false });
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'error The npm packages are not installed (tsx is missing): run `make setup` here.',
  });
});

describe('ablate doctor', () => {
  const doctor = async (env: NodeJS.ProcessEnv = {}): Promise<Diagnosis & { exitCode: number | undefined; find: (name: string) => Diagnosis['checks'][number] }> => {
    const { exitCode, stdout, stderr } = await ablate(['doctor', '--json', '--store', path.join(folder, 'runs')], env);
    expect(stderr).toBe('');
    const diagnosis = diagnosisSchema.parse(JSON.parse(stdout));
    expect(diagnosis.checks.filter(check => check.state !== 'ok').every(check => check.mend !== undefined)).toBe(true);
    expect({ ok: diagnosis.ok, exitCode }).toEqual({ ok: exitCode === 0, exitCode: diagnosis.ok ? 0 : 1 });
    return { ...diagnosis, exitCode, find: name => diagnosis.checks.find(check => check.name === name)! };
  };

  it('trains on both engines, and says for what is missing how to mend it', async () => {
    const { engine, find, ok } = await doctor();
    expect(engine).toMatchObject({ name: 'tensorflow', asked: false, slower: null, ok: true });
    expect(find('native')).toMatchObject({ state: 'ok', details: { engine: { device: 'cpu', libraryVersion: '2.21.0' }, toy: { ok: true } } });
    expect(find('wasm')).toMatchObject({ state: 'ok', details: { engine: { name: 'wasm', threads: 1 }, toy: { ok: true } } });
    expect(find('data')).toMatchObject({ state: 'missing', mend: 'npx ablate setup --data' });
    expect(ok).toBe(false);
  });

  it('on a machine without any program names WebAssembly, why, and what would give the other', { tags: 'long' }, async () => {
    const { engine, find } = await doctor({ PATH: pathWith(folder) });
    expect(engine).toMatchObject({ name: 'wasm', asked: false, why: expect.stringContaining('C++ compiler') as string, slower: expect.stringContaining('4 to 6') as string, ok: true, tested: true });
    expect(find('engine')).toMatchObject({ state: 'ok' });
    expect(find('native')).toMatchObject({ state: 'optional', mend: expect.stringMatching(/g\+\+|xcode/) as string });
    expect(find('pip')).toMatchObject({ state: 'optional' });
    expect(find('packages').details).toMatchObject({ npm: null });
  });

  it('finds an engine that cannot be chosen, and looks at all the rest', async () => {
    const { engine, find } = await doctor({ ENGINE: 'jax', TINYMIM_CACHE: undefined, XDG_CACHE_HOME: folder });
    expect(engine).toBeNull();
    expect(find('engine')).toMatchObject({ state: 'missing', text: 'Expected ENGINE to be native or wasm, got "jax".' });
    expect(find('disk, store')).toMatchObject({ state: 'ok' });
  });
});
