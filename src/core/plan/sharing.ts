/** What stages can share when one process runs them side by side, as their kinds say. */
import { canonicalJson } from '../ablation/json.ts';
import type { StageKind } from '../ablation/kind.ts';
import { fitsOf, type Fit } from './memory.ts';
import { inputsOf, type Plan, type PlannedStage } from './plan.ts';

/** @internal */
export interface Sharing {
  /** Stages of one group may run in one pack. */
  readonly group: string;
  /** Of the stage's work (1 is all of it), what a pack does once. */
  readonly share: number;
  /** Bytes: the largest `shared` of a pack's members, and the `own` of each. */
  readonly memory: { readonly shared: number; readonly own: number };
}

/** By key; stages that share with none have no entry. */
export type Sharings = ReadonlyMap<string, Sharing>;

/**
 * Of the stages of a plan whose kinds can share work.
 * @param fits in how many micro-batches stages run, as `fitsOf` gives them
 */
export function sharingsOf(kinds: readonly StageKind[], plan: Pick<Plan, 'stages'>, fits: ReadonlyMap<string, Fit> = fitsOf(kinds, plan)): Sharings {
  const byName = new Map(kinds.map(kind => [kind.name, kind]));
  return new Map(
    [...plan.stages.values()].flatMap((stage): [string, Sharing][] => {
      const kind = byName.get(stage.kind);
      if (kind?.packing === undefined) return [];
      const inputs = inputsOf(plan, stage);
      const { packing } = kind;
      const { microBatches, memory } = fits.get(stage.key) ?? { microBatches: 1, memory: { shared: 0, own: 0 } };
      // Stages that need different processes cannot share one, nor a pass over a batch that they divide differently.
      const group = canonicalJson({ kind: kind.name, environment: environmentOf(kind, stage), microBatches, key: packing.key(stage) }, 'packing');
      const share = stage.cost.flops > 0 ? Math.min(1, packing.sharedFlops(stage.recipe, inputs) / stage.cost.flops) : 0;
      return [[stage.key, { group, share, memory }]];
    }),
  );
}

/** Variables that the process of a stage needs from its start. */
export const environmentOf = (kind: StageKind, { recipe }: Pick<PlannedStage, 'recipe'>): Record<string, string> => ({ ...kind.environment?.(recipe) });

/** Work or time of stages side by side: what each does by itself, and the largest of what they share. */
export function together(stages: readonly PlannedStage[], sharings: Sharings, amount: (stage: PlannedStage) => number): number {
  let own = 0,
    shared = 0;
  for (const stage of stages) {
    const all = amount(stage);
    const part = all * (sharings.get(stage.key)?.share ?? 0);
    own += all - part;
    shared = Math.max(shared, part);
  }
  return own + shared;
}
