/** How long the rest of a sweep takes, seen from beside it: what runs at its own pace, the others as the plan forecasts them. */
import type { StageKind } from '../ablation/kind.ts';
import { stagesToRun } from '../plan/needed.ts';
import { fitsOf } from '../plan/memory.ts';
import { packStages } from '../plan/packs.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import { priorities } from '../plan/priority.ts';
import { makespan, schedule, type Pack } from '../plan/schedule.ts';
import { sharingsOf, together, type Sharings } from '../plan/sharing.ts';
import { memoryLimits, type Place } from '../runner/devices.ts';
import type { Snapshot, StageSnapshot, WorkingStage } from './snapshot.ts';
import { workersOf } from './snapshot.ts';

/** Stages that arms wait for: `running` among them, and those that a sweep will not reach, since something failed. */
export interface Outstanding {
  readonly toRun: readonly PlannedStage[];
  /** Keys of those downstream of a stage that failed and is not being tried again. */
  readonly blocked: ReadonlySet<string>;
}

export function outstanding(plan: Plan, { stages }: Snapshot): Outstanding {
  const states = new Map(stages.map(s => [s.stage.key, s.state.state]));
  const toRun = stagesToRun(plan, key => states.get(key) === 'done');
  const blocked = new Set<string>();
  for (const stage of toRun) {
    if (Object.values(stage.upstream).some(key => states.get(key) === 'failed' || blocked.has(key))) blocked.add(stage.key);
  }
  return { toRun, blocked };
}

export interface TimeLeftOptions {
  readonly plan: Plan;
  readonly kinds: readonly StageKind[];
  readonly snapshot: Snapshot;
  readonly places: readonly Place[];
  /** Of a whole stage by itself; undefined where nothing is known. */
  readonly duration: (stage: PlannedStage) => number | undefined;
}

export interface TimeLeft {
  /** Until all that can run is done; absent as long as nothing was measured of some of it. */
  readonly seconds?: number;
  /** What is left of each stage by itself, by key; those of which nothing is known are missing. */
  readonly stages: ReadonlyMap<string, number>;
}

export function timeLeft({ plan, kinds, snapshot, places: known, duration }: TimeLeftOptions): TimeLeft {
  const { toRun, blocked } = outstanding(plan, snapshot);
  const byKey = new Map(snapshot.stages.map(s => [s.stage.key, s]));
  const open = toRun.filter(({ key }) => !blocked.has(key) && byKey.get(key)!.state.state !== 'failed');
  const stages = new Map(
    open.flatMap(stage => {
      const seconds = leftOf(byKey.get(stage.key)!, duration(stage));
      return seconds === undefined ? [] : [[stage.key, seconds] as const];
    }),
  );
  if (stages.size < open.length) return { stages };
  const { pack: memory, card } = memoryLimits(known);
  const sharings = sharingsOf(kinds, plan, fitsOf(kinds, plan, card));
  const running = workersOf(snapshot)
    .map(members => members.filter(m => stages.has(m.stage.key)))
    .filter(members => members.length > 0);
  const lengths = new Map<Pack, number>(running.map(members => [members.map(m => m.stage), runningSeconds(members, sharings, stages)]));
  const atWork = [...lengths.keys()];
  const places = Math.max(known.length, atWork.length, 1);
  for (const pack of packStages(plan, open, { sharings, places, memory, running: atWork })) {
    lengths.set(
      pack,
      together(pack, sharings, stage => stages.get(stage.key)!),
    );
  }
  // What runs has its place already.
  const urgency = priorities(plan);
  for (const pack of atWork) for (const { key } of pack) urgency.set(key, Infinity);
  return { stages, seconds: makespan(schedule([...lengths.keys()], urgency, pack => lengths.get(pack)!, places)) };
}

function leftOf({ progress }: StageSnapshot, whole: number | undefined): number | undefined {
  if (progress?.secondsLeft !== undefined) return progress.secondsLeft;
  if (whole === undefined) return undefined;
  const { step = 0, steps = 0 } = progress ?? {};
  return whole * (steps > 0 ? 1 - step / steps : 1);
}

/** Members of a pack go in step: where they tell their pace, that is the pace of them all. */
function runningSeconds(members: readonly WorkingStage[], sharings: Sharings, left: ReadonlyMap<string, number>): number {
  const paced = members.flatMap(({ progress }) => progress.secondsLeft ?? []);
  return paced.length === members.length
    ? Math.max(...paced)
    : together(
        members.map(m => m.stage),
        sharings,
        stage => left.get(stage.key)!,
      );
}
