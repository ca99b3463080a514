/**
 * Choosing and loading the engine under all tensor code: native TensorFlow through tfjs-node. The only module that knows
 * its package, its environment variables and its quirks, so that the engine can be replaced in one place.
 */
import { cpus } from 'node:os';
import util from 'node:util';
import * as tf from './tf.ts';

export type Device = 'cpu' | 'gpu';

export interface EngineOptions {
  /** Where the ops run. On `gpu`, CUDA_VISIBLE_DEVICES decides which one, and must leave exactly one visible. */
  readonly device: Device;
  /** CPU threads that ops may use, at least 1. */
  readonly threads: number;
}

/** What runs the ops; recorded with every result. */
export interface Engine extends EngineOptions {
  readonly name: 'tensorflow';
  /** Version of the native TensorFlow library. */
  readonly libraryVersion: string;
  /** Version of the tensor API. */
  readonly tfjsVersion: string;
  /** Model of the processor: last digits depend on its instructions. */
  readonly cpu: string;
  /** Why this engine and device, in words. */
  readonly why: string;
}

export type EngineErrorCode = 'ENGINE_UNAVAILABLE' | 'ENGINE_DEVICE' | 'ENGINE_OPTIONS';

/** The engine cannot be loaded as asked for. There is no fallback: another engine would give other numbers. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}

/**
 * Environment variables of the engine. They count only if set before the native library is loaded, so `loadEngine` sets
 * them in its own process; a parent may set them for a child.
 */
export function engineEnvironment({ device, threads }: EngineOptions): Record<string, string> {
  return {
    TF_CPP_MIN_LOG_LEVEL: process.env['TF_CPP_MIN_LOG_LEVEL'] ?? '2', // errors only
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: String(threads),
    ...(device === 'cpu'
      ? { CUDA_VISIBLE_DEVICES: '-1' } // else a visible GPU would be used
      : {
          TF_FORCE_GPU_ALLOW_GROWTH: 'true', // else the first process takes all memory
          TF_DETERMINISTIC_OPS: '1',
          NVIDIA_TF32_OVERRIDE: '0', // float32 means float32
        }),
  };
}

/**
 * True for the lines that the native library writes to stderr at every start and that no variable silences
 * (it logs them before its log level is set). Whoever shows a worker's stderr to a person can leave them out.
 */
export function isEngineNoise(line: string): boolean {
  return line.startsWith('WARNING: All log messages before absl::InitializeLog() is called are written to STDERR')
    || /^I\d{4} .* port\.cc:\d+\] oneDNN custom operations are on\./.test(line);
}

let loaded: { readonly options: EngineOptions; readonly engine: Promise<Engine> } | undefined;

/**
 * Loads the engine, once per process; a second call with the same options gives the same engine.
 * @throws EngineError `ENGINE_UNAVAILABLE` if the native library is missing or broken, `ENGINE_DEVICE` if the ops would not run
 *   on the device asked for, `ENGINE_OPTIONS` for bad options or options other than the ones the process already runs with
 */
export async function loadEngine(options: EngineOptions): Promise<Engine> {
  const { device, threads } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new EngineError('ENGINE_OPTIONS', `Expected threads to be an integer of at least 1, got ${threads}.`);
  }
  if (loaded && (loaded.options.device !== device || loaded.options.threads !== threads)) {
    const running = `${loaded.options.device} with ${loaded.options.threads} threads`;
    throw new EngineError('ENGINE_OPTIONS',
      `Expected the engine of this process to stay ${running}, got a request for ${device} with ${threads}. Use another process.`);
  }
  loaded ??= { options: { device, threads }, engine: load({ device, threads }) };
  return loaded.engine;
}

interface NativeBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

async function load({ device, threads }: EngineOptions): Promise<Engine> {
  Object.assign(process.env, engineEnvironment({ device, threads }));
  replaceDeprecatedUtilities();
  try {
    await import('@tensorflow/tfjs-node-gpu');
  } catch (cause) {
    const first = (cause as Error).message.split('\n')[0]!.trim();
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected native TensorFlow to load, got: ${first} Run \`make setup\` to install it.`, { cause });
  }
  const backend = tf.backend() as NativeBackend;
  if (tf.getBackend() !== 'tensorflow') {
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected the backend "tensorflow", got "${tf.getBackend()}". Run \`make setup\`.`);
  }
  const actual: Device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  if (actual !== device) {
    throw new EngineError('ENGINE_DEVICE', `Expected ops to run on the ${device}, got the ${actual}. ` +
      'Check the driver (`nvidia-smi`), CUDA_VISIBLE_DEVICES, and that `make setup` was run on a machine with the GPU; or ask for the other device.');
  }
  return {
    name: 'tensorflow',
    libraryVersion: backend.binding.TF_Version,
    tfjsVersion: tf.version_core,
    device,
    threads,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    why: `the ${device} was asked for, and native TensorFlow runs on it`,
  };
}

/** tfjs-node 4.22 calls two functions of Node that warn since Node 22 and are gone since Node 23. */
function replaceDeprecatedUtilities(): void {
  const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  Object.assign(util, { isNullOrUndefined, isArray: Array.isArray });
}
