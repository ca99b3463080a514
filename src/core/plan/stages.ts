/** Collects the stages of all arms, each key once. */
import { canonicalRecipe } from '../ablation/as-before.ts';
import { UsageError } from '../ablation/errors.ts';
import type { JsonObject, StageCost, StageIdentity, StageKind } from '../ablation/kind.ts';
import { problems, problemText } from '../ablation/problems.ts';
import { suggest } from '../ablation/suggest.ts';
import type { StageSpec } from '../ablation/declaration.ts';
import { keyOf, revisionOf } from '../ablation/identity.ts';
import { codeOfKinds } from '../code/kind-code.ts';

/** One replicate of an arm. */
export interface ArmRef {
  readonly ablation: string;
  readonly arm: string;
  readonly seed: number;
}

export interface PlannedStage extends StageIdentity {
  readonly key: string;
  readonly cost: StageCost;
  /** Its places in the arms that use it, e.g. `teacher`; most stages have one. */
  readonly roles: readonly string[];
  /** Every replicate that needs it, in the order of the declarations. */
  readonly users: readonly ArmRef[];
  /** The first part of the sweep that needs it, where that is not the first of all. */
  readonly part?: number;
}

/** `relation/qk-vv seed 0`. */
export function armText({ ablation, arm, seed }: ArmRef): string {
  return `${ablation}/${arm} seed ${seed}`;
}

/** Arms that need one of the stages, `ablation/arm`, each once. */
export const armsUsing = (stages: readonly PlannedStage[]): string[] => [...new Set(stages.flatMap(({ users }) => users.map(({ ablation, arm }) => `${ablation}/${arm}`)))];

const SHOWN_ARMS = 3;

/** Names of arms, `ablation/arm`: the first of many, and how many more. */
export function armsText(arms: readonly string[]): string {
  if (arms.length <= SHOWN_ARMS) return arms.join(', ');
  return `${arms.slice(0, SHOWN_ARMS - 1).join(', ')} and ${arms.length - SHOWN_ARMS + 1} more arms`;
}

