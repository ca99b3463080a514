/** What commands compute on, unless a person says otherwise: told wherever it is not what one would expect. */
import { join, resolve } from 'node:path';
import type { Study } from '../../core/ablation/declaration.ts';
import { UsageError } from '../../core/ablation/errors.ts';
import type { Machine } from '../../core/inspect/speeds.ts';
import { defaultDevices, parseDevices, type Place } from '../../core/runner/devices.ts';
import { cacheDir, dataDir } from '../../setup/cache.ts';
import { wantedEngine, wasmText, type EngineChoice } from '../../setup/choice.ts';
import { cpuName, deviceOfPrograms, gpusForSweep, idleGpuText } from '../../setup/device.ts';
import { gpuMemory } from '../../setup/gpus.ts';
import { TENSORFLOW_VERSION } from '../../setup/library.ts';
import { wasmVersion } from '../../setup/wasm.ts';
import { warn } from '../terminal/text.ts';

export interface Setting {
  readonly engine: EngineChoice['engine'];
  /** As `--devices` says. */
  readonly devices: string;
  readonly places: readonly Place[];
  /** Bytes of memory of a GPU; undefined where the driver does not tell. */
  readonly memoryOf: (gpu: number | string) => number | undefined;
}

/**
 * The engine, and where workers run. Sets `ENGINE` for the processes that this one starts, so that all of them run the same engine
 * whatever is installed meanwhile. A study of which all stages are programs is not asked for an engine: it loads none.
 * @param devices of the option; default all GPUs, else all cores
 * @throws UsageError `BAD_DEVICES`, `BAD_ENGINE`; SetupError where a GPU or the native engine was asked for and cannot be had
 */
export async function settingFor(devices: string | undefined, { kinds }: Pick<Study, 'kinds'>): Promise<Setting> {
  const choice = kinds.every(({ program }) => program !== undefined) ? await withoutEngine() : await wantedEngine();
  const list = devices ?? defaultDevices(gpusForSweep(choice.device));
  const memoryOf = await memoryOfGpus(parseDevices(list));
  const places = parseDevices(list, undefined, memoryOf);
  if (choice.engine === 'wasm') requireSingleThreads(places, list);
  for (const text of surprises(choice)) warn(text);
  process.env['ENGINE'] = choice.engine === 'wasm' ? 'wasm' : 'native';
  return { engine: choice.engine, devices: list, places, memoryOf };
}

const withoutEngine = async (): Promise<EngineChoice> => ({ engine: 'tensorflow', asked: true, why: 'no stage loads an engine', device: await deviceOfPrograms() });

/** Asks the driver where a worker computes on a GPU. */
async function memoryOfGpus(places: readonly Place[]): Promise<Setting['memoryOf']> {
  const gpus = new Set(places.flatMap(({ gpu }) => gpu ?? []));
  if (gpus.size === 0) return () => undefined;
  const memoryOf = await gpuMemory();
  const unknown = [...gpus].filter(gpu => memoryOf(gpu) === undefined);
  if (unknown.length > 0) warn(`The memory of GPU ${unknown.join(', ')} is not known, since nvidia-smi does not tell it: no stages share a worker, and a batch is divided only after memory ran out.`);
  return memoryOf;
}

/** What a person would not expect of a choice. */
export const surprises = (choice: EngineChoice): string[] => [wasmText(choice), idleGpuText(choice.device)].filter(text => text !== undefined);

function requireSingleThreads(places: readonly Place[], list: string): void {
  const place = places.find(({ device, threads }) => device === 'gpu' || threads !== 1);
  if (!place) return;
  throw new UsageError('BAD_DEVICES', `--devices: expected workers of one thread on the CPU, which is all that WebAssembly has (cpu:2x1), got '${list}'. ENGINE=native asks for native TensorFlow.`);
}

/** What speeds are known of, and kept for. @throws SetupError `NO_PACKAGES` */
export const thisMachine = (engine: EngineChoice['engine']): Machine => ({
  cpu: cpuName(),
  // As provenance has it.
  engine: engine === 'wasm' ? `wasm ${wasmVersion()}` : `tensorflow ${TENSORFLOW_VERSION}`,
  measurements: join(cacheDir(), 'throughput.jsonl'),
  dataDir: resolve(dataDir()),
});
