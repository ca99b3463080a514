/** `ablate sweep`: run what is missing, then write the report. */
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import { obstacles } from '../../core/inspect/obstacles.ts';
import { stagesToRun } from '../../core/plan/needed.ts';
import { objectionSentence } from '../../core/plan/objections.ts';
import { refusals } from '../../core/runner/code-state.ts';
import type { Place } from '../../core/runner/devices.ts';
import type { RunSummary } from '../../core/runner/events.ts';
import { createExecutor } from '../../core/runner/executors/create.ts';
import { runPlan } from '../../core/runner/run.ts';
import { LEAVING, signalExitCode, type LeavingSignal } from '../../core/runner/signals.ts';
import { dataDir } from '../../setup/cache.ts';
import { giveLoaders } from '../../setup/data.ts';
import { StoreError } from '../../core/store/errors.ts';
import { openStore, openStoreIfThere, type Store } from '../../core/store/store.ts';
import { createDisplay } from '../terminal/display.ts';
import { exploratoryLines } from '../terminal/plan-view.ts';
import { settingFor } from '../options/setting.ts';
import { commandLine } from '../terminal/invocation.ts';
import { missingFileTexts } from '../terminal/missing-file.ts';
import { doubtsAbout, showPlan } from './plan.ts';
import { prepareReport } from '../report/scope.ts';
import { PartReports } from '../report/parts.ts';
import { writeFromStore } from '../report/write.ts';
import { filesOf } from '../../core/plan/files.ts';
import type { PlannedExperiments, PlannedStage } from '../../core/plan/plan.ts';
import { pathOf } from '../options/paths.ts';
import { chooseReady, oneList, withData, withSelection, type OptionsOf } from '../options/selection.ts';
import { plural } from '../../core/text/format.ts';
import { heading, warn } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

type SweepOptions = OptionsOf<typeof defineSweep>;

const defineSweep = (program: Command) =>
  withData(withSelection(program.command('sweep').description('run the stages that are missing, then write the report; stop it as you like and run it again')))
    .option(
      '--devices <list>',
      'where workers run: cpu:2x1 (two workers of one thread each), gpu:0,1, gpu:0x2 (two on one GPU), inline (this process, for a debugger) (default: all GPUs, else all cores)',
      oneList,
    )
    .option('--loaders <threads>', 'threads of each worker that decode images of folders and augment them (default: the cores that training leaves)')
    .option('--checkpoint-every <seconds>', 'time between checkpoints of a stage', '30')
    .option('--reports <folder>', 'where the report is written', pathOf('--reports'), 'reports')
    .option('--no-report', 'only run the stages')
    .option('--accept-engine-change', 'continue checkpoints written on another engine, library or CPU (refused by default: the numbers may differ)')
    .option('--dry-run', 'print the plan and do nothing');

export function registerSweep(program: Command): void {
  defineSweep(program).action(async options => {
    const chosen = await chooseReady(options);
    if (options.dryRun === true) print(`${await showPlan(chosen, options)}\n`);
    else process.exitCode = await sweep(chosen, options);
  });
}

async function sweep(chosen: PlannedExperiments, options: SweepOptions): Promise<number> {
  const { plan, profile, dir, study } = chosen;
  const doubts = doubtsAbout(chosen);
  requireRunnable(chosen);
  const inputFiles = requireFiles(chosen, options.store);
  const scope = options.report ? await prepareReport(chosen, options.reports) : undefined;
  const writeReport = async (): Promise<void> => {
    if (scope !== undefined) await writeFromStore(scope, { store: options.store, prefer: 'report', seeds: chosen.seeds });
  };
  const store = openStore(options.store, { warn });
  const done = [...plan.stages.keys()].filter(key => store.doneAttempt(key) !== undefined);
  if (done.length === plan.stages.size) {
    remember(store, chosen);
    store.clearLeftovers();
    print(`Nothing to run: all ${plural(done.length, 'stage')} of profile ${profile.name} are done in ${options.store}/.\n`);
    await writeReport();
    return 0;
  }
  const { engine, devices, places } = await settingFor(options.devices, study);
  const isDone = new Set(done);
  const toRun = stagesToRun(plan, key => isDone.has(key));
  giveLoaders(options.loaders, places);
  requireRunnable(chosen, toRun, places); // on this engine
  requireReady(chosen);
  remember(store, chosen);
  for (const doubt of doubts) warn(objectionSentence(doubt));
  print(
    `${heading(`Sweep of profile ${profile.name}`)}: ${plural(plan.stages.size, 'stage')}, ${done.length} done already, on ${devices} (${plural(places.length, 'worker')}${engine === 'wasm' ? ' of WebAssembly' : ''})\n`,
  );
  for (const text of exploratoryLines(chosen)) print(`Seeds ${text}.\n`);
  for (const refused of refusals(dir)) warn(refused);
  const display = createDisplay(plan, done, places.length);
  const interim = scope === undefined ? undefined : new PartReports(chosen, done, { store: options.store, reports: options.reports, say: line => display.say(line) });
  const signals = stopOnSignals(line => display.say(line));
  const began = performance.now();
  let summary: RunSummary;
  try {
    summary = await runPlan({
      plan,
      kinds: study.kinds,
      store,
      executor: createExecutor(places, { lends: engine !== 'wasm' }),
      acceptEngineChange: options.acceptEngineChange === true,
      experiments: dir,
      dataDir: resolve(dataDir()),
      inputFiles,
      stop: signals.stop,
      kill: signals.kill,
      checkpointEvery: seconds(options.checkpointEvery) * 1000,
      onEvent: event => {
        display.event(event);
        if (event.type === 'finished' || event.type === 'reused') interim?.finished(event.key);
      },
    });
  } finally {
    await interim?.settled();
    display.close();
    signals.release();
  }
  print(`\n${summaryText(summary, (performance.now() - began) / 1000)}\n`);
  if (signals.first !== undefined) return signalExitCode(signals.first);
  await writeReport();
  const { failed, blocked, interrupted, left } = summary;
  return failed.length + blocked.length + interrupted.length + left.length > 0 ? 1 : 0;
}

