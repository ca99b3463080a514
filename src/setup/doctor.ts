/** What a sweep needs, and whether it is there: facts only, no printing. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { fashionMnistStatus } from '../data/fashion-mnist.ts';
import type { Engine } from '../tensor/backend.ts';
import type { ToyResult } from '../tensor/selftest.ts';
import { cachedBinding, compilerMend, enginePackage, findCompiler } from './binding.ts';
import { cacheDir, dataDir, freeBytes } from './cache.ts';
import { chromiumMend, findChromium } from './chromium.ts';
import { cpuName, gpuNames, wantedDevice } from './device.ts';
import { SetupError, tail } from './errors.ts';
import { libraryFor, type Device, type Library } from './library.ts';
import { damage } from './manifest.ts';
import { packagesInstalled } from './packages.mjs';
import { requirePip } from './python.ts';
import { unpackedFolder } from './wheel.ts';

/** `missing`: a sweep cannot run without it. `optional`: it can, something else cannot. */
export type State = 'ok' | 'missing' | 'optional';

export interface Check {
  readonly name: string;
  readonly state: State;
  /** What was found, for people. */
  readonly text: string;
  /** The command that mends it, unless all is well. */
  readonly mend?: string;
  /** What was found, for programs. Sizes in bytes, times in milliseconds. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Diagnosis {
  /** Everything that a sweep needs works. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Looks at everything; takes a few seconds, most of them for loading the engine. `deep` also reads every byte of the library. */
export async function diagnose(options: { readonly store: string; readonly deep?: boolean }): Promise<Diagnosis> {
  const device = await attempt('device', wantedDevice);
  const checks: Check[] = [await packages()];
  if ('check' in device) checks.push(device.check);
  else checks.push(...await engine(device.value.device, options.deep ?? false), await devices(device.value));
  checks.push(memory(), data(), await disk('disk, cache', cacheDir()), await disk('disk, store', path.resolve(options.store)), await chromium());
  return { ok: checks.every(check => check.state !== 'missing'), checks };
}

/** A set-up error of `work` as a check. */
async function attempt<T>(name: string, work: () => T | Promise<T>): Promise<{ value: T } | { check: Check }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { check: { name, state: 'missing', text: error.message.split('\n')[0]!, mend: error.mend } };
  }
}

async function packages(): Promise<Check> {
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const npm = await execa('npm', ['--version'], { reject: false, timeout: 60_000, stderr: 'ignore' });
  const details = { version, node: process.versions.node, npm: npm.failed ? null : npm.stdout.trim(), platform: `${process.platform}-${process.arch}` };
  const text = `tinymim-ablations ${version}, Node ${details.node}, ${details.npm ? `npm ${details.npm}` : 'no npm'}, ${details.platform}`;
  // Installed as a package of another project, there is no lock file of ours.
  const current = !existsSync(path.join(ROOT, 'package-lock.json')) || packagesInstalled(ROOT);
  return current
    ? { name: 'packages', state: 'ok', text, details }
    : { name: 'packages', state: 'missing', text: `${text}; node_modules is not what package-lock.json asks for`, mend: 'make setup', details };
}

async function engine(device: Device, deep: boolean): Promise<Check[]> {
  const choice = await attempt('engine', () => libraryFor(`${process.platform}-${process.arch}`, device));
  if ('check' in choice) return [choice.check];
  const { value: library } = choice;
  const problems = await damage(unpackedFolder(cacheDir(), library.key), deep);
  const tools = await toolsForSetup(library, problems.length === 0);
  const run = await runEngineCheck(device);
  return [engineCheck(library, problems, lastJson(run.stdout), run.all), ...tools];
}

/** The engine in a process of its own: a broken library can end it without a word. */
function runEngineCheck(device: Device): Promise<{ stdout: string; all: string }> {
  const script = fileURLToPath(new URL('engine-check.ts', import.meta.url));
  const oneGpu = device === 'gpu' && process.env['CUDA_VISIBLE_DEVICES'] === undefined ? { CUDA_VISIBLE_DEVICES: '0' } : {};
  return execa(process.execPath, ['--import', import.meta.resolve('tsx'), script, device, String(os.availableParallelism())],
    { reject: false, all: true, timeout: 300_000, env: { TF_CPP_MIN_LOG_LEVEL: '2', ...oneGpu } });
}

