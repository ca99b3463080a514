/** From arms to the graph of stages to run: each stage once, whichever arms share it. */
import type { ProfileBase, StageSpec, Study } from '../ablation/declaration.ts';
import { UsageError } from '../ablation/errors.ts';
import type { Ablation, Arm } from '../ablation/expand.ts';
import { isHeadroom } from '../ablation/headroom.ts';
import type { StageCost, JsonObject } from '../ablation/kind.ts';
import type { Experiments } from '../ablation/load.ts';
import { measuresOf, type Measure } from '../ablation/measures.ts';
import { armsText, StageBuilder, type ArmRef, type PlannedStage } from './stages.ts';

export { armText, packLabel, stageLabel, type PlannedStage } from './stages.ts';

/** A replicate of an arm as stages. */
export interface PlannedArm extends ArmRef {
  /** Key of the stage in each role. */
  readonly stages: Readonly<Record<string, string>>;
  /** Key of the stage that gives the first number that the arm is compared by. */
  readonly final: string;
  /** Of those that give all of them, that one among them. */
  readonly finals: readonly string[];
}

export interface Plan {
  /** In topological order: a stage comes after all its upstream stages. */
  readonly stages: ReadonlyMap<string, PlannedStage>;
  readonly arms: readonly PlannedArm[];
}

/** Declarations as they were loaded, with the plan of what was selected of them. */
export interface PlannedExperiments extends Experiments {
  readonly plan: Plan;
}

/** Ablations of which the profile measures nothing are left out. @throws UsageError as {@link buildPlan} does, and where it measures nothing of those chosen */
export function planExperiments(experiments: Experiments): PlannedExperiments {
  const plan = buildPlan(experiments);
  const { study, profile } = experiments;
  const planned = new Set(plan.arms.map(({ ablation }) => ablation));
  const chosen = experiments.ablations.filter(({ declaration, arms }) => arms.length > 0 && !isHeadroom(study, declaration.name));
  const names = chosen.map(({ declaration }) => declaration.name);
  if (chosen.length === 0 || names.some(name => planned.has(name))) return { ...experiments, ablations: experiments.ablations.filter(({ declaration }) => planned.has(declaration.name)), plan };
  const measures = new Set(chosen.flatMap(({ declaration }) => measuresOf(study, declaration).map(({ name }) => name)));
  throw new UsageError(
    'NOTHING_MEASURED',
    `Expected a profile that measures ${[...measures].join(' or ')}, by which arms of ${names.join(', ')} are compared, got ${profile.name}, which does not. Choose another profile, or other ablations with --only.`,
  );
}

export interface PlanRequest {
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablations: readonly Ablation[];
  /** Seeds of the replicates: every arm is realised once a seed. An ablation may have its own. */
  readonly seeds: readonly number[];
}

/**
 * Realises every arm at the profile and seeds, and shares equal stages by key. An arm of which the profile measures no number is left out.
 * @throws UsageError when the study refuses to realise arms at this profile, which it names all together; when it realises a
 *   stage that its kind refuses (recipe, slots); or when two arms of one ablation come out as the same stage, so that their
 *   comparison would be of a thing with itself
 */
export function buildPlan({ study, profile, ablations, seeds }: PlanRequest): Plan {
  const builder = new StageBuilder(study.kinds);
  const refused: RefusedArm[] = [];
  const arms = ablations.flatMap(ablation => {
    const measures = measuresOf(study, ablation.declaration),
      roles = measures.map(({ role }) => role);
    const planned = (ablation.seeds ?? seeds).flatMap(seed =>
      ablation.arms.flatMap((arm): PlannedArm[] => {
        const ref: ArmRef = { ablation: arm.ablation, arm: arm.name, seed };
        const specs = realised(study, profile, arm, seed, measures);
        if (specs instanceof UsageError) refused.push({ arm: `${ref.ablation}/${ref.arm}`, error: specs });
        if (specs instanceof UsageError || specs.length === 0) return [];
        return [{ ...ref, ...builder.add(specs, roles, ref, ablation.part) }];
      }),
    );
    if (!isHeadroom(study, ablation.declaration.name)) refuseEqualArms(planned);
    return planned;
  });
  if (refused.length > 0) throw refusalOfArms(refused);
  return { stages: builder.stages(), arms };
}

interface RefusedArm {
  /** `ablation/arm` */
  readonly arm: string;
  readonly error: UsageError;
}

function realised(study: Study, profile: ProfileBase, arm: Arm, seed: number, measures: readonly Measure[]): readonly StageSpec[] | UsageError {
  try {
    const specs = study.realise(
      arm.factors,
      profile,
      seed,
      measures.map(({ name }) => name),
    );
    return 'kind' in specs ? [specs] : specs;
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

/** One line for each reason, with the arms that it is true of. */
function refusalOfArms(refused: readonly RefusedArm[]): UsageError {
  const arms = new Map<string, Set<string>>();
  for (const { arm, error } of refused) arms.set(error.message, (arms.get(error.message) ?? new Set()).add(arm));
  const [{ error: cause }] = refused as [RefusedArm];
  return new UsageError(cause.code, [...arms].map(([reason, names]) => `${armsText([...names])}: ${reason}`).join('\n'), { cause });
}

function refuseEqualArms(arms: readonly PlannedArm[]): void {
  const first = new Map<string, PlannedArm>();
  for (const arm of arms) {
    const other = first.get(arm.final);
    if (other && other.arm !== arm.arm) {
      throw new UsageError(
        'EQUAL_ARMS',
        `experiments/ablations/${arm.ablation}: expected arms that differ, got '${other.arm}' and '${arm.arm}' with the same stage ${arm.final} (seed ${arm.seed}); remove one or change a factor that matters at this profile`,
      );
    }
    first.set(arm.final, arm);
  }
}

export function totalCost(stages: Iterable<PlannedStage>): StageCost {
  const total = { labelledImages: 0, unlabelledImages: 0, flops: 0 };
  for (const { cost } of stages) {
    total.labelledImages += cost.labelledImages;
    total.unlabelledImages += cost.unlabelledImages;
    total.flops += cost.flops;
  }
  return total;
}

/** Recipes of a stage's direct inputs by slot. */
export const inputsOf = ({ stages }: Pick<Plan, 'stages'>, { upstream }: PlannedStage): Record<string, JsonObject> =>
  Object.fromEntries(Object.entries(upstream).map(([slot, key]) => [slot, stages.get(key)!.recipe]));
