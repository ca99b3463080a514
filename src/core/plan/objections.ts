/** What the kinds of stages say against planned recipes, before anything is spent. */
import { UsageError } from '../ablation/errors.ts';
import { canonicalJson } from '../ablation/json.ts';
import type { JsonObject, JsonValue, Objection, StageKind } from '../ablation/kind.ts';
import { inputsOf, type Plan } from './plan.ts';
import { armsText, type PlannedStage } from './stages.ts';

/** The same objection to all stages that it holds for. */
export interface PlanObjection extends Objection {
  /** The value of the field, as JSON; `nothing` where the recipe has no such field. */
  readonly got: string;
  /** Kinds of the stages, in the order of the plan. */
  readonly kinds: readonly string[];
  /** Arms that need one of them, `ablation/arm`, each once. */
  readonly arms: readonly string[];
}

/**
 * All objections, in the order of the plan. Stages of equal recipes and inputs are checked once.
 * @param stages some of the plan's; default all
 */
export function objectionsTo(kinds: readonly StageKind[], plan: Pick<Plan, 'stages'>, stages: Iterable<PlannedStage> = plan.stages.values()): PlanObjection[] {
  const byName = new Map(kinds.map(kind => [kind.name, kind]));
  const checked = new Map<string, readonly Objection[]>();
  const found = new Map<string, { readonly objection: Objection & { readonly got: string }; readonly kinds: Set<string>; readonly arms: Set<string> }>();
  for (const stage of stages) {
    const kind = byName.get(stage.kind),
      { recipe } = stage,
      inputs = inputsOf(plan, stage);
    if (kind?.check === undefined) continue;
    const text = JSON.stringify([kind.name, recipe, inputs]); // as the schemas write it: in one order
    const objections = checked.get(text) ?? kind.check(recipe, inputs);
    checked.set(text, objections);
    for (const { weight, field, expected } of objections) {
      const objection = { weight, field, expected, got: valueText(recipe, field) };
      const name = JSON.stringify(objection);
      const { kinds: ofKinds, arms } = found.get(name) ?? { kinds: new Set(), arms: new Set() };
      ofKinds.add(kind.name);
      for (const { ablation, arm } of stage.users) arms.add(`${ablation}/${arm}`);
      found.set(name, { objection, kinds: ofKinds, arms });
    }
  }
  return [...found.values()].map(({ objection, kinds: ofKinds, arms }) => ({ ...objection, kinds: [...ofKinds], arms: [...arms] }));
}

/** What a recipe has at a path such as `augment.crop.scale`. */
function valueText(recipe: JsonObject, field: string): string {
  const value = field.split('.').reduce<JsonValue | undefined>((inner, name) => (typeof inner === 'object' && inner !== null ? (inner as JsonObject)[name] : undefined), recipe);
  return value === undefined ? 'nothing' : canonicalJson(value);
}

/** `schedule.batch_size: expected at most 256, the images that it trains on, got 512`. */
const objectionText = ({ field, expected, got }: Pick<PlanObjection, 'field' | 'expected' | 'got'>): string => `${field}: expected ${expected}, got ${got}`;

/** The same with the kinds and arms that it is about: `finetune of relation/qk-vv and 87 more arms: ...`. */
export const objectionSentence = (objection: PlanObjection): string => `${objection.kinds.join(', ')} of ${armsText(objection.arms)}: ${objectionText(objection)}`;

/** @throws UsageError `BAD_RECIPE` naming all that is impossible */
export function refuseImpossible(objections: readonly PlanObjection[]): void {
  const impossible = objections.filter(({ weight }) => weight === 'impossible');
  if (impossible.length > 0) throw new UsageError('BAD_RECIPE', impossible.map(objectionSentence).join('\n'));
}

/** Those that a plan is told with, and goes on. */
export const doubtsOf = (objections: readonly PlanObjection[]): PlanObjection[] => objections.filter(({ weight }) => weight === 'doubtful');

/**
 * What a worker asks before it runs a recipe, whoever planned it.
 * @returns why it does not; undefined where nothing keeps it
 */
export function refusalOf(kind: StageKind, recipe: JsonObject, inputs: Readonly<Record<string, JsonObject>>): string | undefined {
  const refused = (kind.check?.(recipe, inputs) ?? []).filter(({ weight }) => weight !== 'doubtful');
  return refused.length === 0 ? undefined : refused.map(objection => objectionText({ ...objection, got: valueText(recipe, objection.field) })).join('; ');
}
