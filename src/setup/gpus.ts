/** NVIDIA GPUs: which ones the driver lists, which of them this process may use, and whether CUDA can. */
import { access, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { z } from 'zod';
import { describedCards } from '../engine/cards.ts';

/** A GPU, or one of the parts that a GPU is split into (multi-instance GPU, MIG). */
export interface Gpu {
  /** Of the GPU, as the driver counts. */
  readonly index: number;
  readonly name: string;
  /** `GPU-5a…`, `MIG-5a…`; absent where the driver's tool is. */
  readonly uuid?: string;
  /** Of a part: the uuid of the whole. */
  readonly whole?: string;
}

/** What `CUDA_VISIBLE_DEVICES` has to name it by: a part has no number of its own. */
export const pinOf = ({ index, uuid, whole }: Gpu): number | string => (whole === undefined ? index : (uuid ?? index));

/** GPUs that the driver sees; empty without a driver or without a GPU. */
export async function listedGpus(): Promise<Gpu[]> {
  const { stdout, failed } = await execa('nvidia-smi', ['-L'], { reject: false, timeout: 20_000, stderr: 'ignore' });
  // With a driver but without a GPU it prints "No devices found." on the same stream.
  if (!failed) return gpusOf(stdout.split('\n'));
  // Containers often have the devices without the tool. /proc is that of the host: it lists GPUs that the container was not given.
  if (
    !(await access('/dev/nvidiactl').then(
      () => true,
      () => false,
    ))
  )
    return [];
  const entries = await readdir('/proc/driver/nvidia/gpus').catch(() => []);
  return entries.map((entry, index) => ({ index, name: `NVIDIA GPU at ${entry}` }));
}

/** `GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5a…)`, and below it, where it is split, `  MIG 1g.10gb  Device 0: (UUID: MIG-5a…)`. */
function gpusOf(lines: readonly string[]): Gpu[] {
  const gpus: Gpu[] = [];
  for (const line of lines) {
    const [, index, name, uuid] = /^GPU (\d+): (.*?)(?: \(UUID: ([^)]*)\))?\s*$/.exec(line) ?? [];
    if (index !== undefined && name !== undefined) gpus.push({ index: Number(index), name, ...(uuid !== undefined && { uuid }) });
    const [, size, part] = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]*)\)/.exec(line) ?? [];
    const whole = gpus.at(-1);
    if (part !== undefined && whole !== undefined) gpus.push({ index: whole.index, name: `MIG ${size} of ${nameOfWhole(whole)}`, uuid: part, whole: whole.whole ?? whole.uuid ?? '' });
  }
  // One that is split cannot be used as a whole.
  return gpus.filter(gpu => gpu.whole !== undefined || !gpus.some(other => other.whole !== undefined && other.index === gpu.index));
}

const nameOfWhole = ({ name, whole }: Gpu): string => (whole === undefined ? name : name.replace(/^MIG \S+ of /, ''));

/**
 * Those that `CUDA_VISIBLE_DEVICES` leaves, in its order: all when it is not set, none when it is empty. As CUDA does, an entry
 * that names no GPU ends the list, and one that names a split GPU means its first part (CUDA C++ Programming Guide, "CUDA Environment
 * Variables").
 */
export function visibleGpus(gpus: readonly Gpu[], visible: string | undefined): Gpu[] {
  if (visible === undefined) return [...gpus];
  const found = visible
    .split(',')
    .map(item => item.trim())
    .map(item => gpus.find(gpu => item === String(gpu.index) || (/^(?:GPU|MIG)-/.test(item) && [gpu.uuid, gpu.whole].some(id => id?.startsWith(item) === true))));
  const end = found.indexOf(undefined);
  return found.slice(0, end < 0 ? undefined : end).filter(gpu => gpu !== undefined);
}

/**
 * Bytes of memory of a GPU, by its index or uuid, or of a part of one; undefined where the driver's tool does not tell. The size of a part
 * stands in its name alone (`MIG 3g.40gb`), in whole units of a billion bytes, somewhat less than it has.
 */
export async function gpuMemory(): Promise<(gpu: number | string) => number | undefined> {
  const [cards, listed] = await Promise.all([describedCards(), listedGpus()]);
  return gpu => {
    const part = listed.find(({ uuid, whole }) => whole !== undefined && uuid === gpu);
    const gigabytes = part && /^MIG \S*\.(\d+)gb\b/.exec(part.name)?.[1];
    if (part) return gigabytes === undefined ? undefined : 1e9 * Number(gigabytes);
    return cards.find(({ index, uuid }) => index === gpu || (typeof gpu === 'string' && uuid.startsWith(gpu)))?.memory;
  };
}

/** CUDA 12 runs on every driver that knows 12.0 ("CUDA Compatibility", minor version compatibility). */
const LEAST_CUDA = 12_000;

const PROBE = fileURLToPath(new URL('cuda_probe.py', import.meta.url));
const answer = z.union([z.object({ gpus: z.int(), cuda: z.int() }), z.object({ failure: z.string() })]);

/**
 * Asks CUDA itself: a driver's tool lists GPUs that a container was not given, or that an update of the driver has left unusable.
 * @returns why CUDA can use no GPU; undefined when it can, or where there is no Python to ask with
 */
export async function cudaFailure(): Promise<string | undefined> {
  const { stdout, failed } = await execa('python3', [PROBE], { reject: false, timeout: 60_000, stderr: 'ignore' });
  if (failed) return undefined;
  const found = answer.parse(JSON.parse(stdout));
  if ('failure' in found) return found.failure;
  if (found.gpus === 0) return 'CUDA sees none';
  if (found.cuda < LEAST_CUDA) return `its driver knows CUDA ${Math.floor(found.cuda / 1000)}.${(found.cuda % 1000) / 10}, the library needs 12.0`;
  return undefined;
}
