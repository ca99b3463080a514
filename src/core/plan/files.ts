/** Files that stages of a plan start from, and what waits for those that are not there. */
import type { InputFile, StageSpec } from '../ablation/declaration.ts';
import type { StageCost } from '../ablation/kind.ts';
import type { Plan, PlannedExperiments, PlannedStage } from './plan.ts';

export interface PlannedFile {
  readonly stage: PlannedStage;
  readonly file: InputFile;
  /** Making the same kind of thing here. */
  readonly instead?: {
    /** What is given to `--set` for it. */
    readonly set: string;
    readonly cost: StageCost;
    /** Of one device, where the profile states its speed. */
    readonly stated?: { readonly hours: number; readonly device: string };
  };
}

/** Of these stages. @param dataDir gives the folder of prepared data sets */
export function filesOf(experiments: Pick<PlannedExperiments, 'study' | 'profile' | 'dir'>, stages: Iterable<PlannedStage>, dataDir: () => string): PlannedFile[] {
  const { study, profile, dir } = experiments;
  return [...stages].flatMap(stage => {
    const file = study.inputFile?.(stage, profile, { declarations: dir, dataDir });
    if (file === undefined) return [];
    const { instead } = file;
    return [{ stage, file, ...(instead && { instead: { set: instead.set, ...costOf(experiments, instead.stage) } }) }];
  });
}

function costOf({ study, profile }: Pick<PlannedExperiments, 'study' | 'profile'>, { kind: name, recipe: given }: StageSpec): Omit<NonNullable<PlannedFile['instead']>, 'set'> {
  const kind = study.kinds.find(known => known.name === name)!;
  const recipe = kind.recipe.parse(given);
  const cost = kind.cost(recipe, {}),
    speed = study.statedThroughput?.(profile, recipe);
  return { cost, ...(speed && { stated: { hours: cost.flops / speed.flopsPerSecond / 3600, device: speed.device } }) };
}

/** Keys of the stages that cannot run before a file is there: those that start from it, and all that hang on them. */
export function waiting({ stages }: Pick<Plan, 'stages'>, files: readonly PlannedFile[]): ReadonlySet<string> {
  const keys = new Set(files.flatMap(({ stage, file }) => (file.missing ? [stage.key] : [])));
  for (const { key, upstream } of stages.values()) if (Object.values(upstream).some(input => keys.has(input))) keys.add(key);
  return keys;
}
