/** What a sweep of a plan will take: disk, time, and GPU-hours where the profile states a throughput. */
import type { StatedThroughput } from '../ablation/declaration.ts';
import type { StageDisk, StageKind } from '../ablation/kind.ts';
import { leastTime, stagesToRun } from '../plan/needed.ts';
import { packStages } from '../plan/packs.ts';
import { totalCost, type PlannedStage } from '../plan/plan.ts';
import { priorities } from '../plan/priority.ts';
import { makespan, schedule, type Pack } from '../plan/schedule.ts';
import { inputsOf, sharingsOf, together, type Sharings } from '../plan/sharing.ts';
import { packMemoryLimit, type Place } from '../runner/devices.ts';
import { freeBytes } from '../../setup/cache.ts';
import { CHECKPOINTS_AT_ONCE } from '../store/checkpoints.ts';
import type { Chosen } from '../../cli/selection.ts';
import type { Speeds } from './speeds.ts';
import type { States } from './states.ts';

export interface DiskForecast {
  /** Bytes that the stages to run leave. */
  readonly outputs: number;
  /** Bytes of the checkpoints of as many stages as run at once. */
  readonly checkpoints: number;
  /** Bytes free on the store's file system. */
  readonly free: number;
}

/** Stages that one worker runs side by side. */
export interface PackForecast {
  readonly stages: Pack;
  /** Floating-point operations that its members would do once more each by itself. */
  readonly savedFlops: number;
  /** Absent when nothing was measured. */
  readonly seconds?: number;
}

export interface TimeForecast {
  /** Until all is done, as a run would start the packs. */
  readonly seconds: number;
  /** Of the longest chain of stages, which no number of workers shortens. */
  readonly chainSeconds: number;
  readonly workers: number;
  readonly shapes: number;
  readonly measuredShapes: number;
  /** Of each stage by itself, by key. */
  readonly stages: ReadonlyMap<string, { readonly seconds: number; readonly measured: boolean }>;
}

export interface Forecast {
  readonly toRun: readonly PlannedStage[];
  /** Every stage to run is in one; those that share with none are alone in theirs. */
  readonly packs: readonly PackForecast[];
  readonly disk?: DiskForecast;
  /** Absent when nothing was measured, or when the profile cannot run here. */
  readonly time?: TimeForecast;
  readonly stated?: StatedThroughput & { readonly hours: number };
  readonly notRunnable?: string;
}

export const stillToRun = ({ plan }: Chosen, states: States): PlannedStage[] => stagesToRun(plan, key => states.get(key)?.state === 'done');

export async function forecast(chosen: Chosen, states: States, store: string, speeds: Speeds, places: readonly Place[]): Promise<Forecast> {
  const { study, profile, plan } = chosen;
  const toRun = stillToRun(chosen, states);
  const notRunnable = study.notRunnable?.(profile);
  const sharings = sharingsOf(study.kinds, plan);
  const stages = packStages(plan, toRun, { sharings, places: places.length, memory: packMemoryLimit(places.length) });
  const disk = await diskForecast(chosen, stages, store, places.length);
  const durations = notRunnable === undefined ? durationsOf(toRun, speeds) : undefined;
  const packs = stages.map(pack => packForecast(pack, sharings, durations));
  const time = durations && timeForecast(chosen, toRun, packs, durations, speeds, places.length);
  const stated = study.statedThroughput?.(profile);
  return {
    toRun,
    packs,
    ...(disk && { disk }),
    ...(time && { time }),
    ...(stated && { stated: { ...stated, hours: totalCost(toRun).flops / stated.flopsPerSecond / 3600 } }),
    ...(notRunnable !== undefined && { notRunnable }),
  };
}

type Durations = TimeForecast['stages'];

/** Undefined when nothing is known of any stage. */
function durationsOf(toRun: readonly PlannedStage[], speeds: Speeds): Durations | undefined {
  const stages = new Map(toRun.flatMap(stage => {
    const duration = speeds.duration(stage);
    return duration ? [[stage.key, duration] as const] : [];
  }));
  return stages.size < toRun.length ? undefined : stages;
}

function packForecast(stages: Pack, sharings: Sharings, durations: Durations | undefined): PackForecast {
  const savedFlops = totalCost(stages).flops - together(stages, sharings, stage => stage.cost.flops);
  return { stages, savedFlops, ...(durations && { seconds: together(stages, sharings, stage => durations.get(stage.key)!.seconds) }) };
}

function timeForecast({ plan }: Chosen, toRun: readonly PlannedStage[], packs: readonly PackForecast[], durations: Durations, speeds: Speeds, workers: number): TimeForecast {
  const secondsOf = new Map(packs.map(({ stages, seconds }) => [stages, seconds!]));
  const slots = schedule([...secondsOf.keys()], priorities(plan), pack => secondsOf.get(pack)!, workers);
  const measured = toRun.filter(stage => durations.get(stage.key)!.measured);
  return {
    seconds: speeds.once(toRun) + makespan(slots),
    chainSeconds: leastTime(toRun, stage => durations.get(stage.key)!.seconds, workers).chain,
    workers, shapes: speeds.count(toRun), measuredShapes: speeds.count(measured), stages: durations,
  };
}

/** Undefined when no kind says what its stages take. */
async function diskForecast({ study, plan }: Chosen, packs: readonly Pack[], store: string, workers: number): Promise<DiskForecast | undefined> {
  const kinds = new Map<string, StageKind>(study.kinds.map(kind => [kind.name, kind]));
  const known = packs.map(pack => pack.flatMap((stage): StageDisk[] => {
    const disk = kinds.get(stage.kind)?.disk?.(stage.recipe, inputsOf(plan, stage));
    return disk ? [disk] : [];
  })).filter(disks => disks.length > 0);
  if (known.length === 0) return undefined;
  const atOnce = known.map(disks => disks.reduce((sum, d) => sum + d.checkpoint, 0)).sort((a, b) => b - a).slice(0, workers);
  return {
    outputs: known.flat().reduce((sum, d) => sum + d.output, 0),
    checkpoints: CHECKPOINTS_AT_ONCE * atOnce.reduce((sum, bytes) => sum + bytes, 0),
    free: await freeBytes(store),
  };
}
