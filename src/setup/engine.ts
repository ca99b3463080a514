/**
 * Provisioning of the native engine: libtensorflow from its official wheel, linked into the npm package, whose binding is compiled
 * here. Every step looks first whether it is done; nothing is done twice, and a step that was interrupted is repeated.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cachedBinding, compileBinding, enginePackage, installBinding, requireCompiler } from './binding.ts';
import { cacheDir } from './cache.ts';
import { ensureCuda, metadataFile } from './cuda.ts';
import { wantedDevice } from './device.ts';
import { SetupError, tail } from './errors.ts';
import { HEADER_FOLDERS, libraryFor, type Device, type Library } from './library.ts';
import { depsLinks, ensureLinks } from './links.ts';
import { withLock } from './lock.mjs';
import type { Say } from './python.ts';
import { ensureUnpacked } from './wheel.ts';

/** What is provisioned. */
export interface ProvisionedEngine {
  readonly library: Library;
  readonly device: Device;
  /** Why this device. */
  readonly why: string;
  readonly libraryFolder: string;
}

/**
 * Makes sure that the engine works in this checkout. Says what it does, and nothing when there is nothing to do.
 * @throws SetupError with the cause and the command that mends it; there is no fallback
 */
export async function ensureEngine(say: Say, options: { readonly deep?: boolean } = {}): Promise<ProvisionedEngine> {
  const { device, why } = await wantedDevice();
  const library = libraryFor(`${process.platform}-${process.arch}`, device);
  const cache = cacheDir();
  const lock = path.join(os.tmpdir(), `tinymim-engine-${os.userInfo().uid}-${hash(enginePackage().folder)}.lock`);
  return withLock(lock, say, async () => {
    const deep = options.deep ?? false;
    const libraryFolder = await provide(cache, library, say, deep);
    if (await proofStands(cache, library, libraryFolder)) return { library, device, why, libraryFolder };
    await prove(cache, library, libraryFolder, say);
    return { library, device, why, libraryFolder };
  });
}

const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Library, CUDA packages, links and binding. Returns the folder of the library. */
async function provide(cache: string, library: Library, say: Say, deep: boolean): Promise<string> {
  const { folder: target, version } = enginePackage();
  const binding = cachedBinding(cache, library, version);
  if (!existsSync(binding)) await requireCompiler(); // before a long download
  const libraryFolder = await ensureLibrary(cache, library, say, deep);
  const nvidia = library.device === 'gpu' ? await ensureCuda(cache, library, libraryFolder, say, deep) : undefined;
  await ensureLinks(path.join(target, 'deps'), depsLinks(library, libraryFolder, nvidia));
  if (!existsSync(binding)) await compileBinding(cache, library, libraryFolder, say);
  await installBinding(binding, target);
  return libraryFolder;
}

async function ensureLibrary(cache: string, library: Library, say: Say, deep: boolean): Promise<string> {
  requireGlibc();
  return ensureUnpacked(cache, {
    key: library.key,
    label: `${library.package} ${library.version}`,
    requirements: [`${library.package}==${library.version}`],
    platformTags: library.platformTags,
    prefixes: [`tensorflow/${library.cc}`, `tensorflow/${library.framework}`, ...HEADER_FOLDERS, metadataFile(library)],
    wheelBytes: library.wheelBytes,
    unpackedBytes: library.unpackedBytes,
  }, say, deep);
}

/** The wheels for Linux are built for glibc 2.27 and newer. */
function requireGlibc(): void {
  if (process.platform !== 'linux') return;
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const [major = 0, minor = 0] = (glibcVersionRuntime ?? '0.0').split('.').map(Number);
  if (major > 2 || (major === 2 && minor >= 27)) return;
  throw new SetupError('OLD_GLIBC', `Expected a Linux with glibc 2.27 or newer, got ${glibcVersionRuntime ? `glibc ${glibcVersionRuntime}` : 'another C library (musl?)'}.`,
    'use a newer distribution, or a container of one (Debian, Ubuntu, Fedora)');
}

const PROVE = fileURLToPath(new URL('prove.mjs', import.meta.url));

/** A proof stands for one library, binding and Node. */
async function proofKey(cache: string, library: Library, libraryFolder: string): Promise<string> {
  const binding = await readFile(cachedBinding(cache, library, enginePackage().version));
  return `${libraryFolder}\n${hash(binding)}\nnode ${process.version}\n`;
}

const proofFile = (): string => path.join(enginePackage().folder, 'lib', 'proof.txt');

async function proofStands(cache: string, library: Library, libraryFolder: string): Promise<boolean> {
  const proof = await readFile(proofFile(), 'utf8').catch(() => undefined);
  return proof === await proofKey(cache, library, libraryFolder);
}

/**
 * Loads the engine in a child process and multiplies two matrices. When that fails, everything is checked byte by byte and the binding
 * compiled anew, once: a cache shared with another machine can hold a binding that does not fit this one.
 */
async function prove(cache: string, library: Library, libraryFolder: string, say: Say): Promise<void> {
  let proof = await runProof();
  if ('failure' in proof) {
    say('The engine does not load: checking the library and compiling the binding anew.');
    await provide(cache, library, say, true);
    await installBinding(await compileBinding(cache, library, libraryFolder, say), enginePackage().folder);
    proof = await runProof();
  }
  if ('failure' in proof) {
    throw new SetupError('ENGINE_DOES_NOT_RUN', `The engine was provisioned from ${libraryFolder}, but does not run:\n${proof.failure}`,
      `remove ${cache} and run \`make setup\` again; if that changes nothing, the message above names what this machine lacks`);
  }
  await writeFile(proofFile(), await proofKey(cache, library, libraryFolder));
  say(`Engine ready: ${library.package} ${library.version} computes on the ${proof.gpu ? 'GPU' : 'CPU'}.`);
  if (library.device === 'gpu' && !proof.gpu) say('It is the GPU build, but it can use no GPU here: see `nvidia-smi` and CUDA_VISIBLE_DEVICES.');
}

async function runProof(): Promise<{ gpu: boolean } | { failure: string }> {
  const run = await execa(process.execPath, [PROVE], { reject: false, all: true, timeout: 300_000, env: { TF_CPP_MIN_LOG_LEVEL: '2' } });
  if (run.failed) return { failure: tail(run.all) || `    ${run.shortMessage}` };
  return JSON.parse(run.stdout) as { gpu: boolean };
}
