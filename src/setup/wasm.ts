/** The engine without native code. It comes with the npm packages: nothing is fetched, compiled or kept. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { resolvePackage } from './binding.ts';
import { SetupError } from './errors.ts';
import { isCheckout, SETUP } from '../installation.ts';
import type { PrintLine } from '../tinymim/data/files.ts';
import { tryEngine } from './try-engine.ts';

const require = createRequire(import.meta.url);
const PACKAGE = '@tensorflow/tfjs-backend-wasm';

/** Version of the package, which is that of the engine. @throws SetupError `NO_PACKAGES` */
export const wasmVersion = (): string => (require(resolvePackage(PACKAGE)) as { version: string }).version;

/**
 * Makes sure that it computes: loads it in a child process and trains a toy step, once for each version of it and of Node.
 * @returns its name, for people: `WebAssembly 4.22.0`
 * @throws SetupError `NO_PACKAGES`, `ENGINE_DOES_NOT_RUN`
 */
export async function ensureWasm(say: PrintLine): Promise<string> {
  const file = path.join(path.dirname(resolvePackage(PACKAGE)), 'proof.txt');
  const name = `WebAssembly ${wasmVersion()}`,
    proof = `${name}\nnode ${process.version}\n`;
  if ((await readFile(file, 'utf8').catch(() => undefined)) === proof) return name;
  const found = await tryEngine('wasm', 'cpu', 1);
  if ('failure' in found || !found.toy.ok) {
    const got = 'failure' in found ? found.failure : `    a toy step trained to a loss of ${found.toy.lastLoss} from ${found.toy.firstLoss}`;
    throw new SetupError('ENGINE_DOES_NOT_RUN', `Expected ${name} to compute, got:\n${got}`, isCheckout ? `npm ci --ignore-scripts, then ${SETUP}` : `npm install --ignore-scripts, then ${SETUP}`);
  }
  // Where the packages cannot be written, as in the image of a container, it is proven anew each time.
  await writeFile(file, proof).catch(() => undefined);
  say(`Engine ready: ${name} computes, on one thread a worker.`);
  return name;
}
