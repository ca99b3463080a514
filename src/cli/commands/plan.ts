/** `ablate plan`: what the chosen ablations need, what of it is there, and what the rest will take. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import pc from 'picocolors';
import { UsageError } from '../../core/ablation/errors.ts';
import type { Outcome } from '../../core/runner/measure.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { settingFor, type Setting } from '../engine.ts';
import { forecast, stillToRun } from '../../core/inspect/forecast.ts';
import { planJson, planText, type PlanView } from '../terminal/plan-view.ts';
import { choose, withSelection, type Chosen, type Selection } from '../selection.ts';
import { Speeds } from '../../core/inspect/speeds.ts';
import { readStates } from '../../core/inspect/states.ts';
import { count, duration, plural } from '../terminal/text.ts';

export interface PlanOptions extends Selection {
  readonly devices?: string;
  readonly measure?: boolean;
  readonly stages?: boolean;
  readonly json?: boolean;
}

export function registerPlan(program: Command): void {
  withSelection(program.command('plan').description('show the stages that the chosen ablations need: shared, done, still to run, and what they will take'))
    .option('--devices <list>', 'where workers would run, as for sweep (default: all GPUs, else all cores)')
    .option('--measure', 'first run a few steps of each stage shape whose speed is not known yet')
    .option('--stages', 'list every stage')
    .option('--json', 'as JSON')
    .action(async (options: PlanOptions) => {
      const chosen = await choose(options);
      process.stdout.write(`${await showPlan(chosen, options)}\n`);
    });
}

/** The plan as text, or as JSON where that is asked for. */
export async function showPlan(chosen: Chosen, options: PlanOptions): Promise<string> {
  const view = await viewOf(chosen, options, await settingFor(options.devices));
  return options.json === true ? planJson(view) : planText(view, options.stages === true);
}

async function viewOf(chosen: Chosen, { store, measure }: PlanOptions, { engine, devices, places }: Setting): Promise<PlanView> {
  const states = readStates(store, chosen.plan);
  const speeds = new Speeds(chosen, existsSync(store) ? openStoreReadOnly(store) : undefined, places, engine);
  const known = measure === true ? await measureMissing(chosen, speeds, stillToRun(chosen, states), devices) : speeds;
  return { chosen, states, devices, forecast: await forecast(chosen, states, store, known, places) };
}

async function measureMissing({ study, profile }: Chosen, speeds: Speeds, stages: ReturnType<typeof stillToRun>, devices: string): Promise<Speeds> {
  const reason = study.notRunnable?.(profile);
  if (reason !== undefined) throw new UsageError('NOT_RUNNABLE', `--measure: profile ${profile.name} cannot run here: ${reason}`);
  const missing = [...speeds.unmeasured(stages).values()].reduce((sum, list) => sum + list.length, 0);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  if (missing > 0) say(pc.dim(`Measuring ${plural(missing, 'stage shape')} on ${devices}, a few steps of each.`));
  let n = 0;
  return speeds.measure(stages, outcome => say(pc.dim(`  ${++n}/${missing}  `) + outcomeText(outcome)));
}

function outcomeText(outcome: Outcome): string {
  const { stage, place } = outcome;
  const user = stage.users[0]!;
  const head = `${stage.kind} of ${user.ablation}/${user.arm} on ${place.name}`;
  if ('failure' in outcome) return `${head}  ${pc.red('failed')} ${outcome.failure}`;
  const { perSecond, start, process: first } = outcome.measurement;
  const images = stage.cost.labelledImages + stage.cost.unlabelledImages;
  return `${head}  ${images > 0 ? `${count(perSecond)} images/s` : duration(stage.cost.flops / perSecond)}, start ${start.toFixed(1)} s, of a new worker ${(start + (first ?? 0)).toFixed(1)} s`;
}
