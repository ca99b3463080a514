/**
 * Runs the attempts of one runner: in its process or in processes that it starts. What an attempt came to is not told by
 * messages, which may be lost, late or doubled, but stands in the store; an executor says only that a job has ended.
 *
 * Jobs of a cluster are runners of their own, which share a store (`../run.ts`, `Share`).
 */
import type { Execution, Progress } from '../../ablation/kind.ts';
import type { KindCode } from '../../code/kind-code.ts';
import type { MemoryLimits, Place } from '../devices.ts';

/** All that a worker needs for one job: an attempt at one stage, or at each stage of a pack. Plain JSON. */
export interface Task {
  /** Folder of the declarations; its study brings the kinds. */
  readonly experiments: string;
  readonly store: string;
  /** Of one kind; of several stages only where the kind can run them side by side. */
  readonly attempts: readonly { readonly key: string; readonly attempt: number }[];
  /** The code of their kind as the runner found it; a worker looks whether it is still so. */
  readonly code?: KindCode;
  readonly place: string;
  /** Of the threads of `execution`, those of other places that were idle (default 0). */
  readonly borrowedThreads?: number;
  /** Variables that the process needs from its start, beside those that pin it to its place. */
  readonly environment: Readonly<Record<string, string>>;
  readonly execution: Execution;
  /** Milliseconds between periodic checkpoints. */
  readonly checkpointEvery: number;
  /** Command line of the runner, for the provenance. */
  readonly command: readonly string[];
  /** Milliseconds after which a worker that was asked to leave, or whose runner is gone, ends itself (default 60 s). */
  readonly grace?: number;
}

/** How a job ended, as far as the system tells. */
export interface Ended {
  /** The worker is done with the job and waits for the next. */
  readonly alive?: boolean;
  readonly exitCode?: number;
  readonly signal?: string;
  /** Whether the system ended it for want of memory, where the system tells. */
  readonly outOfMemory?: boolean;
  /** Why it could not be started. */
  readonly error?: string;
  /** What a worker that broke off printed by itself since the job began, and where all of it stands. */
  readonly output?: { readonly text: string; readonly file: string };
}

export interface Job {
  /** Never rejects. Told only when nothing of the job runs any more: its stages may then be tried again. */
  readonly ended: Promise<Ended>;
  /** Asks to checkpoint and leave; after `grace` milliseconds forces it, with all processes that it has started. */
  stop(grace: number): void;
  /** Ends it at once, with all processes that it has started. */
  kill(): void;
}

/** Told of a job while it runs; to be told late, twice or not at all does no harm. */
export interface JobListener {
  /**
   * A worker has taken it up: from now on it is to speak every now and then, or is taken for hung. A job of which this is
   * never told is not watched, as one that waits in a cluster's queue, or that a debugger holds.
   */
  readonly began: () => void;
  readonly progress: OnProgress;
}

/** A stage of a job has come further. */
export type OnProgress = (key: string, progress: Progress) => void;

export interface Executor {
  /** How many jobs can run at once. */
  readonly places: number;
  readonly memory: MemoryLimits;
  /** Takes a free place, or nothing when all are in use; of places alike one whose worker has this environment. */
  reserve(environment: Task['environment']): Place | undefined;
  /**
   * The reserved place with the threads of all free ones, which are taken with it and free again when it is. An executor that has
   * not got it cannot lend threads.
   */
  widen?(place: Place): Place;
  /** Gives back a place for which nothing was submitted. */
  release(place: Place): void;
  /** Starts the task on a reserved place, which is free again when the job has ended. */
  submit(place: Place, task: Task, listener: JobListener): Job;
  /** Sends the workers away and waits until they are gone. */
  close(): Promise<void>;
}
