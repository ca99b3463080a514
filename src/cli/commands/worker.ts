/** `ablate worker`: takes stage after stage of a sweep that others work on, too, as long as there is work and time. */
import { Option, type Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { stagesToRun } from '../../core/plan/needed.ts';
import type { Place } from '../../core/runner/devices.ts';
import type { RunEvent } from '../../core/runner/events.ts';
import { createExecutor } from '../../core/runner/executors/create.ts';
import { Round } from '../../core/runner/round.ts';
import { runPlan, type Share } from '../../core/runner/run.ts';
import { signalExitCode } from '../../core/runner/signals.ts';
import { allocationOf, type Allocation } from '../../core/slurm/allocation.ts';
import { allocationFor } from '../../core/slurm/needs.ts';
import { submitOnce } from '../../core/slurm/sweep.ts';
import { readJobs, type JobRecord } from '../../core/store/jobs.ts';
import { openStore } from '../../core/store/store.ts';
import { plural } from '../../core/text/format.ts';
import { giveLoaders } from '../../setup/data.ts';
import { requireFiles, requireReady, requireRunnable } from '../options/requirements.ts';
import { chooseReady, oneList, withData, withSelection, type OptionsOf } from '../options/selection.ts';
import { settingFor } from '../options/setting.ts';
import { rememberSweep } from '../sweep/remember.ts';
import { runOptions, type Sweep } from '../sweep/site.ts';
import { detachedFrom, slurmSweepOptions } from '../sweep/slurm.ts';
import { createDisplay } from '../terminal/display.ts';
import { print } from '../terminal/output.ts';
import { stopOnSignals } from '../terminal/signals.ts';
import { heading, warn } from '../terminal/text.ts';

type WorkerCommandOptions = OptionsOf<typeof defineWorker>;

const defineWorker = (program: Command) =>
  withData(
    withSelection(
      program
        .command('worker')
        .description(
          'work on a sweep beside others, in an allocation of a cluster or anywhere that sees the store: stage after stage, until nothing is left, the time is over, or there was nothing to do for a while',
        ),
    ),
  )
    .option('--devices <list>', "where its workers run, as for sweep (default: the allocation's GPUs, else its CPUs; outside of one as for sweep)", oneList)
    .option('--loaders <threads>', 'threads of each worker that decode images of folders and augment them (default: the cores that training leaves)')
    .option('--checkpoint-every <seconds>', 'time between checkpoints of a stage', '30')
    .option('--accept-engine-change', 'continue checkpoints written on another engine, library or CPU (refused by default: the numbers may differ)')
    .option('--idle <seconds>', 'leave after so long without a stage to work on; to see that a crashed node has left one takes 30', '60')
    .option('--workers <n>', 'how many work on the sweep together, so that stages are shared out among them', '1')
    .addOption(new Option('--round <name>', 'within which failures are counted').hideHelp())
    .addOption(new Option('--by-estimate', 'leave stages to others that by estimate need more memory than the allocation has').hideHelp())
    .addOption(new Option('--hand-in <json>', 'hand in jobs for what becomes ready').hideHelp());

export function registerWorker(program: Command): void {
  defineWorker(program).action(async options => {
    process.exitCode = await work(options);
  });
}

/** Leaves so long before the time of its allocation is over. */
const LEAVE_BEFORE_MS = 90_000;
/** Between looks at stages that others work on: a shared folder is asked. */
const POLL_MS = 2_000;

async function work(options: WorkerCommandOptions): Promise<number> {
  const chosen = await chooseReady(options);
  const { plan, profile } = chosen;
  requireRunnable(chosen);
  const job: Sweep = { chosen, store: openStore(options.store, { warn }), inputFiles: requireFiles(chosen, options.store) };
  const { store } = job;
  const done = [...plan.stages.keys()].filter(key => store.doneAttempt(key) !== undefined);
  const isDone = new Set(done),
    toRun = stagesToRun(plan, key => isDone.has(key));
  const idle = secondsOf('--idle', options.idle) * 1000;
  const allocation = allocationOf(process.env);
  const { engine, devices, places } = await settingFor(options.devices ?? allocation.devices, chosen.study);
  giveLoaders(options.loaders, places);
  requireRunnable(chosen, toRun, places);
  requireReady(chosen);
  rememberSweep(store, chosen);
  print(`${heading(`Worker of profile ${profile.name}`)}: ${plural(toRun.length, 'stage')} to do, on ${devices}${allocationText(allocation)}\n`);
  const display = createDisplay(plan, done, places.length);
  const say = (line: string): void => display.say(line);
  const signals = stopOnSignals(say);
  const ending = new Ending(idle, allocation.end, say);
  const handIn = handsIn(job, options, say);
  let began = false;
  try {
    await runPlan({
      ...runOptions(job, options),
      executor: createExecutor(places, { lends: engine !== 'wasm', ...(allocation.memory !== undefined && { memory: allocation.memory }) }),
      share: shareOf(job, options, allocation, places),
      poll: POLL_MS,
      stop: AbortSignal.any([signals.stop, ending.signal]),
      kill: signals.kill,
      onEvent: event => {
        display.event(event);
        ending.heard(event);
        if (event.type === 'finished') void handIn();
        if (event.type === 'started') began = true;
      },
    });
  } finally {
    ending.close();
    display.close();
    signals.release();
  }
  const { first } = signals;
  // Whoever cancels a job wants no other in its place.
  const warned = first === 'SIGUSR2' || ending.isTimeOver;
  if (first === undefined || warned) await handIn(allocation.job);
  const left = stagesToRun(plan, key => store.doneAttempt(key) !== undefined).length;
  print(`${left === 0 ? `All ${plural(plan.stages.size, 'stage')} of profile ${profile.name} are done` : `${plural(left, 'stage')} left`}; this worker leaves.\n`);
  if (warned && !began && left > 0) {
    warn('The time of this allocation was over before a stage could begin: ask for more (--time).');
    return 1;
  }
  // A worker that was warned, or found nothing to do, has done its part. What became of stages stands in the store.
  return first === undefined || warned ? 0 : signalExitCode(first);
}

function shareOf({ chosen: { study, plan }, store }: Sweep, options: WorkerCommandOptions, { job, node, memory }: Allocation, places: readonly Place[]): Share {
  const name = options.round ?? process.env['SLURM_ARRAY_JOB_ID'] ?? job ?? `process-${process.pid}`;
  let jobs = new Map<string, JobRecord>();
  const round = new Round(store, {
    name,
    ...(options.byEstimate === true && { estimate: key => allocationFor(study.kinds, plan, key, places.length) }),
    ranOutOfMemory: id => {
      jobs = new Map(readJobs(store.dir, 'ablate-', jobs).map(known => [known.name, known]));
      return [...jobs.values()].some(known => known.id === id && known.over?.state === 'OUT_OF_MEMORY');
    },
  });
  const facts = { ...(job !== undefined && { job }), ...(node !== undefined && { node }), ...(memory !== undefined && { memory }) };
  return { round, places: Math.max(places.length, secondsOf('--workers', options.workers)), facts };
}

/** Where nobody watches the sweep, workers hand in what is missing: one call after the other. @returns takes the id of a job that takes no more work */
function handsIn({ chosen, store }: Sweep, options: WorkerCommandOptions, say: (line: string) => void): (leaving?: string) => Promise<void> {
  if (options.handIn === undefined) return () => Promise.resolve();
  const slurm = slurmSweepOptions(chosen, store, options, detachedFrom(options.handIn), true, { say, onEvent: () => undefined });
  let last = Promise.resolve();
  let waiting = false;
  return leaving => {
    if (waiting && leaving === undefined) return last; // for a look that has not begun
    waiting = true;
    last = last.then(async () => {
      waiting = false;
      await submitOnce(slurm, leaving).catch((error: unknown) => say(`No more jobs are handed in from here: ${error instanceof Error ? error.message : String(error)}`));
    });
    return last;
  };
}

/** Ends the work of one that has nothing to do, or whose time is over. */
class Ending {
  readonly #stop = new AbortController();
  readonly #timers: NodeJS.Timeout[];
  #idleSince: number | undefined = performance.now();
  #timeOver = false;

  constructor(idle: number, end: number | undefined, say: (line: string) => void) {
    const stop = (why: string): void => {
      if (this.#stop.signal.aborted) return;
      say(`${why}: leaving.`);
      this.#stop.abort();
    };
    this.#timers = [
      setInterval(() => {
        if (this.#idleSince !== undefined && performance.now() - this.#idleSince > idle) stop(`Nothing to work on for ${idle / 1000} s`);
        this.#timeOver ||= end !== undefined && Date.now() > end - LEAVE_BEFORE_MS;
        if (this.#timeOver) stop('The time of this allocation is nearly over');
      }, 500),
    ];
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isTimeOver(): boolean {
    return this.#timeOver;
  }

  heard({ counts: { running } }: RunEvent): void {
    this.#idleSince = running > 0 ? undefined : (this.#idleSince ?? performance.now());
  }

  close(): void {
    this.#timers.forEach(clearInterval);
  }
}

function secondsOf(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError('BAD_OPTION', `${option}: expected a number above 0, got '${text}'`);
  return value;
}

const allocationText = ({ job, node }: Allocation): string => (job === undefined ? '' : `, job ${job}${node === undefined ? '' : ` on ${node}`}`);
