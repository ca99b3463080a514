/** Native TensorFlow through tfjs-node: its package, its environment variables, its quirks. */
import util from 'node:util';
import { SETUP } from '../../installation.ts';
import { noteLoadedBinding } from '../binding.ts';
import { EngineError } from '../engine-error.ts';
import { proveDevice } from '../compile/device-proof.ts';
import { contextConfig } from '../compile/protobuf.ts';
import type { Device, EnginePlace, LoadedEngine } from '../engine.ts';
import * as tf from '../tf.ts';
import { isTf32Process } from '../tf32.ts';

/**
 * Environment variables of TensorFlow. They count only if set before the native library is loaded, so `loadNative` sets
 * them in its own process; a parent may set them for a child.
 * @internal
 */
export function nativeEnvironment({ device, threads }: EnginePlace, environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return {
    TF_CPP_MIN_LOG_LEVEL: environment['TF_CPP_MIN_LOG_LEVEL'] ?? '2', // errors only
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: String(threads),
    ...(device === 'cpu'
      ? { CUDA_VISIBLE_DEVICES: '-1' } // else a visible GPU would be used
      : {
          TF_FORCE_GPU_ALLOW_GROWTH: 'true', // else the first process takes all memory
          TF_DETERMINISTIC_OPS: '1',
          // Float32 means float32, unless the process was started for TF32. TensorFlow itself allows it unless told otherwise.
          NVIDIA_TF32_OVERRIDE: isTf32Process(environment) ? '1' : '0',
          ...memoryOfSharedGpu(environment),
        }),
  };
}

/** Options of TensorFlow's context, which the binding reads when it is loaded: a serialized ConfigProto as hexadecimal digits. */
const CONFIG = 'TINYMIM_ENGINE_CONFIG';
/** The part of a card's memory that a worker may take where several share it. */
const FRACTION = 'TINYMIM_GPU_MEMORY_FRACTION';

function memoryOfSharedGpu({ [FRACTION]: given, [CONFIG]: config = '' }: NodeJS.ProcessEnv): Record<string, string> {
  if (given === undefined || given === '') return {};
  const gpuMemoryFraction = Number(given);
  if (!(gpuMemoryFraction > 0 && gpuMemoryFraction <= 1)) {
    throw new EngineError('ENGINE_OPTIONS', `Expected ${FRACTION} to be a number above 0 and at most 1, got '${given}'.`);
  }
  return { [CONFIG]: config + Buffer.from(contextConfig({ gpuMemoryFraction })).toString('hex') };
}

interface NativeBackend extends tf.KernelBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string; readonly defineFunction?: unknown; readonly decodeJpeg?: unknown };
}

/** @throws EngineError `ENGINE_UNAVAILABLE` if the library is missing or broken, `ENGINE_DEVICE` if the ops would run on another device */
export async function loadNative({ device, threads }: EnginePlace): Promise<LoadedEngine> {
  Object.assign(process.env, nativeEnvironment({ device, threads }));
  replaceDeprecatedUtilities();
  try {
    await import('@tensorflow/tfjs-node-gpu');
  } catch (cause) {
    // On a GPU the line after the first says what is wrong with it.
    const first = (cause as Error).message
      .split('\n')
      .slice(0, device === 'gpu' ? 3 : 1)
      .join(' ')
      .trim();
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected native TensorFlow to load, got: ${first} Run \`${SETUP}\` to install it.`, { cause });
  }
  const backend = tf.backend() as NativeBackend;
  if (tf.getBackend() !== 'tensorflow') {
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected the backend "tensorflow", got "${tf.getBackend()}". Run \`${SETUP}\`.`);
  }
  if (backend.binding.defineFunction === undefined || backend.binding.decodeJpeg === undefined) {
    throw new EngineError('ENGINE_UNAVAILABLE', `Expected the binding that set-up compiles, which defines functions and decodes images, got another. Run \`${SETUP}\`.`);
  }
  const actual: Device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  if (actual !== device) {
    throw new EngineError(
      'ENGINE_DEVICE',
      `Expected ops to run on the ${device}, got the ${actual}. ` +
        `Check the driver (\`nvidia-smi\`), CUDA_VISIBLE_DEVICES, and that \`${SETUP}\` was run on a machine with the GPU; or ask for the other device.`,
    );
  }
  expectFunctionsOn(device);
  noteLoadedBinding();
  const gpu = device === 'gpu' ? await (await import('./gpu-facts.ts')).gpuFacts() : undefined;
  return { libraryVersion: backend.binding.TF_Version, why: `the ${device} was asked for, and native TensorFlow runs on it`, ...(gpu && { gpu }) };
}

/** That TensorFlow sees a device is no proof that anything runs there. */
function expectFunctionsOn(device: Device): void {
  const { promised, actual } = proveDevice();
  const elsewhere = actual.find(name => name !== promised);
  if (elsewhere === undefined && promised.includes(`:${device.toUpperCase()}:`)) return;
  throw new EngineError(
    'ENGINE_DEVICE',
    `Expected functions, and the variables they change, on ${promised} (asked for: the ${device}), got ${elsewhere ?? promised}. ` +
      `Run \`${SETUP}\` again; if that does not help, ask for the other device and report this.`,
  );
}

/** tfjs-node 4.22 calls two functions of Node that warn since Node 22 and are gone since Node 23. */
function replaceDeprecatedUtilities(): void {
  const isNullOrUndefined = (value: unknown): boolean => value === null || value === undefined;
  Object.assign(util, { isNullOrUndefined, isArray: Array.isArray });
}
