/** In how many micro-batches a stage fits into the memory of a GPU, by the estimate of its kind: chosen before anything fails. */
import type { StageKind, StageMemory } from '../ablation/kind.ts';
import { inputsOf, type Plan, type PlannedStage } from './plan.ts';

export interface Fit {
  /** By what the micro-batches of the recipe are multiplied: 1, 2, 4, ... */
  readonly microBatches: number;
  readonly memory: StageMemory;
}

/** What the stage takes alone. */
export const bytesOf = ({ memory: { shared, own } }: Fit): number => shared + own;

/**
 * The fewest micro-batches with which the stage alone takes no more than `limit` bytes; where none suffice, as many as its batch can be
 * divided into. Undefined where its kind has no estimate.
 */
export function fitOf(kind: StageKind | undefined, plan: Pick<Plan, 'stages'>, stage: PlannedStage, limit: number): Fit | undefined {
  if (kind?.memory === undefined) return undefined;
  const { recipe } = stage,
    inputs = inputsOf(plan, stage);
  const fitWith = (microBatches: number): Fit => ({ microBatches, memory: kind.memory!(recipe, inputs, microBatches) });
  let fit = fitWith(1);
  while (bytesOf(fit) > limit && kind.canSplit?.(recipe, 2 * fit.microBatches) === true) fit = fitWith(2 * fit.microBatches);
  return fit;
}

/** By key. @param card bytes of a GPU that a worker may fill; undefined where none computes: then each runs as its recipe says */
export function fitsOf(kinds: readonly StageKind[], plan: Pick<Plan, 'stages'>, card = Infinity): ReadonlyMap<string, Fit> {
  const byName = new Map(kinds.map(kind => [kind.name, kind]));
  return new Map(
    [...plan.stages.values()].flatMap(stage => {
      const fit = fitOf(byName.get(stage.kind), plan, stage, card);
      return fit ? [[stage.key, fit] as const] : [];
    }),
  );
}
