/** What there is to compute on. */
import os from 'node:os';
import type { Device } from '../engine/engine.ts';
import { SetupError } from './errors.ts';
import { cudaFailure, listedGpus, pinOf, visibleGpus, type Gpu } from './gpus.ts';
import { isPublished, thisPlatform } from './library.ts';
import { SETUP } from '../installation.ts';

export interface DeviceChoice {
  readonly device: Device;
  readonly why: string;
  /** GPUs that a sweep takes by itself, as the driver counts; parts of split ones (MIG) by their uuid. */
  readonly gpus: readonly (number | string)[];
  /** Why GPUs that the driver lists cannot be used, where nobody asked to leave them alone. */
  readonly unusable?: string;
}

/**
 * The device that set-up provides for: `TINYMIM_DEVICE` (`cpu` or `gpu`) when set, else the GPU where there is one that CUDA can use
 * and that `CUDA_VISIBLE_DEVICES` leaves visible.
 * @throws SetupError `BAD_DEVICE`
 */
export const wantedDevice = (env: NodeJS.ProcessEnv = process.env): Promise<DeviceChoice> => chosenDevice(env, gpuFailure);

/** The same for programs, which bring what they need for a GPU: those that the driver lists and that are visible. @throws SetupError `BAD_DEVICE` */
export const deviceOfPrograms = (env: NodeJS.ProcessEnv = process.env): Promise<DeviceChoice> => chosenDevice(env, () => Promise.resolve(undefined));

/** Why our engine cannot use the GPUs of this machine. */
const gpuFailure = async (): Promise<string | undefined> => (isPublished(thisPlatform(), 'gpu') ? await cudaFailure() : `TensorFlow is not published for the GPUs of ${thisPlatform()}`);

async function chosenDevice(env: NodeJS.ProcessEnv, failureOf: () => Promise<string | undefined>): Promise<DeviceChoice> {
  const asked = env['TINYMIM_DEVICE'];
  if (asked === 'cpu') return { device: 'cpu', why: 'TINYMIM_DEVICE=cpu', gpus: [] };
  if (asked && asked !== 'gpu') throw new SetupError('BAD_DEVICE', `Expected TINYMIM_DEVICE to be cpu or gpu, got "${asked}".`, 'unset TINYMIM_DEVICE');
  const found = await findGpus(env['CUDA_VISIBLE_DEVICES'], failureOf);
  return asked ? { ...found, device: 'gpu', why: 'TINYMIM_DEVICE=gpu' } : found;
}

async function findGpus(visibleDevices: string | undefined, failureOf: () => Promise<string | undefined>): Promise<DeviceChoice> {
  const listed = await listedGpus();
  if (listed.length === 0) return { device: 'cpu', why: 'no NVIDIA GPU found', gpus: [] };
  const visible = visibleGpus(listed, visibleDevices);
  if (visible.length === 0) return hidden(listed, visibleDevices ?? '');
  const failure = await failureOf();
  if (failure === undefined) return { device: 'gpu', why: namesOf(visible), gpus: visible.map(pinOf) };
  const unusable = `${namesOf(visible)} cannot be used: ${failure}`;
  return { device: 'cpu', why: unusable, gpus: [], unusable };
}

const namesOf = (gpus: readonly Gpu[]): string => gpus.map(gpu => gpu.name).join(', ');

/** Empty, `-1` and `NoDevFiles` mean to hide all; anything else meant to name some. */
function hidden(listed: readonly Gpu[], visibleDevices: string): DeviceChoice {
  const meant = /^\s*(?:|-1|NoDevFiles)\s*$/.test(visibleDevices);
  const why = `CUDA_VISIBLE_DEVICES=${visibleDevices} ${meant ? 'hides' : 'names none of'} ${namesOf(listed)}`;
  return { device: 'cpu', why, gpus: [], ...(!meant && { unusable: why }) };
}

/**
 * The GPUs that a sweep takes by itself, as in `DeviceChoice`: none where set-up provides for the CPU.
 * @throws SetupError `BAD_DEVICE` when a GPU was asked for and there is none: that must not end on the CPU
 */
export function gpusForSweep({ device, gpus, why, unusable }: DeviceChoice): DeviceChoice['gpus'] {
  if (device === 'cpu' || gpus.length > 0) return gpus;
  throw new SetupError('BAD_DEVICE', `Expected an NVIDIA GPU (${why}), got none${unusable === undefined ? '' : ` that can be used: ${unusable}`}.`, 'unset TINYMIM_DEVICE');
}

/** For people, where a GPU stays idle without anyone having asked for that. */
export const idleGpuText = ({ device, unusable }: DeviceChoice): string | undefined =>
  device === 'gpu' || unusable === undefined
    ? undefined
    : `${unusable}. Going on with the CPU. Once \`nvidia-smi\` and CUDA work, run \`${SETUP}\` again; TINYMIM_DEVICE=cpu says that the CPU is meant.`;

/** Model of the first CPU, as the system names it. */
export const cpuName = (): string => os.cpus()[0]?.model.trim() ?? os.arch();
