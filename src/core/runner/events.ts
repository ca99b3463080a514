/** What a run tells while it goes on, and at its end. */
import type { Progress, StageResult } from '../ablation/kind.ts';
import type { Owner } from '../store/owner.ts';
import type { SilencePeriod } from './silence.ts';

export interface RunCounts {
  /** Stages that the run is about: `done + reused + failed + blocked + interrupted + running + queued`. */
  readonly total: number;
  /** Done by this run. */
  readonly done: number;
  /** Done before it. */
  readonly reused: number;
  readonly failed: number;
  /** Cannot run because something upstream failed. */
  readonly blocked: number;
  readonly interrupted: number;
  readonly running: number;
  /** Waiting for a place, for an upstream stage, or for another runner. */
  readonly queued: number;
}

export interface StageFailure {
  readonly key: string;
  readonly label: string;
  readonly code: string;
  readonly reason: string;
  /** Last lines of the log; empty when there is no attempt. */
  readonly logTail: string;
  readonly log?: string;
}

interface OfStage {
  readonly key: string;
  readonly label: string;
}

export type RunEvent = { readonly counts: RunCounts } & (
  | { readonly type: 'begin' }
  /** `threads`: where it has those of idle workers as well; `pack`: keys of the stages that the worker runs side by side, this one among them. */
  | (OfStage & { readonly type: 'started'; readonly attempt: number; readonly place: string; readonly threads?: number; readonly pack: readonly string[] })
  | (OfStage & { readonly type: 'progress'; readonly place: string; readonly progress: Progress })
  /** Its worker has been silent for long; it is stopped when its limit is reached, unless it speaks before (`progress`). */
  | (OfStage & SilencePeriod & { readonly type: 'stalled'; readonly place: string })
  /** Another live runner works on it; its result will be used. */
  | (OfStage & { readonly type: 'waiting'; readonly owner: Owner })
  /** `workerSeconds`: its share of the time of workers, of which one, or all whose threads it has, spend `seconds` on the whole pack. */
  | (OfStage & { readonly type: 'finished'; readonly seconds: number; readonly workerSeconds: number; readonly result: StageResult })
  /** Done by another runner meanwhile. */
  | (OfStage & { readonly type: 'reused' })
  /** `microBatches`: of the next attempt, times those of the recipe. */
  | { readonly type: 'retry'; readonly failure: StageFailure; readonly microBatches: number }
  | { readonly type: 'failed'; readonly failure: StageFailure }
  | (OfStage & { readonly type: 'blocked'; readonly by: string })
  | (OfStage & { readonly type: 'interrupted' })
);

/** Before the counts are added. */
export type EventWithoutCounts = RunEvent extends infer E ? (E extends unknown ? Omit<E, 'counts'> : never) : never;

export interface RunSummary {
  /** Keys computed by this run, in the order in which they were done. */
  readonly done: readonly string[];
  readonly reused: readonly string[];
  readonly failed: readonly StageFailure[];
  readonly blocked: readonly string[];
  /** Stopped on request after a checkpoint. */
  readonly interrupted: readonly string[];
  /** Not started because the run was stopped. */
  readonly left: readonly string[];
}
