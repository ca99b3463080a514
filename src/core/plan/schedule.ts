/** How packs of stages come to run on a number of places: the rule by which a run starts them, played through. */
import type { PlannedStage } from './plan.ts';

/** Stages that one worker runs side by side; most packs are one stage. */
export type Pack = readonly PlannedStage[];

export interface ScheduledPack {
  readonly pack: Pack;
  readonly place: number;
  readonly start: number;
  readonly end: number;
}

/** The critical path first: how much hangs on the pack's most urgent member. */
export const urgency = (pack: Pack, priorities: ReadonlyMap<string, number>): number => Math.max(...pack.map(stage => priorities.get(stage.key) ?? 0));

/**
 * Whenever a place is free, the most urgent pack whose inputs are there. A stage upstream that is in no pack is there already.
 * @param length of a pack, in the unit of the times that come back
 * @returns in the order of their starts
 */
export function schedule(packs: readonly Pack[], priorities: ReadonlyMap<string, number>, length: (pack: Pack) => number, places: number): ScheduledPack[] {
  const waiting = packs.map(pack => ({ pack, urgency: urgency(pack, priorities) })).sort((a, b) => b.urgency - a.urgency);
  const pending = new Set(packs.flatMap(pack => pack.map(stage => stage.key)));
  const free = Array.from({ length: places }, (_, place) => place);
  const scheduled: ScheduledPack[] = [];
  const running: ScheduledPack[] = [];
  let now = 0;
  const isReady = ({ pack }: { pack: Pack }): boolean => pack.every(stage => Object.values(stage.upstream).every(key => !pending.has(key)));
  while (waiting.length > 0 || running.length > 0) {
    while (free.length > 0) {
      const at = waiting.findIndex(isReady);
      if (at < 0) break;
      const { pack } = waiting.splice(at, 1)[0]!;
      const started = { pack, place: free.shift()!, start: now, end: now + length(pack) };
      scheduled.push(started);
      running.push(started);
    }
    if (running.length === 0) throw new Error(`Expected packs without a cycle, got ${waiting.length} that wait for each other`);
    now = Math.min(...running.map(pack => pack.end));
    for (const ended of running.filter(r => r.end <= now)) {
      running.splice(running.indexOf(ended), 1);
      free.push(ended.place);
      for (const stage of ended.pack) pending.delete(stage.key);
    }
  }
  return scheduled;
}

/** When the last pack ends. */
export const makespan = (scheduled: readonly ScheduledPack[]): number => Math.max(0, ...scheduled.map(pack => pack.end));
