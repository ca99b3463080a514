/**
 * WebAssembly through tfjs-backend-wasm, where there can be no native code: everything comes from npm. One thread with SIMD;
 * ops run one by one. What is wrong or missing in the package is mended in `wasm/`.
 */
import { isCheckout, SETUP } from '../../installation.ts';
import { EngineError } from '../engine-error.ts';
import type { LoadedEngine } from '../engine.ts';
import * as tf from '../tf.ts';
import type { WasmBackend } from './wasm/backend.ts';
import { guardHeap } from './wasm/heap.ts';
import { mendKernels } from './wasm/kernels.ts';

const MEND = isCheckout ? `Install the packages again (\`npm ci --ignore-scripts\`, then \`${SETUP}\`).` : 'Install the packages again: npm install --ignore-scripts.';

/** @throws EngineError `ENGINE_UNAVAILABLE` if the package is missing or broken, or does not start */
export async function loadWasm(): Promise<LoadedEngine> {
  const version = await importPackages();
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // its threads need a browser: on Node they never start
  mendKernels();
  const { started, complaints } = await start();
  if (!started || tf.getBackend() !== 'wasm') {
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected WebAssembly to start, got: ${complaints[0] ?? 'no reason'}. ${MEND}`);
  }
  guardHeap(tf.backend() as WasmBackend);
  return { libraryVersion: version, why: 'WebAssembly was asked for: SIMD, one thread, no native code' };
}

/** @returns the version of the WebAssembly package */
async function importPackages(): Promise<string> {
  try {
    await import('@tensorflow/tfjs'); // gradients: tfjs-core has none of its own on Node
    if (tf.findBackendFactory('cpu') !== null) tf.removeBackend('cpu'); // what tfjs would turn to instead
    return (await import('@tensorflow/tfjs-backend-wasm')).version_wasm;
  } catch (cause) {
    const first = (cause as Error).message.split('\n')[0]!.trim();
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected the package @tensorflow/tfjs-backend-wasm to load, got: ${first}. ${MEND}`, { cause });
  }
}

/** What goes wrong is said on the console, not thrown. */
async function start(): Promise<{ started: boolean; complaints: string[] }> {
  const { warn, error } = console,
    complaints: string[] = [];
  const collect = (...values: unknown[]): void => {
    complaints.push(values.map(value => (value instanceof Error ? value.message : String(value))).join(' '));
  };
  Object.assign(console, { warn: collect, error: collect });
  try {
    return { started: await keepingListeners(() => tf.setBackend('wasm')), complaints };
  } finally {
    Object.assign(console, { warn, error });
  }
}

const EVENTS = ['uncaughtException', 'unhandledRejection'];

/** Emscripten listens to the process and throws every error of it anew, without its stack: an error is none of the engine's business. */
async function keepingListeners<T>(start: () => Promise<T>): Promise<T> {
  const before = new Map(EVENTS.map(event => [event, new Set(process.listeners(event as NodeJS.Signals))]));
  try {
    return await start();
  } finally {
    for (const [event, known] of before) {
      for (const listener of process.listeners(event as NodeJS.Signals)) if (!known.has(listener)) process.off(event, listener);
    }
  }
}
