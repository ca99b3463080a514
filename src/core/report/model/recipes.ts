/** What each arm runs, as its difference from the default arm: from the declarations alone, so a reviewer needs no store. */
import type { Ablation } from '../../ablation/expand.ts';
import { roleDifferences, rolesOf, type RoleDifference } from '../../plan/difference.ts';
import { identityFields } from '../../plan/explain.ts';
import type { Plan, PlannedArm } from '../../plan/plan.ts';
import { oneLine } from '../../text/clean.ts';

/** A stage's recipe by its fields: paths within it, values in canonical JSON. */
export interface StageRecipe {
  /** Its place in the arm: `teacher`, `distill`, ... */
  readonly stage: string;
  readonly fields: readonly { readonly field: string; readonly value: string }[];
}

export interface RecipeChange {
  readonly stage: string;
  /** Empty: the stage itself. */
  readonly field: string;
  /** Undefined where only the other side has the field or the stage. */
  readonly value: string | undefined;
  readonly other: string | undefined;
}

export interface ArmRecipe {
  readonly arm: string;
  readonly label: string;
  /** From the default arm; none for that arm itself. */
  readonly changes: readonly RecipeChange[];
  /** Stages that the default arm does not have, as differences from the first arm that has them. */
  readonly likeOthers: readonly { readonly stage: string; readonly label: string; readonly changes: readonly RecipeChange[] }[];
  /** Stages that this arm is the first to have. */
  readonly own: readonly StageRecipe[];
}

/** What the arms of some ablations are told apart from. */
export interface DefaultRecipe {
  readonly label: string;
  /** The default arms that it is, `ablation/arm`. */
  readonly arms: readonly string[];
  readonly stages: readonly StageRecipe[];
}

export interface Recipes {
  /** By ablation; those without their default arm have none. */
  readonly arms: ReadonlyMap<string, readonly ArmRecipe[]>;
  readonly defaults: readonly DefaultRecipe[];
}

/** @param plan of every arm of the ablations at one seed, of which recipes do not depend */
export function buildRecipes(plan: Plan, ablations: readonly Ablation[]): Recipes {
  const arms = new Map<string, readonly ArmRecipe[]>();
  const defaults = new Map<string, DefaultRecipe>();
  for (const { declaration } of ablations) {
    const planned = plan.arms.filter(arm => arm.ablation === declaration.name);
    const base = planned.find(({ arm }) => arm === declaration.default);
    if (base === undefined) continue;
    const labels = new Map(declaration.arms.map(({ name, label }) => [name, oneLine(label)]));
    arms.set(declaration.name, armRecipes(plan, base, planned, labels));
    const name = `${base.ablation}/${base.arm}`;
    const known = defaults.get(base.final);
    defaults.set(base.final, known === undefined ? { label: labels.get(base.arm)!, arms: [name], stages: stagesOf(plan, base) } : { ...known, arms: [...known.arms, name] });
  }
  return { arms, defaults: [...defaults.values()] };
}

function armRecipes(plan: Plan, base: PlannedArm, planned: readonly PlannedArm[], labels: ReadonlyMap<string, string>): ArmRecipe[] {
  /** Who was first to have a stage that the default arm has not. */
  const first = new Map<string, PlannedArm>();
  return planned.map(arm => {
    const others = Object.fromEntries([...first].map(([role, { stages }]) => [role, stages[role]!]));
    const differences = roleDifferences(plan, arm, { stages: { ...others, ...base.stages } });
    const ofDefault = differences.filter(({ role }) => role in base.stages);
    const own = differences.filter(({ only }) => only === 'a').map(({ role }) => role);
    const like = differences.filter(({ role, only }) => !(role in base.stages) && only === undefined);
    for (const role of own) first.set(role, arm);
    return {
      arm: arm.arm,
      label: labels.get(arm.arm)!,
      changes: ofDefault.flatMap(changesOf),
      likeOthers: like.map(difference => ({ stage: difference.role, label: labels.get(first.get(difference.role)!.arm)!, changes: changesOf(difference) })),
      own: stagesOf(plan, arm).filter(({ stage }) => own.includes(stage)),
    };
  });
}

function stagesOf({ stages }: Plan, arm: PlannedArm): StageRecipe[] {
  const order = new Map([...stages.keys()].map((key, i) => [key, i]));
  return rolesOf(arm.stages, order).map(role => {
    const fields = [...identityFields(stages.get(arm.stages[role]!)!)].filter(([field]) => RECIPE.test(field));
    return { stage: role, fields: fields.map(([field, value]) => ({ field: field.replace(RECIPE, ''), value })) };
  });
}

const RECIPE = /^recipe\./;

/** An input that is another stage of the same role says nothing that the lines of that role do not. */
function changesOf({ role, only, fields, inputs }: RoleDifference): RecipeChange[] {
  if (only !== undefined) return [{ stage: role, field: '', value: undefined, other: 'has this stage' }];
  return [
    ...fields.map(({ field, a, b }) => ({ stage: role, field: field.replace(RECIPE, ''), value: a, other: b })),
    ...inputs.filter(({ a, b }) => a !== b).map(({ slot, a, b }) => ({ stage: role, field: `input ${slot}`, value: a, other: b })),
  ];
}
