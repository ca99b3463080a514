/** What a sweep of a plan will take: disk, time, and GPU-hours where the profile states a throughput. */
import type { StatedThroughput } from '../ablation/declaration.ts';
import type { StageDisk, StageKind } from '../ablation/kind.ts';
import { leastTime, stagesToRun } from '../plan/needed.ts';
import { totalCost, type PlannedStage } from '../plan/plan.ts';
import type { Place } from '../runner/devices.ts';
import { freeBytes } from '../setup/cache.ts';
import { CHECKPOINTS_AT_ONCE } from '../store/checkpoints.ts';
import type { Chosen } from './selection.ts';
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

export interface TimeForecast {
  readonly seconds: number;
  /** Of the longest chain of stages, which no number of workers shortens. */
  readonly chainSeconds: number;
  readonly workers: number;
  readonly shapes: number;
  readonly measuredShapes: number;
  /** Of each stage, by key. */
  readonly stages: ReadonlyMap<string, { readonly seconds: number; readonly measured: boolean }>;
}

export interface Forecast {
  readonly toRun: readonly PlannedStage[];
  readonly disk?: DiskForecast;
  /** Absent when nothing was measured, or when the profile cannot run here. */
  readonly time?: TimeForecast;
  readonly stated?: StatedThroughput & { readonly hours: number };
  readonly notRunnable?: string;
}

export const stillToRun = ({ plan }: Chosen, states: States): PlannedStage[] => stagesToRun(plan, key => states.get(key)?.state === 'done');

export async function forecast(chosen: Chosen, states: States, store: string, speeds: Speeds, places: readonly Place[]): Promise<Forecast> {
  const { study, profile } = chosen;
  const toRun = stillToRun(chosen, states);
  const disk = await diskForecast(chosen, toRun, store, places.length);
  const notRunnable = study.notRunnable?.(profile);
  const time = notRunnable === undefined ? timeForecast(toRun, speeds, places.length) : undefined;
  const stated = study.statedThroughput?.(profile);
  return {
    toRun,
    ...(disk && { disk }),
    ...(time && { time }),
    ...(stated && { stated: { ...stated, hours: totalCost(toRun).flops / stated.flopsPerSecond / 3600 } }),
    ...(notRunnable !== undefined && { notRunnable }),
  };
}

function timeForecast(toRun: readonly PlannedStage[], speeds: Speeds, workers: number): TimeForecast | undefined {
  const stages = new Map(toRun.flatMap(stage => {
    const duration = speeds.duration(stage);
    return duration ? [[stage.key, duration] as const] : [];
  }));
  if (stages.size < toRun.length) return undefined; // nothing is known of any stage
  const { least, chain } = leastTime(toRun, stage => stages.get(stage.key)!.seconds, workers);
  const measured = toRun.filter(stage => stages.get(stage.key)!.measured);
  return { seconds: least, chainSeconds: chain, workers, shapes: speeds.count(toRun), measuredShapes: speeds.count(measured), stages };
}

/** Undefined when no kind says what its stages take. */
async function diskForecast({ study, plan }: Chosen, toRun: readonly PlannedStage[], store: string, workers: number): Promise<DiskForecast | undefined> {
  const kinds = new Map<string, StageKind>(study.kinds.map(kind => [kind.name, kind]));
  const disks = toRun.flatMap((stage): StageDisk[] => {
    const inputs = Object.fromEntries(Object.entries(stage.upstream).map(([slot, key]) => [slot, plan.stages.get(key)!.recipe]));
    const disk = kinds.get(stage.kind)?.disk?.(stage.recipe, inputs);
    return disk ? [disk] : [];
  });
  if (disks.length === 0) return undefined;
  const atOnce = disks.map(d => d.checkpoint).sort((a, b) => b - a).slice(0, workers);
  return {
    outputs: disks.reduce((sum, d) => sum + d.output, 0),
    checkpoints: CHECKPOINTS_AT_ONCE * atOnce.reduce((sum, bytes) => sum + bytes, 0),
    free: await freeBytes(store),
  };
}
