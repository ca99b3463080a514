/** Which engine this machine gets: native TensorFlow where it has it or can have it, else WebAssembly, which comes with npm. */
import { existsSync } from 'node:fs';
import { UsageError } from '../core/ablation/errors.ts';
import type { Device } from '../engine/engine.ts';
import { EngineError } from '../engine/engine-error.ts';
import { engineFromEnvironment, type EngineName } from '../engine/engine-name.ts';
import { cachedBinding, enginePackage, requireCompiler } from './binding.ts';
import { cacheProblems } from './cache-manifest.ts';
import { cacheDir } from './cache.ts';
import { cudaFolder } from './cuda.ts';
import { CUDA_WHEELS } from './pinned-wheels.ts';
import { wantedDevice, type DeviceChoice } from './device.ts';
import { SetupError } from './errors.ts';
import { glibcVersion, requireGlibc } from './glibc.ts';
import { libraryFor, thisPlatform } from './library.ts';
import { SETUP } from '../installation.ts';
import { requirePip, requirePython } from './python.ts';
import { downloadFolder, unpackedFolder } from './wheel.ts';

export interface EngineChoice {
  readonly engine: EngineName;
  /** `ENGINE` names it: nothing was chosen. */
  readonly asked: boolean;
  /** Why this one, in words. */
  readonly why: string;
  /** What it computes on. */
  readonly device: DeviceChoice;
  /** Where WebAssembly was chosen for want of the other: what that costs, and the command that gives the other. */
  readonly slower?: string;
  readonly mend?: string;
}

/** Measured by `make bench-engines`: 3.8 to 5.8 times, by stage and size. */
export const SLOWER = 'a training step takes 4 to 6 times as long';

/**
 * The engine that `ENGINE` names (`native` or `wasm`), else native TensorFlow, else, where this machine cannot have it (no build for the
 * platform or its C library, nothing to compile the binding with, nothing to take the library from its wheel with), WebAssembly.
 * What a retry could mend (network, disk) is no reason: then set-up fails, so that one study is not computed on two engines by accident.
 * @throws UsageError `BAD_ENGINE`, SetupError `BAD_DEVICE`, `NO_HOME`; and what this machine lacks, where a GPU was asked for
 */
export async function wantedEngine(env: NodeJS.ProcessEnv = process.env): Promise<EngineChoice> {
  const asked = askedEngine(env),
    gpuAsked = env['TINYMIM_DEVICE'] === 'gpu';
  if (asked === 'wasm') {
    if (gpuAsked) throw new SetupError('BAD_DEVICE', 'Expected ENGINE=wasm without TINYMIM_DEVICE=gpu, got both: WebAssembly computes on the CPU.', 'unset one of them');
    return { engine: 'wasm', asked: true, why: 'ENGINE=wasm', device: ON_CPU };
  }
  const device = await wantedDevice(env);
  if (asked) return { engine: asked, asked: true, why: 'ENGINE=native', device };
  const native = await nativeHere(device.device, env);
  if (typeof native === 'string') return { engine: 'tensorflow', asked: false, why: native, device };
  if (gpuAsked) throw native;
  return { engine: 'wasm', asked: false, why: native.reason, device: ON_CPU, slower: SLOWER, mend: native.mend };
}

const ON_CPU: DeviceChoice = { device: 'cpu', why: 'WebAssembly computes on the CPU', gpus: [] };

function askedEngine(env: NodeJS.ProcessEnv): EngineName | undefined {
  try {
    return engineFromEnvironment(env);
  } catch (error) {
    throw error instanceof EngineError ? new UsageError('BAD_ENGINE', error.message, { cause: error }) : error;
  }
}

/** Whether native TensorFlow is here or can be, in words; or what this machine lacks. */
async function nativeHere(device: Device, env: NodeJS.ProcessEnv): Promise<string | SetupError> {
  const cache = cacheDir(env);
  try {
    const library = libraryFor(thisPlatform(), device);
    if (process.platform === 'linux') requireGlibc(glibcVersion());
    const compiled = existsSync(cachedBinding(cache, library, enginePackage().version));
    if (!compiled) await requireCompiler(env);
    const unpackings = [{ key: library.key, wheels: [library.wheel] }, ...(device === 'gpu' ? [{ key: cudaFolder(library), wheels: CUDA_WHEELS }] : [])];
    const isWhole = await Promise.all(unpackings.map(async ({ key, wheels }) => (await cacheProblems(unpackedFolder(cache, key), wheels)).length === 0));
    const absent = unpackings.filter((_, i) => !isWhole[i]);
    if (absent.some(({ key }) => !existsSync(downloadFolder(cache, key)))) await requirePip();
    else if (absent.length > 0) await requirePython();
    return compiled && absent.length === 0 ? 'this machine has it' : `this machine can have it (${SETUP})`;
  } catch (error) {
    if (error instanceof SetupError) return error;
    throw error;
  }
}

/** For people, where WebAssembly was chosen without being asked for; undefined elsewhere. */
export const wasmText = ({ why, slower, mend }: EngineChoice): string | undefined =>
  slower === undefined
    ? undefined
    : `No native TensorFlow here: ${why.replace(/\.$/, '')}. Going on with WebAssembly: ${slower}. For the native engine: ${mend ?? SETUP}, then ${SETUP}. ENGINE=wasm says that WebAssembly is meant.`;
