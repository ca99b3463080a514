/** What there is to compute on. */
import { readdir } from 'node:fs/promises';
import os from 'node:os';
import { execa } from 'execa';
import { SetupError } from './errors.ts';
import type { Device } from './library.ts';

/** Names of the NVIDIA GPUs that the driver sees; empty without a driver or without a GPU. */
export async function gpuNames(): Promise<string[]> {
  const { stdout, failed } = await execa('nvidia-smi', ['-L'], { reject: false, timeout: 20_000, stderr: 'ignore' });
  // With a driver but without a GPU it prints "No devices found." on the same stream.
  if (!failed) return stdout.split('\n').flatMap(line => /^GPU \d+: (.*?)(?: \(UUID.*)?$/.exec(line)?.[1] ?? []);
  // Containers often have the devices without the tool.
  const entries = await readdir('/proc/driver/nvidia/gpus').catch(() => []);
  return entries.map(name => `NVIDIA GPU at ${name}`);
}

/**
 * The device that set-up provides for: `TINYMIM_DEVICE` (`cpu` or `gpu`) when set, else the GPU where there is one.
 * @throws SetupError `BAD_DEVICE`
 */
export async function wantedDevice(env: NodeJS.ProcessEnv = process.env): Promise<{ device: Device; why: string }> {
  const asked = env['TINYMIM_DEVICE'];
  if (asked === 'cpu' || asked === 'gpu') return { device: asked, why: `TINYMIM_DEVICE=${asked}` };
  if (asked) throw new SetupError('BAD_DEVICE', `Expected TINYMIM_DEVICE to be cpu or gpu, got "${asked}".`, 'unset TINYMIM_DEVICE');
  const gpus = await gpuNames();
  return gpus.length > 0 ? { device: 'gpu', why: gpus.join(', ') } : { device: 'cpu', why: 'no NVIDIA GPU found' };
}

/**
 * How many GPUs a sweep takes by itself: none where set-up was told to provide for the CPU.
 * @throws SetupError `BAD_DEVICE` when a GPU was asked for and there is none: that must not end on the CPU
 */
export async function usableGpus(env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const { device, why } = await wantedDevice(env);
  if (device === 'cpu') return 0;
  const gpus = await gpuNames();
  if (gpus.length === 0) throw new SetupError('BAD_DEVICE', `Expected an NVIDIA GPU (${why}), got none.`, 'unset TINYMIM_DEVICE');
  return gpus.length;
}

/** Model of the first CPU, as the system names it. */
export const cpuName = (): string => os.cpus()[0]?.model.trim() ?? os.arch();
