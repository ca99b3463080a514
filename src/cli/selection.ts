/** The selectors that plan, sweep, status and report share. */
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { loadExperiments, type Experiments } from '../ablation/load.ts';
import { buildPlan, type Plan } from '../plan/plan.ts';

export interface Selection {
  readonly profile: string;
  readonly only?: readonly string[];
  readonly seeds?: string;
  readonly set?: readonly string[];
  readonly teacherSeeds?: boolean;
  readonly store: string;
  readonly experiments: string;
}

const OWN_EXPERIMENTS = fileURLToPath(new URL('../../experiments', import.meta.url));

const several = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

export function withSelection(command: Command): Command {
  return withFolders(command
    .option('--only <list>', 'ablations or arms, e.g. relation or relation/qk-vv,relation/mae; may be given several times (default: all)', several)
    .option('--profile <name>', 'the scale at which arms are realised', 'mini')
    .option('--seeds <list>', 'seeds of the replicates, e.g. 0,1,2 (default: the profile\'s)')
    .option('--set <path=value>', 'change a field of the profile, e.g. distill.epochs=5; may be given several times', several)
    .option('--teacher-seeds', 'a teacher of its own for each replicate, so that intervals cover teachers, too: --set teacher_seed=replicate'));
}

export function withFolders(command: Command): Command {
  return command
    .option('--store <folder>', 'where runs are kept', 'runs')
    .option('--experiments <folder>', 'folder of declarations: study, ablations/, profiles/', OWN_EXPERIMENTS);
}

export interface Chosen extends Experiments {
  readonly plan: Plan;
}

/** @throws UsageError when a declaration or a selector is wrong */
export async function choose(selection: Selection): Promise<Chosen> {
  const { profile, only, seeds, set = [], teacherSeeds = false } = selection;
  const experiments = await loadExperiments(selection.experiments, {
    profile,
    ...(only === undefined ? {} : { only }),
    ...(seeds === undefined ? {} : { seeds }),
    sets: [...set, ...(teacherSeeds ? ['teacher_seed=replicate'] : [])],
  });
  return { ...experiments, plan: buildPlan(experiments) };
}
