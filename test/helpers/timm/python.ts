/** A Python with timm: a virtual environment in the cache, beside the PyTorch of the benchmarks. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { readWeights, writeWeights, type HostTensor, type Weights } from '../../../src/engine/formats/weights.ts';
import { cacheDir, prepareFolder } from '../../../src/setup/cache.ts';
import { SetupError, tail } from '../../../src/setup/errors.ts';
import { withLock } from '../../../src/setup/lock.mjs';
import { findPyTorch } from '../../bench/race/pytorch.ts';

export interface Timm {
  readonly python: string;
  readonly version: string;
  readonly torch: string;
}

const VERSION = '1.0.31';
const VALUES = fileURLToPath(new URL('../../fixtures/timm/values.py', import.meta.url));

/** @returns why there is none, where pip does not reach it or PyTorch. @param say told how far it is */
export async function findTimm(say: (line: string) => void): Promise<Timm | { readonly missing: string }> {
  try {
    return await ensureTimm(say);
  } catch (error) {
    if (error instanceof SetupError) return { missing: error.message };
    throw error;
  }
}

async function ensureTimm(say: (line: string) => void): Promise<Timm> {
  const cache = cacheDir();
  const { python, env, version: torch } = await findPyTorch({ env: process.env, cache, device: 'cpu', say });
  const packages = await run(python, ['-c', 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))'], env);
  const folder = join(cache, 'timm', `${VERSION}-torch-${torch}`);
  const whole = join(folder, 'whole');
  const there = join(folder, 'bin', 'python');
  await prepareFolder(join(cache, 'timm'), 300e6);
  return withLock(join(cache, 'locks', 'timm.lock'), say, async () => {
    if (!existsSync(whole)) {
      rmSync(folder, { recursive: true, force: true });
      say(`Installing timm ${VERSION} with pip into ${folder} ...`);
      await run(python, ['-m', 'venv', folder], env);
      const own = await run(there, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
      writeFileSync(join(own, 'torch.pth'), `${packages}\n`);
      // With the PyTorch that is there: pip would take the newest.
      await run(there, ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '--no-cache-dir', '--disable-pip-version-check', '--no-input', `timm==${VERSION}`, `torch==${torch}`]);
      writeFileSync(whole, '');
    }
    return { python: there, version: VERSION, torch };
  });
}

async function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const done = await execa(program, args, { reject: false, stdin: 'ignore', env });
  if (!done.failed) return done.stdout.trim();
  throw new SetupError('PIP_FAILED', `${[program, ...args.slice(0, 3)].join(' ')} failed:\n${tail(done.stderr) || done.shortMessage}`, 'check the network (or the mirror: python3 -m pip config list)');
}

export interface ValuesOptions {
  /** For files of its own. */
  readonly folder: string;
  /** What `ablate export` printed: paths in it are relative to `cwd`. */
  readonly code: string;
  readonly file: string;
  readonly images: HostTensor;
  readonly cwd?: string;
}

/** Images, block outputs, features and logits; see `values.py`. @throws when timm takes the file not, or as another model than it says */
export async function timmValues({ python }: Timm, { folder, code, file, images, cwd = folder }: ValuesOptions): Promise<Weights> {
  const [script, inputs, outputs] = ['code.py', 'images.safetensors', 'values.safetensors'].map(name => join(folder, name)) as [string, string, string];
  writeFileSync(script, code);
  writeWeights(inputs, { images });
  await execa(python, [VALUES, script, file, inputs, outputs], { cwd, stdin: 'ignore' });
  return readWeights(outputs);
}
