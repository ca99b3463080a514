/** Which engine a machine gets, by the programs that it has: each is run for real. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedBinding, enginePackage } from '../../../src/setup/binding.ts';
import { writeCacheManifest } from '../../../src/setup/cache-manifest.ts';
import { wantedEngine, wasmText } from '../../../src/setup/choice.ts';
import { requireGlibc } from '../../../src/setup/glibc.ts';
import { libraryFor } from '../../../src/setup/library.ts';
import { unpackedFolder } from '../../../src/setup/wheel.ts';
import { COMPILER, openFolder, pathWith, program, PYTHON } from '../../surroundings/machine.ts';

let folder: string, cache: string;
beforeEach(() => {
  folder = openFolder('setup-choice');
  cache = path.join(folder, 'cache');
  vi.stubEnv('CXX', undefined);
  vi.stubEnv('PATH', pathWith(folder));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A machine with these programs only, by name and script. */
function machine(programs: Readonly<Record<string, string>>): void {
  for (const [name, script] of Object.entries(programs)) vi.stubEnv('PATH', program(folder, name, script));
}

const choose = (env: NodeJS.ProcessEnv = {}) => wantedEngine({ TINYMIM_CACHE: cache, TINYMIM_DEVICE: 'cpu', ...env });

/** The set-ups of TensorFlow that an empty cache lacks. */
const LIBRARY = libraryFor('linux-x64', 'cpu');

function compileBefore(): void {
  const file = cachedBinding(cache, LIBRARY, enginePackage().version);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
}

async function unpackBefore(): Promise<void> {
  const target = unpackedFolder(cache, LIBRARY.key);
  mkdirSync(target, { recursive: true });
  writeFileSync(path.join(target, 'a'), '');
  await writeCacheManifest(target, { wheels: [], files: { a: { bytes: 0, sha256: '' } } });
}

describe.skipIf(`${process.platform}-${process.arch}` !== 'linux-x64')('wantedEngine', () => {
  it('is what ENGINE says, whatever the machine has', async () => {
    expect(await choose({ ENGINE: 'wasm' })).toMatchObject({ engine: 'wasm', asked: true, why: 'ENGINE=wasm', device: { device: 'cpu' } });
    const native = await choose({ ENGINE: 'native' });
    expect(native).toMatchObject({ engine: 'tensorflow', asked: true });
    expect(wasmText(native)).toBeUndefined();
    expect(wasmText(await choose({ ENGINE: 'wasm' }))).toBeUndefined();
  });

  it('is native where there is a compiler and pip', async () => {
    machine({ 'g++': COMPILER, python3: PYTHON });
    expect(await choose()).toMatchObject({ engine: 'tensorflow', asked: false, why: 'this machine can have it (make setup)' });
  });

  it('is native where set-up has been, though everything that it needed is gone', async () => {
    compileBefore();
    await unpackBefore();
    expect(await choose()).toMatchObject({ engine: 'tensorflow', why: 'this machine has it' });
  });

  it.each([
    ['without a compiler', { python3: PYTHON }, /Expected a C\+\+ compiler/, /g\+\+/],
    ['without Python', { 'g++': COMPILER }, /Expected python3 on the PATH/, /python3/],
    [
      'with a Python that has no pip',
      { 'g++': COMPILER, python3: 'case "$*" in --version) echo Python 3.12.1;; *) echo "No module named pip" >&2; exit 1;; esac' },
      /Expected Python 3\.12\.1 to have pip, got: No module named pip/,
      /pip/,
    ],
    ['with a pip that cannot choose a platform', { 'g++': COMPILER, python3: PYTHON.replace('pip 24.0', 'pip 20.0.2') }, /Expected pip 20\.3 or newer, got 20\.0\.2/, /--upgrade pip/],
  ])('is WebAssembly %s: with the reason, the cost and the command', async (_, programs, why, mend) => {
    machine(programs);
    const choice = await choose();
    expect(choice).toMatchObject({ engine: 'wasm', asked: false, why: expect.stringMatching(why) as string, mend: expect.stringMatching(mend) as string });
    expect(wasmText(choice)).toMatch(/^No native TensorFlow here: .* Going on with WebAssembly: a training step takes 4 to 6 times as long\. For the native engine: .+, then make setup\. ENGINE=wasm/);
  });

  it('asks only for what is not done yet', async () => {
    compileBefore();
    machine({ python3: PYTHON });
    expect(await choose()).toMatchObject({ engine: 'tensorflow' });
    await unpackBefore();
    rmSync(path.join(cache, 'bindings'), { recursive: true });
    expect(await choose()).toMatchObject({ engine: 'wasm', why: expect.stringContaining('C++ compiler') as string });
  });

  it('is never WebAssembly where a GPU was asked for', async () => {
    await expect(choose({ TINYMIM_DEVICE: 'gpu' })).rejects.toMatchObject({ code: 'NO_COMPILER' });
    await expect(choose({ TINYMIM_DEVICE: 'gpu', ENGINE: 'wasm' })).rejects.toMatchObject({ code: 'BAD_DEVICE' });
  });

  it('refuses what it does not know', async () => {
    await expect(choose({ ENGINE: 'jax' })).rejects.toMatchObject({ code: 'BAD_ENGINE', message: 'Expected ENGINE to be native or wasm, got "jax".' });
    await expect(choose({ TINYMIM_DEVICE: 'tpu' })).rejects.toMatchObject({ code: 'BAD_DEVICE', message: expect.stringContaining('Expected TINYMIM_DEVICE to be cpu or gpu, got "tpu".') as string });
  });
});

describe('the C library', () => {
  it.each(['2.27', '2.36', '2.100', '3.0'])('%s loads the wheels', version => expect(() => requireGlibc(version)).not.toThrow());
  it.each([
    ['2.26', 'glibc 2.26'],
    ['2.5', 'glibc 2.5'],
    [undefined, 'another C library (musl?)'],
  ])('%s does not', (version, text) => {
    expect(() => requireGlibc(version)).toThrow(expect.objectContaining({ code: 'OLD_GLIBC', message: expect.stringContaining(`got ${text}`) as string }) as Error);
  });
});
