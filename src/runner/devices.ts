/** Where workers run: `cpu:2x1` is two CPU workers of one thread each, `gpu:0,1` one worker on each of two GPUs. */
import { availableParallelism, totalmem } from 'node:os';
import { UsageError } from '../ablation/errors.ts';

/** Room for one worker. */
export interface Place {
  /** `cpu:0`, `gpu:1`: for people. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  /** Index of its GPU as the driver counts. */
  readonly gpu?: number;
}

const GRAMMAR = "expected 'cpu:<workers>x<threads>', 'gpu:<index>,<index>,...' or both joined by a comma, e.g. cpu:2x1 or gpu:0,1";

/** @throws UsageError when the list does not follow the grammar, names a GPU twice or names nothing */
export function parseDevices(list: string, cores = availableParallelism()): Place[] {
  let device = '';
  const workers: number[] = [];
  const gpus: number[] = [];
  for (const item of list.split(',').map(i => i.trim())) {
    const [, named, value = ''] = /^(?:(cpu|gpu):)?(\d+(?:x\d+)?)$/.exec(item) ?? [];
    device = named ?? device;
    const [count = 0, threads] = value.split('x').map(Number);
    if (device === 'cpu' && named && threads !== undefined && threads > 0 && count > 0) workers.push(...Array<number>(count).fill(threads));
    else if (device === 'gpu' && value !== '' && threads === undefined && !gpus.includes(count)) gpus.push(count);
    else throw new UsageError('BAD_DEVICES', `--devices: ${GRAMMAR}, got '${item}' in '${list}'`);
  }
  const share = Math.max(1, Math.floor(cores / Math.max(1, gpus.length)));
  return [
    ...gpus.map((gpu): Place => ({ name: `gpu:${gpu}`, device: 'gpu', threads: share, gpu })),
    ...workers.map((threads, i): Place => ({ name: `cpu:${i}`, device: 'cpu', threads })),
  ];
}

/** All of `gpus` GPUs, or without any every core as a worker of one thread. */
export function defaultDevices(gpus: number): string {
  return gpus > 0 ? `gpu:${Array.from({ length: gpus }, (_, i) => i).join(',')}` : `cpu:${availableParallelism()}x1`;
}

/** Variables that pin a worker to its place, whatever engine it loads; an engine's own are set by the code that loads it. */
export function placeEnvironment(place: Place): Record<string, string> {
  return {
    // '-1' hides every GPU: a CPU worker would otherwise take memory on one.
    CUDA_VISIBLE_DEVICES: String(place.gpu ?? -1),
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    OMP_NUM_THREADS: String(place.threads),
  };
}

/** Of the machine's memory, what the packs of all places may take by their estimates; the rest is for what no estimate counts. */
const PACK_SHARE = 0.7;

/** Bytes that a pack may take where `places` workers run at once. */
export function packMemory(places: number): number {
  const limit = process.constrainedMemory(); // of a container; 0 or beyond all memory where there is none
  return (PACK_SHARE * Math.min(totalmem(), limit > 0 ? limit : Infinity)) / Math.max(1, places);
}
