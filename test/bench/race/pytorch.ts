/**
 * A Python that imports PyTorch: the one that `TORCH_PYTHON` names, else `python3`, else `python3` with packages that pip puts
 * into the cache, once.
 */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { prepareFolder, withTemporary } from '../../../src/setup/cache.ts';
import { SetupError, tail } from '../../../src/setup/errors.ts';
import { withLock } from '../../../src/setup/lock.mjs';
import { systemPackage } from '../../../src/setup/python.ts';
import type { PrintLine } from '../../../src/tinymim/data/files.ts';

export interface PyTorch {
  readonly python: string;
  /** Variables that its process needs. */
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly gpu: boolean;
}

/** Of the one that pip fetches; whoever has another takes part with that. */
const VERSION = '2.13.0';

interface Build {
  readonly requirement: string;
  /** Download and unpacked size, about. */
  readonly wheelBytes: number;
  readonly unpackedBytes: number;
}

const CPU: Build = { requirement: `torch==${VERSION}+cpu`, wheelBytes: 210e6, unpackedBytes: 850e6 };
/** On Linux it comes with the packages of CUDA; elsewhere it is no larger than the one for CPUs. */
const PLAIN: Build =
  process.platform === 'linux' && process.arch === 'x64' ? { requirement: `torch==${VERSION}`, wheelBytes: 3.2e9, unpackedBytes: 8e9 } : { ...CPU, requirement: `torch==${VERSION}` };

export interface FindOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cache: string;
  readonly device: 'cpu' | 'gpu';
  readonly say: PrintLine;
}

/** @throws SetupError with all that was tried, and how to name a Python that has it */
export async function findPyTorch({ env, cache, device, say }: FindOptions): Promise<PyTorch> {
  const named = env['TORCH_PYTHON'];
  if (named) {
    const found = await importTorch(named, {});
    if ('version' in found) return found;
    throw new SetupError('NO_PYTHON', `Expected TORCH_PYTHON=${named} to import torch, got: ${found.failure}`, 'name a Python that has PyTorch, or unset TORCH_PYTHON');
  }
  const found = await importTorch('python3', {});
  return 'version' in found ? found : await ensurePyTorch(cache, device, say);
}

/** The one in the cache, installed with pip where it is not there or does not work. @throws SetupError */
export async function ensurePyTorch(cache: string, device: 'cpu' | 'gpu', say: PrintLine): Promise<PyTorch> {
  const parent = path.join(cache, 'pytorch');
  const key = `${VERSION}-${device}-${await pythonTag()}`;
  const folder = path.join(parent, key);
  await prepareFolder(parent, 0);
  return withLock(path.join(cache, 'locks', `pytorch-${key}.lock`), say, async () => {
    const there = existsSync(folder) ? await importTorch('python3', { PYTHONPATH: folder }) : { failure: 'missing' };
    if ('version' in there) return there;
    await install(parent, folder, device, say);
    const installed = await importTorch('python3', { PYTHONPATH: folder });
    if ('version' in installed) return installed;
    throw failed(`PyTorch was installed to ${folder}, but does not run: ${installed.failure}`);
  });
}

/** Versions of Python and system, which compiled packages fit to. */
async function pythonTag(): Promise<string> {
  const probe = 'import sys; print("cp%d%d" % sys.version_info[:2])';
  const { stdout, failed: missing } = await execa('python3', ['-c', probe], { reject: false });
  if (missing) throw new SetupError('NO_PYTHON', 'Expected python3 on the PATH for the race against PyTorch.', systemPackage('python3 python3-pip', 'install Python 3 with pip'));
  return `${stdout.trim()}-${process.platform}-${process.arch}`;
}

/** Packages get their final place by a rename, when all are there: an interrupted installation leaves nothing behind. */
async function install(parent: string, folder: string, device: 'cpu' | 'gpu', say: PrintLine): Promise<void> {
  const build = device === 'cpu' && (await pipHas(CPU.requirement)) ? CPU : PLAIN;
  await prepareFolder(parent, build.wheelBytes + build.unpackedBytes);
  say(`Installing ${build.requirement} with pip into ${folder}: about ${megabytes(build.wheelBytes)} to download, ${megabytes(build.unpackedBytes)} unpacked ...`);
  await withTemporary(parent, async temporary => {
    const whole = path.join(temporary, 'whole');
    const run = await pip(['install', '--only-binary=:all:', '--no-cache-dir', '--progress-bar', 'off', '--target', whole, build.requirement], { TMPDIR: temporary });
    if (run.failed) throw failed(`pip could not install ${build.requirement}:\n${tail(run.all) || `    ${run.shortMessage}`}`);
    if (existsSync(folder)) await rename(folder, path.join(temporary, 'damaged'));
    await rename(whole, folder);
  });
}

const pip = (args: readonly string[], env: Record<string, string> = {}) =>
  execa('python3', ['-m', 'pip', ...args, '--disable-pip-version-check', '--no-input'], { reject: false, all: true, stdin: 'ignore', env });

const pipHas = async (requirement: string): Promise<boolean> => !(await pip(['install', '--dry-run', '--ignore-installed', '--no-deps', '--only-binary=:all:', requirement])).failed;

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;

const failed = (cause: string): SetupError =>
  new SetupError('PIP_FAILED', cause, 'check the network (or the mirror: python3 -m pip config list); or name a Python that has PyTorch: TORCH_PYTHON=/path/to/python make bench');

const PROBE = 'import json, torch; print(json.dumps({"version": torch.__version__, "gpu": torch.cuda.is_available()}))';

/** What a Python says of its PyTorch, or why it has none. */
export async function importTorch(python: string, env: Record<string, string>): Promise<PyTorch | { failure: string }> {
  const run = await execa(python, ['-c', PROBE], { reject: false, stdin: 'ignore', env });
  if (run.failed) return { failure: tail(run.stderr, 1).trim() || (run.shortMessage ?? 'nothing') };
  return { python, env, ...(JSON.parse(run.stdout) as { version: string; gpu: boolean }) };
}
