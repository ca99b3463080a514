/** Where the stages of a plan stand at one moment, and who works on them: read from the store alone, whichever process runs the sweep. */
import { lstatSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Phase } from '../ablation/kind.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { Place } from '../runner/devices.ts';
import { unlessDamaged } from '../store/errors.ts';
import { attemptFiles } from '../store/layout.ts';
import { isOwnerAlive, isVisible, ownerTag, type Owner } from '../store/owner.ts';
import { lastWriteTime, readProgress, type ProgressLine } from '../store/progress.ts';
import { LEASE_MS, type ReadOptions, type StageState, type StoreReader } from '../store/reader.ts';
import { attemptPlace, type AttemptRecord } from '../store/records.ts';
import { openStoreIfThere } from '../store/store.ts';
import { placeNamed } from './places.ts';

/** What is known of a running stage. */
export interface StageProgress {
  /** `cpu:0`. */
  readonly place: string;
  /** Where it has those of idle workers as well. */
  readonly threads?: number;
  readonly owner: Owner;
  /** Absent until its worker has begun. */
  readonly phase?: Phase;
  readonly step?: number;
  /** 0 where the stage does not say. */
  readonly steps?: number;
  readonly stepsPerSecond?: number;
  readonly imagesPerSecond?: number;
  /** Share of the time of its steps in which they waited for data. */
  readonly waiting?: number;
  /** Of its steps, at their present pace. */
  readonly secondsLeft?: number;
  /** Since its worker last wrote anything. */
  readonly silentSeconds?: number;
}

export interface StageSnapshot {
  readonly stage: PlannedStage;
  readonly state: StageState;
  /** Of the newest attempt, else absent. */
  readonly log?: string;
  /** While it runs. */
  readonly progress?: StageProgress;
}

/** A stage that a worker has begun. */
export type WorkingStage = StageSnapshot & { readonly progress: StageProgress };

export interface Snapshot {
  /** In the order of the plan. */
  readonly stages: readonly StageSnapshot[];
  /** Processes that run a sweep of these stages: the owners of attempts that still live, whether or not they have one just now. */
  readonly runners: readonly Owner[];
}

/** Looks again and again: heartbeats of other hosts are judged by whether they move between two looks. */
export class StoreWatcher {
  readonly #dir: string;
  readonly #plan: Plan;
  readonly #lease: number;
  readonly #warn: (message: string) => void;
  #reader: StoreReader | undefined;
  /** Attempts never change their owner. */
  readonly #attempts = new Map<string, AttemptRecord>();
  /** Heartbeats as they were first seen. */
  readonly #beats = new Map<string, number>();

  constructor(dir: string, plan: Plan, { lease = LEASE_MS, warn = () => undefined }: ReadOptions = {}) {
    this.#dir = dir;
    this.#plan = plan;
    this.#lease = lease;
    this.#warn = warn;
  }

  get lease(): number {
    return this.#lease;
  }

