/** The selectors that plan, sweep, status and report share. */
import { Option, type Command } from 'commander';
import { loadExperiments } from '../../core/ablation/load.ts';
import { planExperiments, type PlannedExperiments } from '../../core/plan/plan.ts';
import { defaultExperiments, defaultProfile } from './defaults.ts';

export interface Selection {
  /** Absent: see `defaultProfile`. */
  readonly profile?: string | undefined;
  readonly only?: readonly string[];
  readonly seeds?: string;
  readonly set?: readonly string[];
  readonly teacherSeeds?: boolean;
  readonly store: string;
  readonly experiments: string;
}

const several = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

export function withSelection(command: Command): Command {
  return withFolders(command
    .option('--only <arms>', 'ablations or arms, e.g. relation or relation/qk-vv,relation/mae; may be given several times (default: all)', several)
    .option('--profile <profile>', 'the scale at which arms are realised (default: "mini", or the only one there is)')
    .option('--seeds <list>', 'seeds of the replicates, e.g. 0,1,2 (default: the profile\'s)')
    .option('--set <path=value>', 'change a field of the profile, e.g. distill.epochs=5; may be given several times', several)
    .option('--teacher-seeds', 'a teacher of its own for each replicate, so that intervals cover teachers, too: --set teacher_seed=replicate'));
}

export function withFolders(command: Command): Command {
  return command
    .option('--store <folder>', 'where runs are kept', 'runs')
    .addOption(new Option('--experiments <folder>', 'folder of declarations: study, ablations/, profiles/')
      .default(defaultExperiments(), 'this folder where it holds them, else those that come with ablate'));
}

/** @throws UsageError when a declaration or a selector is wrong */
export async function choose(selection: Selection): Promise<PlannedExperiments> {
  const { profile = defaultProfile(selection.experiments), only, seeds, set = [], teacherSeeds = false } = selection;
  return planExperiments(await loadExperiments(selection.experiments, {
    profile,
    ...(only === undefined ? {} : { only }),
    ...(seeds === undefined ? {} : { seeds }),
    sets: [...set, ...(teacherSeeds ? ['teacher_seed=replicate'] : [])],
  }));
}
