/**
 * Where workers run: `cpu:2x1` is two CPU workers of one thread each, `gpu:0,1` one worker on each of two GPUs, `gpu:0x2` two
 * on one, `gpu:MIG-5a...` one on that part of a split GPU, `inline` this process.
 */
import { availableParallelism, totalmem } from 'node:os';
import { UsageError } from '../ablation/errors.ts';

/** Room for one worker. */
export interface Place {
  /** `cpu:0`, `gpu:1`, `gpu:0.1` (the second worker of GPU 0), `inline`: for people. */
  readonly name: string;
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  /** Of these threads, those of other places that were idle (default 0). */
  readonly borrowed?: number;
  /** Its GPU: the index as the driver counts, or a uuid (`MIG-5a…`, `GPU-5a…`). */
  readonly gpu?: number | string;
}

/** One stage at a time in the calling process, on one CPU thread as a worker of `cpu:1x1`. */
export const INLINE = 'inline';

const GRAMMAR =
  "expected 'cpu:<workers>x<threads>', 'gpu:<index>,<index>x<workers>,...' (or a uuid, MIG-... or GPU-..., for the index), both joined by a comma, or 'inline', e.g. cpu:2x1, gpu:0,1 or gpu:0x2";

/** @throws UsageError when the list does not follow the grammar, names a GPU twice or names nothing */
export function parseDevices(list: string, cores = availableParallelism()): Place[] {
  if (list.trim() === INLINE) return [{ name: INLINE, device: 'cpu', threads: 1 }];
  let device = '';
  const threads: number[] = [];
  /** Workers by GPU. */
  const gpus = new Map<number | string, number>();
  for (const item of list.split(',').map(i => i.trim())) {
    const [, named, value = '', uuid, count] = /^(?:(cpu|gpu):)?((?:\d+|((?:MIG|GPU)-[\w/-]+?))(?:x(\d+))?)$/.exec(item) ?? [];
    device = named ?? device;
    const [first, second] = [Number.parseInt(value, 10), count === undefined ? undefined : Number(count)];
    const gpu = uuid ?? first;
    if (device === 'cpu' && named && second !== undefined && second > 0 && first > 0) threads.push(...Array<number>(first).fill(second));
    else if (device === 'gpu' && value !== '' && second !== 0 && !gpus.has(gpu)) gpus.set(gpu, second ?? 1);
    else throw new UsageError('BAD_DEVICES', `--devices: ${GRAMMAR}, got '${item}' in '${list}'`);
  }
  const share = Math.max(
    1,
    Math.floor(
      cores /
        Math.max(
          1,
          [...gpus.values()].reduce((a, b) => a + b, 0),
        ),
    ),
  );
  return [
    ...[...gpus].flatMap(([gpu, workers]) => Array.from({ length: workers }, (_, i): Place => ({ name: `${gpuName(gpu)}${workers === 1 ? '' : `.${i}`}`, device: 'gpu', threads: share, gpu }))),
    ...threads.map((count, i): Place => ({ name: `cpu:${i}`, device: 'cpu', threads: count })),
  ];
}

/** Part of names of files: uuids of older drivers have slashes. */
const gpuName = (gpu: number | string): string => `gpu:${String(gpu).replaceAll('/', '_')}`;

/** One worker on each of these GPUs, or without any every core as a worker of one thread. */
export function defaultDevices(gpus: readonly (number | string)[]): string {
  return gpus.length > 0 ? `gpu:${gpus.join(',')}` : `cpu:${availableParallelism()}x1`;
}

/** On which workers of these places compute, each once. */
export const devicesOf = (places: readonly Place[]): Place['device'][] => [...new Set(places.map(place => place.device))];

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
export function packMemoryLimit(places: number): number {
  const limit = process.constrainedMemory(); // of a container; 0 or beyond all memory where there is none
  return (PACK_SHARE * Math.min(totalmem(), limit > 0 ? limit : Infinity)) / Math.max(1, places);
}
