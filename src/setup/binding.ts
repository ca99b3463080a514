/** The native part of tfjs-node: two C++ files between Node and the C API of TensorFlow, compiled on this machine with two of our own. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { withTemporary } from './cache.ts';
import { SetupError, tail } from './errors.ts';
import type { Library } from './library.ts';
import { installedBinding, NAPI_VERSION } from '../engine/binding.ts';
import { isCheckout, SETUP } from '../installation.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { systemPackage } from './python.ts';

const require = createRequire(import.meta.url);

/**
 * The npm package whose binding is built.
 * @throws SetupError `NO_PACKAGES`
 */
export function enginePackage(): { folder: string; version: string } {
  const file = resolvePackage('@tensorflow/tfjs-node-gpu');
  const { version } = require(file) as { version: string };
  return { folder: path.dirname(file), version };
}

/**
 * `package.json` of an npm package that this one depends on.
 * @throws SetupError `NO_PACKAGES`
 */
export function resolvePackage(name: string): string {
  try {
    return require.resolve(`${name}/package.json`);
  } catch (cause) {
    throw new SetupError('NO_PACKAGES', `Expected the npm package ${name}, got none.`, isCheckout ? SETUP : `npm install --ignore-scripts ${name}`, { cause });
  }
}

/** What is compiled beside the package's own sources, and the symbols that it takes the place of in them. */
const ADDITIONS = [new URL('../engine/compile/functions.cc', import.meta.url), new URL('../engine/images.cc', import.meta.url)].map(url => fileURLToPath(url));
const RENAMED = {
  napi_register_module_v1: 'tfjs_register',
  TFE_NewContext: 'tinymim_NewContext',
  TFE_NewTensorHandle: 'tinymim_NewTensorHandle',
  TFE_TensorHandleResolve: 'tinymim_TensorHandleResolve',
  TFE_Execute: 'tinymim_Execute',
};

/** Where the compiled binding is kept: a new `npm ci` copies it from there. */
export function cachedBinding(cache: string, library: Library, packageVersion: string): string {
  const source = createHash('sha256');
  for (const file of ADDITIONS) source.update(readFileSync(file));
  return path.join(cache, 'bindings', `tfjs-node-${packageVersion}-${library.key}-${source.digest('hex').slice(0, 8)}`, 'tfjs_binding.node');
}

/** The first C++ compiler that answers: `$CXX`, g++, clang++, c++. */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<{ command: string; version: string } | undefined> {
  for (const command of [...(env['CXX'] ? [env['CXX']] : []), 'g++', 'clang++', 'c++']) {
    const { failed, stdout } = await execa(command, ['--version'], { reject: false, timeout: 60_000 });
    if (!failed) return { command, version: stdout.split('\n')[0] ?? '' };
  }
  return undefined;
}

export const compilerMend = (): string => (process.platform === 'darwin' ? 'xcode-select --install' : systemPackage('g++', 'install g++ or clang++, or name a compiler: export CXX=/path/to/c++'));

/** @throws SetupError `NO_COMPILER` */
export async function requireCompiler(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const compiler = await findCompiler(env);
  if (compiler) return compiler.command;
  throw new SetupError('NO_COMPILER', 'Expected a C++ compiler (g++ or clang++) on the PATH, to compile the binding of the engine.', compilerMend());
}

/**
 * Compiles the binding against `libraryFolder` into the cache.
 *
 * The compiler is called directly: node-gyp would need make, headers of this very Node (often a download) and paths without spaces.
 * @throws SetupError `NO_COMPILER`, `COMPILE_FAILED`
 */
export async function compileBinding(cache: string, library: Library, libraryFolder: string, say: PrintLine): Promise<string> {
  const { folder: source, version } = enginePackage();
  const target = cachedBinding(cache, library, version);
  const compiler = await requireCompiler();
  say(`Compiling the engine's binding with ${compiler} (about 15 s) ...`);
  await withTemporary(path.dirname(target), async temporary => {
    const output = path.join(temporary, path.basename(target));
    const run = await execa(compiler, await compilerArguments(source, library, libraryFolder, output), { reject: false, all: true });
    const log = path.join(path.dirname(target), 'compile.log');
    await writeFile(log, `${run.escapedCommand}\n${run.all}\n`);
    if (run.failed) {
      throw new SetupError(
        'COMPILE_FAILED',
        `${compiler} could not compile the binding:\n${tail(run.all) || `    ${run.shortMessage}`}\n    (all of it: ${log})`,
        `use a compiler that knows C++17 (export CXX=/path/to/c++), then run \`${SETUP}\` again`,
        { cause: run },
      );
    }
    await rename(output, target);
  });
  return target;
}

async function compilerArguments(source: string, library: Library, libraryFolder: string, output: string): Promise<string[]> {
  const sources = (await readdir(path.join(source, 'binding'))).filter(name => name.endsWith('.cc')).sort();
  const { include_dir: nodeHeaders } = require('node-api-headers') as { include_dir: string };
  const tensorflow = path.join(libraryFolder, 'tensorflow');
  const link = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/../../deps/lib'] : ['-Wl,-rpath,$ORIGIN/../../deps/lib'];
  return [
    '-shared',
    '-fPIC',
    '-O2',
    '-ffp-contract=off', // a product and a sum are rounded one after the other, as elsewhere
    '-std=c++17',
    `-DNAPI_VERSION=${NAPI_VERSION}`,
    ...Object.entries(RENAMED).map(([name, by]) => `-D${name}=${by}`),
    '-I',
    nodeHeaders,
    '-I',
    path.join(tensorflow, 'include'),
    ...sources.map(name => path.join(source, 'binding', name)),
    ...ADDITIONS,
    path.join(tensorflow, library.cc),
    path.join(tensorflow, library.framework),
    ...link,
    '-o',
    output,
  ];
}

/** Copies the binding to where the package looks for it, in one step. Returns whether anything changed. */
export async function installBinding(cached: string, packageFolder: string): Promise<boolean> {
  const target = installedBinding(packageFolder);
  if (existsSync(target) && (await readFile(target)).equals(await readFile(cached))) return false;
  await mkdir(path.dirname(target), { recursive: true });
  await withTemporary(path.join(packageFolder, 'lib'), async temporary => {
    const copy = path.join(temporary, path.basename(target));
    await copyFile(cached, copy);
    await rename(copy, target);
  });
  return true;
}
