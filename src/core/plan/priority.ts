/** Which ready stage to start first: of the earliest part of the sweep the one with the most work still depending on it. */
import type { StageCost } from '../ablation/kind.ts';
import type { PlannedStage, Plan } from './plan.ts';

/** Work of a stage in one unit for all of them: FLOPs, or images where FLOPs are unknown of one that counts images. At least 1, so that longer chains come first. */
export type WorkEstimate = (cost: StageCost) => number;

export function workOf(stages: Iterable<PlannedStage>): WorkEstimate {
  const images = ({ labelledImages, unlabelledImages }: StageCost): number => labelledImages + unlabelledImages;
  const inFlops = [...stages].every(({ cost }) => cost.flops > 0 || images(cost) === 0);
  return cost => Math.max(1, inFlops ? cost.flops : images(cost));
}

/** Length of the longest path from the start of each stage to the end of the plan (critical path), by key; above it any stage of an earlier part of the sweep. */
export function priorities({ stages }: Pick<Plan, 'stages'>): Map<string, number> {
  const work = workOf(stages.values());
  const after = new Map<string, number>();
  const lengths = new Map<string, number>();
  for (const stage of [...stages.values()].reverse()) {
    const length = work(stage.cost) + (after.get(stage.key) ?? 0);
    lengths.set(stage.key, length);
    for (const key of Object.values(stage.upstream)) after.set(key, Math.max(after.get(key) ?? 0, length));
  }
  const longest = Math.max(0, ...lengths.values()),
    parts = Math.max(0, ...[...stages.values()].map(({ part = 0 }) => part));
  return new Map([...lengths].map(([key, length]) => [key, length + (parts - (stages.get(key)!.part ?? 0)) * longest]));
}
