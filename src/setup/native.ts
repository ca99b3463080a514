/**
 * Provisioning of the native engine: libtensorflow from its official wheel, linked into the npm package, whose binding is compiled
 * here. Every step looks first whether it is done; nothing is done twice, and a step that was interrupted is repeated.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { cachedBinding, compileBinding, enginePackage, installBinding, requireCompiler } from './binding.ts';
import { cacheDir } from './cache.ts';
import { ensureCuda } from './cuda.ts';
import type { DeviceChoice } from './device.ts';
import { SetupError, tail } from './errors.ts';
import { glibcVersion, requireGlibc } from './glibc.ts';
import { HEADER_FOLDERS, libraryFor, thisPlatform, type Library } from './library.ts';
import { depsLinks, ensureLinks } from './links.ts';
import { lockFile, withLock } from './lock.mjs';
import { SETUP } from '../installation.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { ensureUnpacked } from './wheel.ts';

/**
 * Makes sure that native TensorFlow computes in this checkout.
 * @returns the build, for people: `tensorflow-cpu 2.21.0`
 * @throws SetupError; or what the file system refuses
 */
export async function ensureNative(device: DeviceChoice, say: PrintLine, deep: boolean): Promise<string> {
  const library = libraryFor(thisPlatform(), device.device);
  const cache = cacheDir();
  return withLock(lockFile('engine', enginePackage().folder), say, async () => {
    const libraryFolder = await provide(cache, library, say, deep);
    if (!(await hasProof(cache, library, libraryFolder))) await prove(cache, library, libraryFolder, device, say);
    return `${library.package} ${library.version}`;
  });
}

const hash = (text: Buffer): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Library, CUDA packages, links and binding. Returns the folder of the library. */
async function provide(cache: string, library: Library, say: PrintLine, deep: boolean): Promise<string> {
  const { folder: target, version } = enginePackage();
  const binding = cachedBinding(cache, library, version);
  if (!existsSync(binding)) await requireCompiler(); // before a long download
  const libraryFolder = await ensureLibrary(cache, library, say, deep);
  const nvidia = library.device === 'gpu' ? await ensureCuda(cache, library, say, deep) : undefined;
  await ensureLinks(path.join(target, 'deps'), depsLinks(library, libraryFolder, nvidia));
  if (!existsSync(binding)) await compileBinding(cache, library, libraryFolder, say);
  await installBinding(binding, target);
  return libraryFolder;
}

async function ensureLibrary(cache: string, library: Library, say: PrintLine, deep: boolean): Promise<string> {
  if (process.platform === 'linux') requireGlibc(glibcVersion());
  return ensureUnpacked(
    cache,
    {
      key: library.key,
      label: `${library.package} ${library.version}`,
      wheels: [library.wheel],
      prefixes: [`tensorflow/${library.cc}`, `tensorflow/${library.framework}`, ...HEADER_FOLDERS],
      unpackedBytes: library.unpackedBytes,
    },
    say,
    deep,
  );
}

const PROVE = fileURLToPath(new URL('prove.mjs', import.meta.url));

/** A proof stands for one library, binding and Node. */
async function proofKey(cache: string, library: Library, libraryFolder: string): Promise<string> {
  const binding = await readFile(cachedBinding(cache, library, enginePackage().version));
  return `${libraryFolder}\n${hash(binding)}\nnode ${process.version}\n`;
}

const proofFile = (): string => path.join(enginePackage().folder, 'lib', 'proof.txt');

async function hasProof(cache: string, library: Library, libraryFolder: string): Promise<boolean> {
  const proof = await readFile(proofFile(), 'utf8').catch(() => undefined);
  return proof === (await proofKey(cache, library, libraryFolder));
}

/**
 * Loads the engine in a child process and multiplies two matrices. When that fails, everything is checked byte by byte and the binding
 * compiled anew, once: a cache shared with another machine can hold a binding that does not fit this one.
 */
async function prove(cache: string, library: Library, libraryFolder: string, device: DeviceChoice, say: PrintLine): Promise<void> {
  let proof = await runProof();
  if ('failure' in proof) {
    say('The engine does not load: checking the library and compiling the binding anew.');
    await provide(cache, library, say, true);
    await installBinding(await compileBinding(cache, library, libraryFolder, say), enginePackage().folder);
    proof = await runProof();
  }
  if ('failure' in proof) {
    throw new SetupError(
      'ENGINE_DOES_NOT_RUN',
      `The engine was provisioned from ${libraryFolder}, but does not run:\n${proof.failure}`,
      `remove ${cache} and run \`${SETUP}\` again; if that changes nothing, the message above names what this machine lacks`,
    );
  }
  if (library.device === 'gpu' && !proof.gpu) expectIdleGpu(device, say);
  // Where the packages cannot be written, as in the image of a container, it is proven anew each time.
  await writeFile(proofFile(), await proofKey(cache, library, libraryFolder)).catch(() => undefined);
  say(`Engine ready: ${library.package} ${library.version} computes on the ${proof.gpu ? 'GPU' : 'CPU'}.`);
  if (library.untested !== undefined) say(`This build is untested: ${library.untested}. \`ablate doctor\` trains a toy step; ENGINE=wasm is the engine that is tested everywhere.`);
}

/** The image of a container may be made where there is no GPU; elsewhere a sweep would take the GPU for granted. */
function expectIdleGpu({ gpus, why }: DeviceChoice, say: PrintLine): void {
  if (gpus.length > 0) {
    throw new SetupError(
      'GPU_NOT_USED',
      `Expected the GPU build to compute on a GPU (${why}), got the CPU.`,
      `mend the driver or CUDA_VISIBLE_DEVICES (see nvidia-smi), or go on with the CPU: TINYMIM_DEVICE=cpu ${SETUP}`,
    );
  }
  say('It is the GPU build, but there is no GPU here that it can use: see `nvidia-smi` and CUDA_VISIBLE_DEVICES.');
}

async function runProof(): Promise<{ gpu: boolean } | { failure: string }> {
  const run = await execa(process.execPath, [PROVE], { reject: false, all: true, timeout: 300_000, env: { TF_CPP_MIN_LOG_LEVEL: '2' } });
  if (run.failed) return { failure: tail(run.all) || `    ${run.shortMessage}` };
  return JSON.parse(run.stdout) as { gpu: boolean };
}