/** Before anything is spent. @param places of workers, as far as they are known */
function requireRunnable(chosen: PlannedExperiments, stages: readonly PlannedStage[] = [], places: readonly Place[] = []): void {
  const reasons = obstacles(chosen, stages, places),
    { name } = chosen.profile;
  if (reasons.length > 0) throw new UsageError('NOT_RUNNABLE', `Profile ${name} cannot run here: ${reasons.join('\n')}. See its plan with ablate plan --profile ${name}.`);
}

/** Else every stage would fail of it. */
function requireReady({ study, profile }: PlannedExperiments): void {
  const missing = study.notReady?.(profile, resolve(dataDir()));
  if (missing !== undefined) throw new UsageError('NOT_READY', `${missing.what}.\nTo mend it: ${commandLine(missing.mend)}`);
}

/** Before anything is spent on stages that others need beside them. @returns where the files lie, by key of the stage */
function requireFiles(chosen: PlannedExperiments, store: string): Map<string, string> {
  const all = filesOf(chosen, chosen.plan.stages.values(), () => resolve(dataDir()));
  const lying = new Map(all.flatMap(({ stage, file: { path } }) => (path === undefined ? [] : [[stage.key, path] as const])));
  const absent = all.filter(({ file }) => file.missing);
  if (absent.length === 0) return lying;
  const reader = openStoreIfThere(store);
  const toRun = new Set(stagesToRun(chosen.plan, key => reader?.doneAttempt(key) !== undefined));
  const missing = absent.filter(({ stage }) => toRun.has(stage));
  if (missing.length > 0)
    throw new UsageError(
      'MISSING_FILE',
      missingFileTexts(chosen.plan, missing)
        .map(text => `Missing: ${text}`)
        .join('\n'),
    );
  return lying;
}

/** For `explain`. A store that takes no record may still hold all that is asked for. */
function remember(store: Store, { study, plan, profile, overrides, seeds }: PlannedExperiments): void {
  try {
    store.recordSweep({ study: study.name, profile: profile.name, overrides, seeds, arms: plan.arms.map(({ ablation, arm, seed, stages }) => ({ ablation, arm, seed, stages })) });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn(`${error.message} What this sweep planned is not recorded.`);
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError('BAD_OPTION', `--checkpoint-every: expected seconds above 0, got '${text}'`);
  return value;
}

interface Stopping {
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** The signal that stopped it, if one did. */
  readonly first: LeavingSignal | undefined;
  release(): void;
}

/** Any of them once: checkpoint and stop. Ctrl-C or TERM again: end the workers at once; a terminal that hangs up may say so twice. */
function stopOnSignals(say: (line: string) => void): Stopping {
  const stop = new AbortController(),
    kill = new AbortController();
  const signals: readonly LeavingSignal[] = ['SIGINT', ...LEAVING];
  let first: LeavingSignal | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = signals.find(name => name === signal);
      say(pc.yellow('Stopping: the workers write their checkpoints. Press Ctrl-C again to end them at once.'));
      stop.abort();
    } else if (signal === 'SIGINT' || signal === 'SIGTERM') kill.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    get first() {
      return first;
    },
    release: () => signals.forEach(signal => process.off(signal, onSignal)),
  };
}

function summaryText({ done, reused, failed, blocked, interrupted, left }: RunSummary, elapsed: number): string {
  const parts = [
    `${plural(done.length, 'stage')} done in ${Math.round(elapsed)} s`,
    ...(reused.length > 0 ? [`${reused.length} reused`] : []),
    ...(failed.length > 0 ? [pc.red(`${failed.length} failed`)] : []),
    ...(blocked.length > 0 ? [pc.red(`${blocked.length} blocked`)] : []),
    ...(interrupted.length + left.length > 0 ? [pc.yellow(`${interrupted.length + left.length} left; run the same command again to continue`)] : []),
  ];
  return parts.join(', ');
}
