/** What a sweep needs, and whether it is there: facts only, no printing. Whatever is wrong with a machine is a finding, never an error. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { UsageError } from '../core/ablation/errors.ts';
import { fashionMnistStatus } from '../tinymim/data/fashion-mnist.ts';
import { cacheDir, dataDir, freeBytes, isWritable } from './cache.ts';
import { wantedEngine, type EngineChoice } from './choice.ts';
import { chromiumMend, findChromium } from './chromium.ts';
import type { Check, Diagnosis } from './diagnosis.ts';
import { checkEngines, isTested } from './doctor-engines.ts';
import { SetupError } from './errors.ts';
import { thisPlatform } from './library.ts';
import { checkSlurm } from './slurm.ts';
import { packagesInstalled } from './packages.mjs';
import { isCheckout, ROOT, SETUP } from '../installation.ts';

/** Looks at everything; takes a few seconds, most of them for loading the engines. `deep` also reads every byte of the native library. */
export async function diagnose({ store, deep = false }: { readonly store: string; readonly deep?: boolean }): Promise<Diagnosis> {
  let choice: EngineChoice | undefined;
  const engines = await findings('engine', async () => checkEngines((choice = await wantedEngine()), deep));
  const checks = [
    await findings('packages', packages),
    engines,
    await findings('memory', memory),
    await findings('data', data),
    await findings('disk, cache', () => disk('disk, cache', cacheDir(), READ_ONLY_CACHE)),
    await findings('disk, store', () => disk('disk, store', path.resolve(store), READ_ONLY_STORE)),
    await findings('chromium', chromium),
    await findings('slurm', checkSlurm),
  ].flat();
  return {
    schema: 1,
    ok: checks.every(check => check.state !== 'missing'),
    version: version(),
    node: process.versions.node,
    platform: thisPlatform(),
    engine: choice === undefined ? null : engineOf(choice, engines[0]?.state === 'ok'),
    checks,
  };
}

const engineOf = (choice: EngineChoice, ok: boolean): Diagnosis['engine'] => ({
  name: choice.engine,
  asked: choice.asked,
  why: choice.why,
  slower: choice.slower ?? null,
  ok,
  tested: isTested(choice),
});

/** What `work` finds; an error of it is a finding, too. */
async function findings(name: Check['name'], work: () => Check | Check[] | Promise<Check | Check[]>): Promise<Check[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    if (error instanceof SetupError) return [{ name, state: 'missing', text: error.reason, mend: error.mend }];
    const mend = error instanceof UsageError ? 'unset ENGINE' : `see the message, and run ${SETUP}`;
    return [{ name, state: 'missing', text: (error as Error).message, mend }];
  }
}

const version = (): string => (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

async function packages(): Promise<Check> {
  const npm = await execa('npm', ['--version'], { reject: false, timeout: 60_000, stderr: 'ignore' });
  const details = { version: version(), node: process.versions.node, npm: npm.failed ? null : npm.stdout.trim(), platform: thisPlatform() };
  const text = `tinymim-ablations ${details.version}, Node ${details.node}, ${details.npm ? `npm ${details.npm}` : 'no npm'}, ${details.platform}`;
  return !isCheckout || packagesInstalled(ROOT)
    ? { name: 'packages', state: 'ok', text, details }
    : { name: 'packages', state: 'missing', text: `${text}; node_modules is not what package-lock.json asks for`, mend: SETUP, details };
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

/** What is in the cache can be used all the same. */
const READ_ONLY_CACHE = { state: 'optional', mend: 'export TINYMIM_CACHE=/path/to/folder' } as const;
const READ_ONLY_STORE = { state: 'missing', mend: 'name a folder that can be written: --store /path/to/folder' } as const;

/** Room for the checkpoints of a sweep, or for one more data set. */
const ROOM = 1e9;

/** @param barred what it means that the folder cannot be written */
async function disk(name: Check['name'], folder: string, barred: Pick<Check, 'state' | 'mend'>): Promise<Check> {
  const free = await freeBytes(folder),
    writable = await isWritable(folder);
  const details = { folder, free, writable };
  const text = `${gigabytes(free)} free at ${folder}`;
  if (!writable) return { name, text: `${text}, which cannot be written`, ...barred, details };
  return free >= ROOM ? { name, state: 'ok', text, details } : { name, state: 'missing', text, mend: `free at least ${gigabytes(ROOM)} there`, details };
}

async function chromium(): Promise<Check> {
  const file = await findChromium();
  return file
    ? { name: 'chromium', state: 'ok', text: file, details: { file } }
    : { name: 'chromium', state: 'optional', text: 'not found: the browser tests are skipped without it', mend: chromiumMend() };
}
