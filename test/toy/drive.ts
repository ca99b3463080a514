/**
 * Runs a toy sweep in a process of its own, so that tests can kill it: `node drive.js '<JSON of DriveOptions>'`, compiled by compiled.ts.
 * Prints one JSON line per event, then `{"type":"summary",...}`. SIGINT once: checkpoint and stop; twice: kill.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadExperiments } from '../../src/core/ablation/load.ts';
import { buildPlan } from '../../src/core/plan/plan.ts';
import { parseDevices } from '../../src/core/runner/devices.ts';
import { createExecutor } from '../../src/core/runner/executors/create.ts';
import type { Limits } from '../../src/core/runner/limits.ts';
import { runPlan } from '../../src/core/runner/run.ts';
import { openStore } from '../../src/core/store/store.ts';

export interface DriveOptions {
  readonly store: string;
  readonly profile: string;
  readonly only?: string;
  readonly seeds?: string;
  /** Changes of the profile, as of `--set`. */
  readonly sets?: readonly string[];
  readonly devices: string;
  /** Bytes of memory of every GPU. */
  readonly cardMemory?: number;
  readonly checkpointEvery?: number;
  readonly grace?: number;
  readonly wideFrom?: number;
  readonly limits?: Limits;
  /** Folder of declarations beside this file (default `experiments`). */
  readonly declarations?: string;
  /** See `StoreOptions`. */
  readonly lease?: number;
}

const options = JSON.parse(process.argv[2]!) as DriveOptions;
const experiments = await loadExperiments(fileURLToPath(new URL(options.declarations ?? 'experiments', import.meta.url)), options);
const [stop, kill] = [new AbortController(), new AbortController()];
process.on('SIGINT', () => (stop.signal.aborted ? kill : stop).abort());
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const summary = await runPlan({
  ...options,
  plan: buildPlan(experiments),
  kinds: experiments.study.kinds,
  store: openStore(options.store, { warn: message => void process.stderr.write(`Warning: ${message}\n`), ...(options.lease !== undefined && { lease: options.lease }) }),
  executor: createExecutor(parseDevices(options.devices, undefined, () => options.cardMemory)),
  experiments: experiments.dir,
  dataDir: resolve(options.store, 'data'),
  poll: 50,
  stop: stop.signal,
  kill: kill.signal,
  onEvent: print,
});
print({ type: 'summary', ...summary });