type Answer = { engine: Engine; toy: ToyResult } | { failure: string } | undefined;

function lastJson(stdout: string): Answer {
  const line = stdout.split('\n').findLast(text => text.startsWith('{'));
  return line === undefined ? undefined : JSON.parse(line) as Answer;
}

function engineCheck(library: Library, problems: readonly string[], answer: Answer, output: string): Check {
  const name = 'engine', mend = 'make setup';
  const details = { package: library.package, version: library.version, library: unpackedFolder(cacheDir(), library.key), problems };
  if (answer === undefined || 'failure' in answer) {
    const text = answer?.failure ?? `the engine ended without an answer: ${tail(output, 3).trim()}`;
    return { name, state: 'missing', text: text.replace(/ Run `make setup`.*$/, ''), mend, details };
  }
  const { engine: loaded, toy } = answer;
  if (!toy.ok) return { name, state: 'missing', text: `a toy step trained to a loss of ${toy.lastLoss} from ${toy.firstLoss}`, mend, details };
  const text = `native TensorFlow ${loaded.libraryVersion} on the ${loaded.device.toUpperCase()}, tfjs ${loaded.tfjsVersion}; trains (30 toy steps in ${Math.round(toy.ms)} ms)`
    + (library.tested ? '' : '; this platform is untested');
  if (problems[0] !== undefined && problems[0] !== 'missing') {
    return { name, state: 'missing', text: `${text}; but its library is damaged: ${problems.join(', ')}`, mend: 'npx ablate setup --engine --deep', details };
  }
  return { name, state: 'ok', text, details: { ...details, ...loaded, toy } };
}

/** Only the first set-up needs these; where they are missing after it, nothing is wrong. */
async function toolsForSetup(library: Library, unpacked: boolean): Promise<Check[]> {
  const compiled = existsSync(cachedBinding(cacheDir(), library, enginePackage().version));
  const compiler = await findCompiler();
  const pip = await attempt('pip', requirePip);
  return [
    'check' in pip
      ? { ...pip.check, state: unpacked ? 'optional' : 'missing' }
      : { name: 'pip', state: 'ok', text: `Python ${pip.value.python}, pip ${pip.value.pip}`, details: pip.value },
    compiler
      ? { name: 'compiler', state: 'ok', text: compiler.version, details: compiler }
      : { name: 'compiler', state: compiled ? 'optional' : 'missing', text: 'no C++ compiler on the PATH', mend: compilerMend() },
  ];
}

async function devices({ device, why }: { device: Device; why: string }): Promise<Check> {
  const gpus = await gpuNames(), cores = os.availableParallelism();
  const text = `${device === 'gpu' ? `GPU (${why}), ` : ''}${cpuName()}, ${cores} ${cores === 1 ? 'core' : 'cores'}${device === 'cpu' ? `; ${why}` : ''}`;
  return { name: 'device', state: 'ok', text, details: { device, why, gpus, cpu: cpuName(), cores } };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function memory(): Check {
  const limit = process.constrainedMemory(); // of the container, where there is one
  const total = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
  const free = Math.min(process.availableMemory(), total);
  return { name: 'memory', state: 'ok', text: `${gigabytes(total)}, ${gigabytes(free)} free`, details: { total, free } };
}

function data(): Check {
  const status = fashionMnistStatus(dataDir());
  const details = { name: 'fashion-mnist', ...status };
  return status.state === 'present'
    ? { name: 'data', state: 'ok', text: `Fashion-MNIST in ${status.dir}`, details }
    : { name: 'data', state: 'missing', text: `Fashion-MNIST is ${status.state} in ${status.dir}`, mend: 'npx ablate setup --data', details };
}

/** Room for the checkpoints of a sweep, or for one more data set. */
const ROOM = 1e9;

async function disk(name: string, folder: string): Promise<Check> {
  const free = await freeBytes(folder);
  const details = { folder, free };
  const text = `${gigabytes(free)} free at ${folder}`;
  return free >= ROOM ? { name, state: 'ok', text, details } : { name, state: 'missing', text, mend: `free at least ${gigabytes(ROOM)} there`, details };
}

async function chromium(): Promise<Check> {
  const file = await findChromium();
  return file
    ? { name: 'chromium', state: 'ok', text: file, details: { file } }
    : { name: 'chromium', state: 'optional', text: 'not found: the browser tests are skipped without it', mend: chromiumMend() };
}
