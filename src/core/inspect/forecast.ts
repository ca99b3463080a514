/** What a sweep of a plan will take: disk, time, and GPU-hours where the profile states a throughput. */
import type { StatedThroughput } from '../ablation/declaration.ts';
import type { StageDisk, StageKind } from '../ablation/kind.ts';
import { leastTime, stagesToRun } from '../plan/needed.ts';
import { fitsOf, type Fit } from '../plan/memory.ts';
import { packStages } from '../plan/packs.ts';
import { inputsOf, totalCost, type PlannedStage } from '../plan/plan.ts';
import { priorities } from '../plan/priority.ts';
import { makespan, schedule, type Pack } from '../plan/schedule.ts';
import { sharingsOf, together, type Sharings } from '../plan/sharing.ts';
import { devicesOf, memoryLimits, type Place } from '../runner/devices.ts';
import { CHECKPOINTS_AT_ONCE } from '../store/checkpoints.ts';
import type { PlannedExperiments } from '../plan/plan.ts';
import { obstacles } from './obstacles.ts';
import type { StageSpeeds } from './speeds.ts';
import type { States } from './states.ts';

export interface DiskForecast {
  /** Bytes that the stages to run leave. */
  readonly outputs: number;
  /** Bytes of the checkpoints of as many stages as run at once. */
  readonly checkpoints: number;
  /** Bytes free on the store's file system. */
  readonly free: number;
}

