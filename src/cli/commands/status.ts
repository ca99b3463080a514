/** `ablate status`: what is done, running, failed and left, how long the rest takes, and where to look; also beside a sweep. */
import type { Command } from '@commander-js/extra-typings';
import type { Study } from '../../core/ablation/declaration.ts';
import { defaultDevices, devicesOf, parseDevices, type Place } from '../../core/runner/devices.ts';
import { SetupError } from '../../setup/errors.ts';
import { settingFor, thisMachine, type Setting } from '../options/setting.ts';
import { settledSnapshot } from '../../core/inspect/settled-snapshot.ts';
import { devicesText } from '../../core/inspect/places.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { choose, oneList, withSelection } from '../options/selection.ts';
import { StoreWatcher, type Snapshot } from '../../core/inspect/snapshot.ts';
import { DoubtReader } from '../../core/inspect/doubts.ts';
import { StageSpeeds } from '../../core/inspect/speeds.ts';
import { statusJson, statusText, type StatusView } from '../terminal/status-view.ts';
import { JobsWatcher, type JobsNow } from '../../core/slurm/jobs-now.ts';
import { timeLeft } from '../../core/inspect/time-left.ts';
import { warn } from '../terminal/text.ts';
import { watch } from '../terminal/watch.ts';
import { pc } from '../terminal/colours.ts';
import { note, print } from '../terminal/output.ts';

const defineStatus = (program: Command) =>
  withSelection(program.command('status').description('show what is done, running, failed and left, how long the rest takes, and where logs are; also beside a sweep'))
    .option('--watch', 'look again every second until the sweep has ended: in place on a terminal, else a line for each change')
    .option('--devices <list>', 'what the time left is reckoned for while no sweep runs, as for sweep (default: all GPUs, else all cores)', oneList)
    .option('--json', 'as JSON; with --watch one line for each change');

export function registerStatus(program: Command): void {
  defineStatus(program).action(async options => {
    const chosen = await choose(options);
    const reader = new StatusReader(chosen, new StoreWatcher(options.store, chosen.plan, { warn }), options.store, await idleSetting(options.devices, chosen.study));
    if (options.watch === true) process.exitCode = await watch(reader, options.json === true);
    else print(`${options.json === true ? statusJson(await reader.settledView(), 2) : statusText(await reader.settledView())}\n`);
  });
}

/** How a sweep would run that does not run yet. Where none could, one can still look. */
async function idleSetting(devices: string | undefined, study: Study): Promise<Setting> {
  try {
    return await settingFor(devices, study);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const list = devices ?? defaultDevices([]);
    return { engine: 'tensorflow', devices: list, places: parseDevices(list), memoryOf: () => undefined };
  }
}

const sayWatching = (seconds: number): void => note(pc.dim(`Some heartbeats have stood still for a while; watching them for ${seconds} s.\n`));

/** Between questions to Slurm. */
const JOBS_MS = 5_000;

/** Looks, and reckons what is left. */
class StatusReader {
  readonly #chosen: PlannedExperiments;
  readonly #watcher: StoreWatcher;
  /** Its folder. */
  readonly #store: string;
  readonly #jobsWatcher = new JobsWatcher();
  #jobs: { readonly now: JobsNow; readonly time: number } | undefined;
  readonly #idle: readonly Place[];
  readonly #engine: Setting['engine'];
  readonly #memoryOf: Setting['memoryOf'];
  readonly #doubts: DoubtReader;
  #known: { readonly for: string; readonly speeds: StageSpeeds } | undefined;

  constructor(chosen: PlannedExperiments, watcher: StoreWatcher, store: string, { engine, places, memoryOf }: Setting) {
    this.#chosen = chosen;
    this.#watcher = watcher;
    this.#store = store;
    this.#idle = places;
    this.#engine = engine;
    this.#memoryOf = memoryOf;
    this.#doubts = new DoubtReader(chosen.study.kinds);
  }

  async view(snapshot = this.#watcher.snapshot()): Promise<StatusView> {
    const { plan, study, profile, overrides } = this.#chosen;
    const places = snapshot.runners.length > 0 ? this.#watcher.places(snapshot) : [];
    const used = places.length > 0 ? places : this.#idle;
    const speeds = this.#speeds(snapshot, used);
    const left =
      study.notRunnable?.(profile, devicesOf(used)) !== undefined
        ? { stages: new Map<string, number>() }
        : timeLeft({ plan, kinds: study.kinds, snapshot, places: parseDevices(devicesText(used), undefined, this.#memoryOf), duration: stage => speeds.duration(stage)?.seconds });
    return { plan, scale: [profile.name, ...overrides].join(', '), snapshot, left, doubts: this.#doubts.of(snapshot, this.#watcher.store), devices: devicesText(used), jobs: await this.#jobsNow() };
  }

  /** Slurm is asked every few seconds, however often one looks. */
  async #jobsNow(): Promise<JobsNow> {
    if (this.#jobs && performance.now() - this.#jobs.time < JOBS_MS) return this.#jobs.now;
    this.#jobs = { now: await this.#jobsWatcher.look(this.#store), time: performance.now() };
    return this.#jobs.now;
  }

  /** Never counts a stage as running whose process is gone, if that takes watching a heartbeat for a while. */
  async settledView(): Promise<StatusView> {
    return this.view(await settledSnapshot(this.#watcher, sayWatching));
  }

  /** What finished stages tell changes only when one finishes. */
  #speeds({ stages }: Snapshot, places: readonly Place[]): StageSpeeds {
    const name = `${stages.filter(s => s.state.state === 'done').length} ${places.map(p => `${p.name}x${p.threads}`).join()}`;
    if (this.#known?.for !== name) this.#known = { for: name, speeds: new StageSpeeds(this.#chosen, this.#watcher.store, places, thisMachine(this.#engine)) };
    return this.#known.speeds;
  }
}
