/** What of a plan is still to run. */
import type { Plan, PlannedStage } from './plan.ts';

/**
 * Stages that a sweep would run, in the order of the plan: those not done that an arm's final stage hangs on. What stands
 * upstream of a done stage is not needed for it.
 */
export function stagesToRun({ stages, arms }: Pick<Plan, 'stages' | 'arms'>, isDone: (key: string) => boolean): PlannedStage[] {
  const needed = new Set<string>();
  const enter = (key: string): void => {
    if (needed.has(key) || isDone(key)) return;
    needed.add(key);
    Object.values(stages.get(key)!.upstream).forEach(enter);
  };
  for (const arm of arms) arm.finals.forEach(enter);
  return [...stages.values()].filter(stage => needed.has(stage.key));
}

/**
 * Seconds until all is done on `workers` workers: no less than an even share of the work, and no less than the longest chain.
 * @param stages in topological order; an upstream stage that is not among them takes no time
 */
export function leastTime(stages: Iterable<PlannedStage>, seconds: (stage: PlannedStage) => number, workers: number): { readonly total: number; readonly chain: number; readonly least: number } {
  const ends = new Map<string, number>();
  let total = 0,
    chain = 0;
  for (const stage of stages) {
    const own = seconds(stage);
    const end = own + Math.max(0, ...Object.values(stage.upstream).map(key => ends.get(key) ?? 0));
    total += own;
    chain = Math.max(chain, end);
    ends.set(stage.key, end);
  }
  return { total, chain, least: Math.max(total / workers, chain) };
}
