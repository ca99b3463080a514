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
  /** Workers on its GPU, where there are several. */
  readonly workers?: number;
  /** Bytes of the memory of its GPU, divided by the workers on it; where the driver tells. */
  readonly memory?: number;
}

/** One stage at a time in the calling process, on one CPU thread as a worker of `cpu:1x1`. */
export const INLINE = 'inline';

const GRAMMAR =
  "expected 'cpu:<workers>x<threads>', 'gpu:<index>,<index>x<workers>,...' (or a uuid, MIG-... or GPU-..., for the index), both joined by a comma, or 'inline', e.g. cpu:2x1, gpu:0,1 or gpu:0x2";

/**
 * @param memoryOf bytes of memory of a GPU, as the driver tells
 * @throws UsageError when the list does not follow the grammar, names a GPU twice or names nothing
 */
export function parseDevices(list: string, cores = availableParallelism(), memoryOf: (gpu: number | string) => number | undefined = () => undefined): Place[] {
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
  return [...[...gpus].flatMap(([gpu, workers]) => placesOn(gpu, workers, share, memoryOf(gpu))), ...threads.map((count, i): Place => ({ name: `cpu:${i}`, device: 'cpu', threads: count }))];
}

function placesOn(gpu: number | string, workers: number, threads: number, memory: number | undefined): Place[] {
  return Array.from({ length: workers }, (_, i) => ({
    name: `${gpuName(gpu)}${workers === 1 ? '' : `.${i}`}`,
    device: 'gpu',
    threads,
    gpu,
    ...(workers > 1 && { workers }),
    ...(memory !== undefined && { memory: memory / workers }),
  }));
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
    // TensorFlow's `per_process_gpu_memory_fraction`, which our binding sets: one worker alone may grow as it needs.
    ...(place.workers !== undefined && { TINYMIM_GPU_MEMORY_FRACTION: String(Math.floor((1000 * CARD_ALLOCATED) / place.workers) / 1000) }),
  };
}

/** Of a card's memory, what its workers may allocate together; the rest is for their contexts and CUDA's libraries. */
const CARD_ALLOCATED = 0.9;

/** Of a worker's part of a card, what stages may take by their estimates. No figure of these two has been tried on a card. */
const CARD_SHARE = 0.85;

/** Of the machine's memory, what the packs of all places may take by their estimates; the rest is for what no estimate counts. */
const PACK_SHARE = 0.7;

/** What stages may take by the estimates of their kinds, at any of the places of a run; bytes. */
export interface MemoryLimits {
  /** A pack. */
  readonly pack: number;
  /** A stage alone, where workers compute on GPUs: its micro-batches are chosen by it. Absent where the memory of no GPU is known. */
  readonly card?: number;
}

/**
 * A GPU's memory is its own; that of the machine is for the workers on the CPU. Where a GPU's is not known, nothing is packed.
 * @param host bytes that the workers may take of the machine
 */
export function memoryLimits(places: readonly Place[], host = hostMemory()): MemoryLimits {
  const gpus = places.filter(place => place.device === 'gpu').map(({ memory }) => memory && CARD_SHARE * memory);
  const known = gpus.filter(limit => limit !== undefined);
  const onCpu = gpus.length < places.length || places.length === 0;
  const pack = Math.min(...(onCpu ? [(PACK_SHARE * host) / Math.max(1, places.length)] : []), ...gpus.map(limit => limit ?? 0));
  return { pack, ...(known.length > 0 && { card: Math.min(...known) }) };
}

function hostMemory(): number {
  const limit = process.constrainedMemory(); // of a container; 0 or beyond all memory where there is none
  return Math.min(totalmem(), limit > 0 ? limit : Infinity);
}

/** Bytes of all memory that a stage alone has at the best of these places; Infinity where that of a GPU is not known. */
export const largestMemory = (places: readonly Place[]): number => Math.max(...places.map(({ device, memory = Infinity }) => (device === 'gpu' ? memory : hostMemory())));
