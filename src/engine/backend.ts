/**
 * Choosing and loading the engine under all tensor code. Each engine is a file in `engines/`, the only one that knows its
 * package, its environment variables and its quirks, so that an engine can be replaced or added in one place.
 */
import { cpus } from 'node:os';
import { EngineError } from './engine-error.ts';
import { engineFromEnvironment, type EngineName } from './engine-name.ts';
import type { Engine, EngineOptions, EnginePlace, LoadedEngine } from './engine.ts';
import { loadNative } from './backends/native.ts';
import { loadWasm } from './backends/wasm.ts';
import * as tf from './tf.ts';

export type { EngineName } from './engine-name.ts';
export type { Device, Engine, EngineOptions } from './engine.ts';

const LOADERS: Readonly<Record<EngineName, (place: EnginePlace) => Promise<LoadedEngine>>> = { tensorflow: loadNative, wasm: loadWasm };

type Request = Required<EngineOptions>;

let loaded: { readonly request: Request; readonly engine: Promise<Engine> } | undefined;

/**
 * Loads the engine, once per process; a second call with the same options gives the same engine. There is no fallback: what
 * was asked for runs, or this fails.
 * @throws EngineError `ENGINE_UNAVAILABLE` if the engine is missing or broken, `ENGINE_DEVICE` if the ops would not run on the
 *   device asked for, `ENGINE_OPTIONS` for bad options or options other than the ones the process already runs with
 */
export async function loadEngine({ device, threads, engine = engineFromEnvironment(process.env) ?? 'tensorflow' }: EngineOptions): Promise<Engine> {
  const request = { engine, device, threads };
  expectPossible(request);
  if (loaded && describe(loaded.request) !== describe(request)) {
    throw new EngineError('ENGINE_OPTIONS', `Expected the engine of this process to stay ${describe(loaded.request)}, got a request for ${describe(request)}. Use another process.`);
  }
  loaded ??= { request, engine: load(request) };
  return loaded.engine;
}

const describe = ({ engine, device, threads }: Request): string => `${engine} on the ${device} with ${threads} ${threads === 1 ? 'thread' : 'threads'}`;

function expectPossible({ engine, device, threads }: Request): void {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new EngineError('ENGINE_OPTIONS', `Expected threads to be an integer of at least 1, got ${threads}.`);
  }
  if (engine !== 'wasm') return;
  if (device !== 'cpu') {
    throw new EngineError('ENGINE_OPTIONS', `Expected the cpu as the device of WebAssembly, got the ${device}. Use --devices cpu:2x1, or the native engine (ENGINE=native).`);
  }
  if (threads !== 1) {
    throw new EngineError('ENGINE_OPTIONS', `Expected one thread for WebAssembly, got ${threads}. Use more workers of one thread each: --devices cpu:${threads}x1.`);
  }
}

async function load({ engine, device, threads }: Request): Promise<Engine> {
  const { libraryVersion, why, gpu } = await LOADERS[engine]({ device, threads });
  return { name: engine, libraryVersion, tfjsVersion: tf.version_core, device, threads, cpu: cpus()[0]?.model.trim() ?? 'unknown', why, ...(gpu && { gpu }) };
}