/** What stages take of a GPU by the estimates of their kinds. */
export interface CardForecast {
  /** Bytes that a worker may fill of the smallest GPU. */
  readonly limit: number;
  /** Of every stage of the plan, by key. */
  readonly fits: ReadonlyMap<string, Fit>;
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

/** What is to run at one stated speed. */
interface StatedForecast extends StatedThroughput {
  /** Of one device. */
  readonly hours: number;
  /** Of the longest chain of these stages, which no number of devices shortens: a stage has one. */
  readonly chainHours: number;
}

export interface Forecast {
  readonly toRun: readonly PlannedStage[];
  /** Every stage to run is in one; those that share with none are alone in theirs. */
  readonly packs: readonly PackForecast[];
  readonly disk?: DiskForecast;
  /** Where workers compute on GPUs whose memory is known. */
  readonly card?: CardForecast;
  /** Absent when nothing was measured, or when the profile cannot run here. */
  readonly time?: TimeForecast;
  /** One for each speed that the profile states. */
  readonly stated: readonly StatedForecast[];
  readonly notRunnable?: string;
  /** Why a sweep would refuse to run this here and now, each reason once; `notRunnable` and `notReady` are among them. */
  readonly obstacles: readonly string[];
}

export const stillToRun = ({ plan }: PlannedExperiments, states: States): PlannedStage[] => stagesToRun(plan, key => states.get(key)?.state === 'done');

export interface ForecastOptions {
  readonly speeds: StageSpeeds;
  readonly places: readonly Place[];
  /** Bytes free on the store's file system. */
  readonly free: number;
  /** What set-up has to provide first, if anything: see `Study.notReady`. */
  readonly notReady?: string | undefined;
}

export function forecast(experiments: PlannedExperiments, states: States, { speeds, places, free, notReady }: ForecastOptions): Forecast {
  const { study, profile, plan } = experiments;
  const toRun = stillToRun(experiments, states);
  const notRunnable = study.notRunnable?.(profile, devicesOf(places));
  const { pack: memory, card } = memoryLimits(places);
  const fits = fitsOf(study.kinds, plan, card);
  const sharings = sharingsOf(study.kinds, plan, fits);
  const stages = packStages(plan, toRun, { sharings, places: places.length, memory });
  const disk = diskForecast(experiments, stages, places.length, free);
  const durations = notRunnable === undefined ? durationsOf(toRun, speeds) : undefined;
  const packs = stages.map(pack => packForecast(pack, sharings, durations));
  const time = durations && timeForecast(experiments, toRun, packs, durations, speeds, places.length);
  return {
    toRun,
    packs,
    ...(disk && { disk }),
    ...(card !== undefined && { card: { limit: card, fits } }),
    ...(time && { time }),
    stated: statedForecasts(experiments, toRun),
    ...(notRunnable !== undefined && { notRunnable }),
    obstacles: [...obstacles(experiments, toRun, places), ...(notReady === undefined || toRun.length === 0 ? [] : [notReady])],
  };
}

/** Stages of one speed are counted together. */
function statedForecasts({ study, profile }: PlannedExperiments, toRun: readonly PlannedStage[]): StatedForecast[] {
  const found = new Map<string, { readonly stated: StatedThroughput; readonly of: Set<PlannedStage> }>();
  for (const stage of toRun) {
    const stated = study.statedThroughput?.(profile, stage.recipe);
    if (stated === undefined) continue;
    const name = JSON.stringify(stated),
      { of } = found.get(name) ?? found.set(name, { stated, of: new Set() }).get(name)!;
    of.add(stage);
  }
  return [...found.values()].map(({ stated, of }) => {
    const { total, chain } = leastTime(toRun, stage => (of.has(stage) ? stage.cost.flops / stated.flopsPerSecond / 3600 : 0), 1);
    return { ...stated, hours: total, chainHours: chain };
  });
}

type Durations = TimeForecast['stages'];

/** Undefined when nothing is known of any stage. */
function durationsOf(toRun: readonly PlannedStage[], speeds: StageSpeeds): Durations | undefined {
  const stages = new Map(
    toRun.flatMap(stage => {
      const duration = speeds.duration(stage);
      return duration ? [[stage.key, duration] as const] : [];
    }),
  );
  return stages.size < toRun.length ? undefined : stages;
}

function packForecast(stages: Pack, sharings: Sharings, durations: Durations | undefined): PackForecast {
  const savedFlops = totalCost(stages).flops - together(stages, sharings, stage => stage.cost.flops);
  return { stages, savedFlops, ...(durations && { seconds: together(stages, sharings, stage => durations.get(stage.key)!.seconds) }) };
}

function timeForecast({ plan }: PlannedExperiments, toRun: readonly PlannedStage[], packs: readonly PackForecast[], durations: Durations, speeds: StageSpeeds, workers: number): TimeForecast {
  const secondsOf = new Map(packs.map(({ stages, seconds }) => [stages, seconds!]));
  const slots = schedule([...secondsOf.keys()], priorities(plan), pack => secondsOf.get(pack)!, workers);
  const measured = toRun.filter(stage => durations.get(stage.key)!.measured);
  return {
    seconds: speeds.once(toRun) + makespan(slots),
    chainSeconds: leastTime(toRun, stage => durations.get(stage.key)!.seconds, workers).chain,
    workers,
    shapes: speeds.count(toRun),
    measuredShapes: speeds.count(measured),
    stages: durations,
  };
}

/** Undefined when no kind says what its stages take. */
function diskForecast({ study, plan }: PlannedExperiments, packs: readonly Pack[], workers: number, free: number): DiskForecast | undefined {
  const kinds = new Map<string, StageKind>(study.kinds.map(kind => [kind.name, kind]));
  const known = packs
    .map(pack =>
      pack.flatMap((stage): StageDisk[] => {
        const disk = kinds.get(stage.kind)?.disk?.(stage.recipe, inputsOf(plan, stage));
        return disk ? [disk] : [];
      }),
    )
    .filter(disks => disks.length > 0);
  if (known.length === 0) return undefined;
  const atOnce = known
    .map(disks => disks.reduce((sum, d) => sum + d.checkpoint, 0))
    .sort((a, b) => b - a)
    .slice(0, workers);
  return {
    outputs: known.flat().reduce((sum, d) => sum + d.output, 0),
    checkpoints: CHECKPOINTS_AT_ONCE * atOnce.reduce((sum, bytes) => sum + bytes, 0),
    free,
  };
}