  /** Undefined as long as there is no store. @throws StoreError when it is none, or a newer one */
  get store(): StoreReader | undefined {
    return (this.#reader ??= openStoreIfThere(this.#dir, { lease: this.#lease, warn: this.#warn }));
  }

  snapshot(now = Date.now()): Snapshot {
    const { store } = this;
    const stages = [...this.#plan.stages.values()].map(stage => (store ? this.#stage(store, stage, now) : { stage, state: { state: 'absent' as const } }));
    return { stages, runners: this.#runners(stages) };
  }

  /** Where the workers of the running sweeps work, as far as they have begun. */
  places({ stages, runners }: Snapshot): Place[] {
    const alive = new Set(runners.map(ownerTag));
    const found = new Map<string, Place>();
    for (const { stage, state } of stages) {
      if (state.state === 'absent' || !this.store) continue;
      const attempt = this.#attempt(this.store, stage.key, state.attempt);
      if (!attempt || !alive.has(ownerTag(attempt.owner))) continue;
      const name = `${ownerTag(attempt.owner)} ${attempt.place}`;
      if (!found.has(name)) found.set(name, placeNamed(attempt.place, this.#threads(stage.key)));
    }
    return [...found.values()];
  }

  /** Whether a stage counts as running only because its heartbeat, of another host or a stopped process, has not been watched long enough. */
  mayBeGone({ stages }: Snapshot, now = Date.now()): boolean {
    return stages.some(({ stage, state }) => {
      if (state.state !== 'running' || isOwnerAlive(state.owner) === true) return false;
      const path = join(this.store!.attemptDir(stage.key, state.attempt), attemptFiles.heartbeat);
      const beat = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
      if (beat === undefined) return true;
      const first = this.#beats.get(path) ?? beat;
      this.#beats.set(path, first);
      // One that has moved since is alive, however wrong its clock is.
      return beat === first && Math.abs(now - beat) > this.#lease;
    });
  }

  #stage(store: StoreReader, stage: PlannedStage, now: number): StageSnapshot {
    const state = store.state(stage.key);
    if (state.state === 'absent') return { stage, state };
    const log = store.logFile(stage.key, state.attempt);
    if (state.state !== 'running') return { stage, state, log };
    const dir = store.attemptDir(stage.key, state.attempt);
    const sign = lastWriteTime(dir);
    return {
      stage,
      state,
      log,
      progress: {
        place: attemptPlace(this.#attempt(store, stage.key, state.attempt)),
        ...this.#widened(stage.key),
        owner: state.owner,
        ...progressOf(readProgress(dir)),
        ...(sign !== undefined && { silentSeconds: Math.max(0, (now - sign) / 1e3) }),
      },
    };
  }

  #runners(stages: readonly StageSnapshot[]): Owner[] {
    const alive = new Map<string, Owner>();
    for (const { stage, state } of stages) {
      if (state.state === 'absent' || !this.store) continue;
      const owner = this.#attempt(this.store, stage.key, state.attempt)?.owner;
      if (owner && (isOwnerAlive(owner) ?? state.state === 'running')) alive.set(ownerTag(owner), owner);
    }
    return [...alive.values()];
  }

  /** Those of its place; 1 until its worker has said more. */
  #threads(key: string): number {
    const { threads, borrowed_threads: borrowed } = unlessDamaged(() => this.store?.provenance(key)) ?? {};
    return typeof threads === 'number' ? threads - (typeof borrowed === 'number' ? borrowed : 0) : 1;
  }

  #widened(key: string): Pick<StageProgress, 'threads'> {
    const { threads, borrowed_threads: borrowed } = unlessDamaged(() => this.store?.provenance(key)) ?? {};
    return typeof threads === 'number' && borrowed !== undefined ? { threads } : {};
  }

  /** Undefined when its file is damaged. */
  #attempt(store: StoreReader, key: string, attempt: number): AttemptRecord | undefined {
    const name = `${key}/${attempt}`;
    const known = this.#attempts.get(name) ?? unlessDamaged(() => store.attempt(key, attempt));
    if (known) this.#attempts.set(name, known);
    return known;
  }
}

/** `process 123`, and where it is unless its number means something here. */
export function ownerText(owner: Owner): string {
  const { host, pid } = owner;
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return isVisible(owner) ? `process ${pid}` : `process ${pid} on ${host}, of another container or boot`;
}

/** Between two lines, so that the pace is of now. */
const RECENT_MS = 120_000;

/** Phase and step of the last line; the pace from the lines of the last two minutes before it. @internal */
export function progressOf(lines: readonly ProgressLine[]): Partial<StageProgress> {
  const last = lines.at(-1);
  if (!last) return {};
  const { phase } = last;
  // Loading and saving may count no steps: the last that did tell how far it is.
  const steps = lines.filter(line => line.steps > 0);
  const at = steps.at(-1),
    from = steps.slice(lastSetBack(steps)).find(line => at && Date.parse(at.time) - Date.parse(line.time) <= RECENT_MS);
  if (!at || !from) return { phase };
  const seconds = (Date.parse(at.time) - Date.parse(from.time)) / 1e3;
  const pace = seconds > 0 && at.step > from.step ? (at.step - from.step) / seconds : undefined;
  const { images_per_second: images, waiting } = lines.findLast(line => line.images_per_second !== undefined) ?? {};
  return {
    phase,
    step: at.step,
    steps: at.steps,
    ...(pace !== undefined && { stepsPerSecond: pace, secondsLeft: (at.steps - at.step) / pace }),
    ...(images !== undefined && { imagesPerSecond: images }),
    ...(waiting !== undefined && { waiting }),
  };
}

/** Index of the first line after the clock was last set back. */
const lastSetBack = (lines: readonly ProgressLine[]): number =>
  Math.max(
    0,
    lines.findLastIndex((line, i) => i > 0 && line.time < lines[i - 1]!.time),
  );

/** Running stages by the worker that runs them side by side; of one worker in the order of the plan. */
export function workersOf({ stages }: Snapshot): WorkingStage[][] {
  const byWorker = new Map<string, WorkingStage[]>();
  for (const snapshot of stages) {
    const { progress } = snapshot;
    if (!progress) continue;
    // Before its worker has begun, an attempt belongs to the runner, which has several places.
    const name = `${progress.place} ${ownerTag(progress.owner)}`;
    byWorker.set(name, [...(byWorker.get(name) ?? []), { ...snapshot, progress }]);
  }
  return [...byWorker].sort(([a], [b]) => a.localeCompare(b)).map(([, members]) => members);
}
