/** Where the stages of a sweep run: on this machine, or as jobs of a cluster. */
import { resolve } from 'node:path';
import type { SlurmOptions } from '../../core/ablation/slurm.ts';
import type { PlannedExperiments, PlannedStage } from '../../core/plan/plan.ts';
import type { Place } from '../../core/runner/devices.ts';
import type { RunSummary } from '../../core/runner/events.ts';
import { createExecutor } from '../../core/runner/executors/create.ts';
import { runPlan, type RunOptions } from '../../core/runner/run.ts';
import { MOST_JOBS, sweepOnSlurm } from '../../core/slurm/sweep.ts';
import type { Store } from '../../core/store/store.ts';
import { plural } from '../../core/text/format.ts';
import { dataDir } from '../../setup/cache.ts';
import { giveLoaders } from '../../setup/data.ts';
import { checkpointMilliseconds, requireRunnable } from '../options/requirements.ts';
import { settingFor } from '../options/setting.ts';
import { slurmSweepOptions, type Told, type WorkerOptions } from './slurm.ts';

export interface Site {
  /** `cpu:2x1 (2 workers)`. */
  readonly where: string;
  /** At most at once. */
  readonly workers: number;
  run(told: Told): Promise<RunSummary>;
}

export interface SiteOptions extends WorkerOptions {
  readonly devices?: string | undefined;
}

export interface Sweep {
  readonly chosen: PlannedExperiments;
  readonly store: Store;
  /** By key of the stage: the file that it starts from. */
  readonly inputFiles: ReadonlyMap<string, string>;
}

/** @throws UsageError where these devices cannot run the stages, SetupError where there is no such device */
export async function siteHere(sweep: Sweep, toRun: readonly PlannedStage[], options: SiteOptions): Promise<Site> {
  const { engine, devices, places } = await settingFor(options.devices, sweep.chosen.study);
  giveLoaders(options.loaders, places);
  requireRunnable(sweep.chosen, toRun, places); // on this engine
  return {
    where: `${devices} (${plural(places.length, 'worker')}${engine === 'wasm' ? ' of WebAssembly' : ''})`,
    workers: places.length,
    run: told => runPlan({ ...runOptions(sweep, options), ...told, executor: createExecutor(places, { lends: engine !== 'wasm' }) }),
  };
}

/** Of a run by workers of this machine, whoever has started it. */
export function runOptions({ chosen: { plan, study, dir }, store, inputFiles }: Sweep, options: WorkerOptions): Omit<RunOptions, 'executor'> {
  return {
    plan,
    kinds: study.kinds,
    store,
    acceptEngineChange: options.acceptEngineChange === true,
    experiments: dir,
    dataDir: resolve(dataDir()),
    inputFiles,
    checkpointEvery: checkpointMilliseconds(options.checkpointEvery),
  };
}

/** @throws UsageError where such jobs cannot run the stages */
export function siteOnSlurm({ chosen, store }: Sweep, toRun: readonly PlannedStage[], options: SiteOptions, slurm: SlurmOptions): Site {
  const { gpus = 0, jobs = MOST_JOBS } = slurm;
  const gpu: Place = { name: 'gpu:0', device: 'gpu', threads: 1, gpu: 0 };
  requireRunnable(chosen, toRun, gpus > 0 ? [gpu] : []);
  return {
    where: `Slurm, at most ${plural(jobs, 'job')}${gpus > 0 ? ` of ${plural(gpus, 'GPU')}` : ''} at once`,
    workers: jobs * Math.max(1, gpus),
    run: told => sweepOnSlurm(slurmSweepOptions(chosen, store, options, { slurm, folder: process.cwd() }, false, told)),
  };
}
