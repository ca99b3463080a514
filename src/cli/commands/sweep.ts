/** `ablate sweep`: run what is missing, then write the report. */
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import type { SlurmOptions } from '../../core/ablation/slurm.ts';
import { stagesToRun } from '../../core/plan/needed.ts';
import { objectionSentence } from '../../core/plan/objections.ts';
import { refusals } from '../../core/runner/code-state.ts';
import { signalExitCode } from '../../core/runner/signals.ts';
import { submitOnce } from '../../core/slurm/sweep.ts';
import type { RunSummary } from '../../core/runner/events.ts';
import { openStore } from '../../core/store/store.ts';
import { createDisplay } from '../terminal/display.ts';
import { exploratoryLines } from '../terminal/plan-view.ts';
import { commandLine } from '../terminal/invocation.ts';
import { doubtsAbout, showPlan } from './plan.ts';
import { prepareReport } from '../report/scope.ts';
import { PartReports } from '../report/parts.ts';
import { writeFromStore } from '../report/write.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { pathOf } from '../options/paths.ts';
import { chooseReady, oneList, withData, withSelection, type OptionsOf } from '../options/selection.ts';
import { plural } from '../../core/text/format.ts';
import { heading, warn } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';
import { stopOnSignals } from '../terminal/signals.ts';
import { requireFiles, requireReady, requireRunnable } from '../options/requirements.ts';
import { slurmFrom, withSlurm } from '../options/slurm.ts';
import { rememberSweep } from '../sweep/remember.ts';
import { siteHere, siteOnSlurm, type Sweep } from '../sweep/site.ts';
import { slurmSweepOptions } from '../sweep/slurm.ts';

type SweepOptions = OptionsOf<typeof defineSweep>;

const defineSweep = (program: Command) =>
  withSlurm(
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
      .option('--dry-run', 'print the plan and do nothing'),
  );

export function registerSweep(program: Command): void {
  defineSweep(program).action(async options => {
    const chosen = await chooseReady(options);
    const slurm = slurmFrom(options, chosen.study.slurm);
    if (slurm !== undefined && options.devices !== undefined)
      throw new UsageError('BAD_OPTION', `--devices: expected none beside --executor slurm, where --gpus and --cpus say it, got '${options.devices}'`);
    if (options.dryRun === true) print(`${await showPlan(chosen, options)}\n`);
    else process.exitCode = await sweep(chosen, options, slurm);
  });
}

async function sweep(chosen: PlannedExperiments, options: SweepOptions, slurm: SlurmOptions | undefined): Promise<number> {
  const { plan, profile, dir } = chosen;
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
    rememberSweep(store, chosen);
    store.clearLeftovers();
    print(`Nothing to run: all ${plural(done.length, 'stage')} of profile ${profile.name} are done in ${options.store}/.\n`);
    await writeReport();
    return 0;
  }
  const isDone = new Set(done);
  const toRun = stagesToRun(plan, key => isDone.has(key)),
    job = { chosen, store, inputFiles };
  const site = slurm === undefined ? await siteHere(job, toRun, options) : siteOnSlurm(job, toRun, options, slurm);
  requireReady(chosen);
  rememberSweep(store, chosen);
  for (const doubt of doubts) warn(objectionSentence(doubt));
  print(`${heading(`Sweep of profile ${profile.name}`)}: ${plural(plan.stages.size, 'stage')}, ${done.length} done already, on ${site.where}\n`);
  for (const text of exploratoryLines(chosen)) print(`Seeds ${text}.\n`);
  for (const refused of refusals(dir)) warn(refused);
  if (slurm !== undefined && options.detach === true) return detach(job, options, slurm);
  const display = createDisplay(plan, done, site.workers);
  const say = (line: string): void => display.say(line);
  const interim = scope === undefined ? undefined : new PartReports(chosen, done, { store: options.store, reports: options.reports, say });
  const signals = stopOnSignals(say, { hangUpLeaves: slurm !== undefined });
  const began = performance.now();
  let summary: RunSummary;
  try {
    summary = await site.run({
      say,
      stop: signals.stop,
      kill: signals.kill,
      leave: signals.leave,
      onQueue: lines => display.queue(lines),
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

/** Hands in what is missing now; the workers hand in what is missing later. */
async function detach({ chosen, store }: Sweep, options: SweepOptions, slurm: SlurmOptions): Promise<number> {
  const say = (line: string): void => print(`${line}\n`);
  const jobs = await submitOnce(slurmSweepOptions(chosen, store, options, { slurm, folder: process.cwd() }, true, { say, onEvent: () => undefined }));
  print(
    `${plural(jobs, 'job is', 'jobs are')} in the queue or running; more are handed in by the workers as stages become ready.\nTo see how it comes on: ${commandLine(['status'])}; the same sweep without --detach watches it and writes the report.\n`,
  );
  return 0;
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
