/** The selectors that plan, sweep, status and report share. */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { loadExperiments, type Experiments } from '../ablation/load.ts';
import { buildPlan, type Plan } from '../plan/plan.ts';

export interface Selection {
  readonly profile: string;
  readonly only?: string;
  readonly seeds?: string;
  readonly store: string;
  readonly experiments: string;
}

const OWN_EXPERIMENTS = fileURLToPath(new URL('../../experiments', import.meta.url));

export function withSelection(command: Command): Command {
  return command
    .option('--only <list>', 'ablations or arms, e.g. relation or relation/qk-vv,relation/mae (default: all)')
    .option('--profile <name>', 'the scale at which arms are realised', 'mini')
    .option('--seeds <list>', 'seeds of the replicates, e.g. 0,1,2 (default: the profile\'s)')
    .option('--store <folder>', 'where runs are kept', 'runs')
    .option('--experiments <folder>', 'folder of declarations: study, ablations/, profiles/', OWN_EXPERIMENTS);
}

export interface Chosen extends Experiments {
  readonly plan: Plan;
}

/** @throws UsageError when a declaration or a selector is wrong */
export async function choose(selection: Selection): Promise<Chosen> {
  const { profile, only, seeds } = selection;
  const experiments = await loadExperiments(selection.experiments, {
    profile,
    ...(only === undefined ? {} : { only }),
    ...(seeds === undefined ? {} : { seeds }),
  });
  return { ...experiments, plan: buildPlan(experiments) };
}