/** `distill of relation/qk-vv seed 0 (and 3 more)`: for people; never part of an identity. */
export function stageLabel({ roles, users }: PlannedStage): string {
  const more = users.length - 1;
  return `${roles.join(', ')} of ${armText(users[0]!)}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** `distill of 8 arms in relation, layer`: what a worker does that runs these side by side. */
export function packLabel(stages: readonly PlannedStage[]): string {
  if (stages.length === 1) return stageLabel(stages[0]!);
  const roles = [...new Set(stages.flatMap(stage => stage.roles))];
  const ablations = [...new Set(stages.map(stage => stage.users[0]!.ablation))];
  const where = ablations.length > 3 ? `${ablations.length} ablations` : ablations.join(', ');
  return `${roles.join(', ')} of ${stages.length} arms in ${where}`;
}

interface Entry {
  readonly identity: StageIdentity;
  readonly cost: StageCost;
  readonly roles: Set<string>;
  readonly users: ArmRef[];
  part: number;
}

export interface AddedArm {
  readonly final: string;
  readonly finals: readonly string[];
  readonly stages: Readonly<Record<string, string>>;
}

export class StageBuilder {
  readonly #kinds: ReadonlyMap<string, StageKind>;
  /** Of the kinds that want it in their keys. */
  readonly #codes: ReturnType<typeof codeOfKinds>;
  /** Insertion order is topological: a stage is entered after its upstream stages. */
  readonly #entries = new Map<string, Entry>();

  constructor(kinds: readonly StageKind[]) {
    this.#kinds = new Map(kinds.map(k => [k.name, k]));
    this.#codes = codeOfKinds(kinds.filter(k => k.codeInKey === true));
  }

  /**
   * Enters stages and everything upstream of them for the arm `user`.
   * @param specs at least one
   * @param roles of the stages that give the numbers that the arm is compared by, in their order
   * @param part of the sweep that the arm is in
   */
  add(specs: readonly StageSpec[], roles: readonly string[], user: ArmRef, part = 0): AddedArm {
    const stages: Record<string, string> = {};
    const open = new Set<StageSpec>();
    const enter = (stage: StageSpec): string => {
      if (open.has(stage)) throw refusal(user, stage, 'expected stages without a cycle, got a stage that is upstream of itself');
      open.add(stage);
      const upstream = Object.fromEntries(Object.entries(stage.upstream).map(([slot, s]) => [slot, enter(s)]));
      open.delete(stage);
      const key = this.#keyFor(stage, upstream, user);
      this.#use(key, stage.role, user, part);
      if ((stages[stage.role] ?? key) !== key) {
        throw refusal(user, stage, `expected one stage a role, got two different ones in the role '${stage.role}'`);
      }
      stages[stage.role] = key;
      return key;
    };
    const finals = [...new Set(specs.map(enter))];
    const [final] = roles.flatMap(role => finals.find(key => key === stages[role]) ?? []);
    return { final: final ?? finals[0]!, finals, stages };
  }

  stages(): ReadonlyMap<string, PlannedStage> {
    return new Map([...this.#entries].map(([key, { identity, cost, roles, users, part }]) => [key, { key, ...identity, cost, roles: [...roles], users, ...(part > 0 && { part }) }]));
  }

  #keyFor(stage: StageSpec, upstream: Record<string, string>, user: ArmRef): string {
    const kind = this.#kinds.get(stage.kind);
    if (!kind) throw refusal(user, stage, `expected a registered kind, got '${stage.kind}'${suggest(stage.kind, [...this.#kinds.keys()])}`);
    const recipe = parseRecipe(kind, stage, user);
    const identity: StageIdentity = { kind: kind.name, revision: revisionOf(kind, recipe), recipe, seed: parseSeed(stage, user), upstream, ...this.#codeOf(stage, user) };
    this.#checkSlots(kind, stage, upstream, user);
    const key = keyOf(identity);
    if (!this.#entries.has(key)) {
      const recipes = Object.fromEntries(Object.entries(upstream).map(([slot, k]) => [slot, this.#entries.get(k)!.identity.recipe]));
      this.#entries.set(key, { identity, cost: kind.cost(identity.recipe, recipes), roles: new Set(), users: [], part: Infinity });
    }
    return key;
  }

  #codeOf(stage: StageSpec, user: ArmRef): Pick<StageIdentity, 'codeHash'> {
    const code = this.#codes.get(stage.kind);
    if (code === undefined) return {};
    if ('hash' in code) return { codeHash: code.hash };
    throw refusal(user, stage, `its code is part of its key and cannot be told: ${code.unknown}`);
  }

  #checkSlots(kind: StageKind, stage: StageSpec, upstream: Record<string, string>, user: ArmRef): void {
    for (const [slot, key] of Object.entries(upstream)) {
      const spec = kind.upstream[slot];
      if (!spec) throw refusal(user, stage, `upstream.${slot}: unknown slot${suggest(slot, Object.keys(kind.upstream))}`);
      const given = this.#entries.get(key)!.identity.kind;
      if (!spec.kinds.includes(given)) throw refusal(user, stage, `upstream.${slot}: expected a stage of kind ${spec.kinds.join(' or ')}, got ${given}`);
    }
    for (const [slot, spec] of Object.entries(kind.upstream)) {
      if (spec.optional !== true && !(slot in upstream)) throw refusal(user, stage, `upstream.${slot}: expected a stage of kind ${spec.kinds.join(' or ')}, got none`);
    }
  }

  #use(key: string, role: string, user: ArmRef, part: number): void {
    const entry = this.#entries.get(key)!,
      { roles, users } = entry;
    entry.part = Math.min(entry.part, part);
    roles.add(role);
    // A stage that an arm reaches by two ways (a diamond) is used once.
    if (users.at(-1) !== user) users.push(user);
  }
}

function parseRecipe(kind: StageKind, stage: StageSpec, user: ArmRef): JsonObject {
  const parsed = canonicalRecipe(kind, stage.recipe);
  if (parsed.success) return parsed.data;
  throw refusal(
    user,
    stage,
    problems(kind.recipe, stage.recipe)
      .map(p => `recipe.${problemText(p)}`)
      .join('\n  '),
  );
}

function parseSeed({ seed, ...stage }: StageSpec, user: ArmRef): number {
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) throw refusal(user, { ...stage, seed }, `seed: expected an integer from 0 to 4294967295, got ${seed}`);
  return seed;
}

function refusal(user: ArmRef, stage: StageSpec, message: string): UsageError {
  return new UsageError('BAD_STAGE', `${armText(user)}: stage '${stage.role}' (kind ${stage.kind}): ${message}`);
}
