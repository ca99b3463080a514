/** `ablate plan`: what the chosen ablations need, what of it is there, and what the rest will take. */
import { resolve } from 'node:path';
import type { Command } from '@commander-js/extra-typings';
import { AblateError, UsageError } from '../../core/ablation/errors.ts';
import { doubtsOf, objectionsTo, refuseImpossible, type PlanObjection } from '../../core/plan/objections.ts';
import type { Outcome } from '../../core/runner/measure.ts';
import { filesOf } from '../../core/plan/files.ts';
import { openStoreIfThere } from '../../core/store/store.ts';
import { cacheDir, dataDir, freeBytes, prepareFolder } from '../../setup/cache.ts';
import { settingFor, thisMachine, type Setting } from '../options/setting.ts';
import { forecast, stillToRun } from '../../core/inspect/forecast.ts';
import { forecastPower, type PowerForecast } from '../../core/inspect/detectable.ts';
import { obstacles } from '../../core/inspect/obstacles.ts';
import { planJson, planText, type PlanView } from '../terminal/plan-view.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { reportFolder } from '../../core/report/folder.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { commandLine } from '../terminal/invocation.ts';
import { pathOf } from '../options/paths.ts';
import { chooseReady, oneList, withData, withSelection, type OptionsOf } from '../options/selection.ts';
import { StageSpeeds } from '../../core/inspect/speeds.ts';
import { readStates } from '../../core/inspect/states.ts';
import { formatCount, plural } from '../../core/text/format.ts';
import { duration, warn } from '../terminal/text.ts';
import { pc } from '../terminal/colours.ts';
import { note, print } from '../terminal/output.ts';

export type PlanOptions = OptionsOf<typeof definePlan>;

const definePlan = (program: Command) =>
  withData(withSelection(program.command('plan').description('show the stages that the chosen ablations need: shared, done, still to run, and what they will take')))
    .option('--devices <list>', 'where workers would run, as for sweep (default: all GPUs, else all cores)', oneList)
    .option('--measure', 'first run a few steps of each stage shape whose speed is not known yet')
    .option('--stages', 'list every stage')
    .option('--reports <folder>', 'where earlier reports are: from them it says which difference the declared seeds can show', pathOf('--reports'), 'reports')
    .option('--json', 'as JSON');

export function registerPlan(program: Command): void {
  definePlan(program).action(async options => {
    const chosen = await chooseReady(options);
    print(`${await showPlan(chosen, options)}\n`);
  });
}

/** The plan as text, or as JSON where that is asked for. */
export async function showPlan(chosen: PlannedExperiments, options: PlanOptions): Promise<string> {
  const view = await viewOf(chosen, options, await settingFor(options.devices, chosen.study));
  return options.json === true ? planJson(view) : planText(view, options.stages === true);
}

async function viewOf(chosen: PlannedExperiments, { store, measure, reports }: PlanOptions, { engine, devices, places }: Setting): Promise<PlanView> {
  const doubts = doubtsAbout(chosen);
  const reader = openStoreIfThere(store, { warn });
  const states = readStates(reader, chosen.plan);
  const speeds = new StageSpeeds(chosen, reader, places, thisMachine(engine));
  const toRun = stillToRun(chosen, states),
    files = filesOf(chosen, toRun, () => resolve(dataDir())),
    noFile = new Set(files.flatMap(({ stage, file }) => (file.missing ? [stage.key] : [])));
  const known =
    measure === true
      ? await measureMissing(
          chosen,
          speeds,
          toRun.filter(({ key }) => !noFile.has(key)),
          { devices, places },
        )
      : speeds;
  const missing = chosen.study.notReady?.(chosen.profile, resolve(dataDir()));
  const notReady = missing && `${missing.what}. To mend it: ${commandLine(missing.mend)}`;
  const power = powerOf(chosen, reports, reader);
  return { chosen, states, devices, doubts, files, power, forecast: forecast(chosen, states, { speeds: known, places, free: await freeBytes(store), notReady }) };
}

/** A report that is damaged is no reason not to plan. */
function powerOf(chosen: PlannedExperiments, reports: string, store: StoreReader | undefined): PowerForecast | undefined {
  const reportDir = reportFolder(reports, chosen.profile.name, chosen.overrides);
  try {
    return forecastPower(chosen, { reportDir, store });
  } catch (error) {
    if (!(error instanceof AblateError)) throw error;
    warn(`${reportDir} does not tell how far seeds spread: ${error.message}`);
    return undefined;
  }
}

/** @throws UsageError `BAD_RECIPE` when stages of the plan are impossible */
export function doubtsAbout({ study, plan }: PlannedExperiments): PlanObjection[] {
  const objections = objectionsTo(study.kinds, plan);
  refuseImpossible(objections);
  return doubtsOf(objections);
}

async function measureMissing(chosen: PlannedExperiments, speeds: StageSpeeds, stages: ReturnType<typeof stillToRun>, { devices, places }: Pick<Setting, 'devices' | 'places'>): Promise<StageSpeeds> {
  const reasons = obstacles(chosen, stages, places);
  if (reasons.length > 0) throw new UsageError('NOT_RUNNABLE', `--measure: profile ${chosen.profile.name} cannot run here: ${reasons.join('\n')}`);
  const missing = [...speeds.unmeasured(stages).values()].reduce((sum, list) => sum + list.length, 0);
  const say = (line: string): void => note(`${line}\n`);
  if (missing > 0) say(pc.dim(`Measuring ${plural(missing, 'stage shape')} on ${devices}, a few steps of each.`));
  await prepareFolder(cacheDir(), 0); // for what is measured
  let n = 0;
  return speeds.measure(stages, outcome => {
    if ('failure' in outcome) process.exitCode = 1;
    say(pc.dim(`  ${++n}/${missing}  `) + outcomeText(outcome));
  });
}

function outcomeText(outcome: Outcome): string {
  const { stage, place } = outcome;
  const user = stage.users[0]!;
  const head = `${stage.kind} of ${user.ablation}/${user.arm} on ${place.name}`;
  if ('failure' in outcome) return `${head}  ${pc.red('failed')} ${outcome.failure}`;
  const { perSecond, start, process: first } = outcome.measurement;
  const images = stage.cost.labelledImages + stage.cost.unlabelledImages;
  return `${head}  ${images > 0 ? `${formatCount(perSecond)} images/s` : duration(stage.cost.flops / perSecond)}, start ${start.toFixed(1)} s, of a new worker ${(start + (first ?? 0)).toFixed(1)} s`;
}
