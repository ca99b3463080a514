/**
 * Runs attempts somewhere: worker processes here, jobs of a cluster elsewhere. What an attempt came to is not told by
 * messages, which may be lost, late or doubled, but stands in the store; an executor says only that a job has ended.
 */
import type { Execution, Progress } from '../../ablation/kind.ts';
import type { Place } from '../devices.ts';

/** All that a worker needs to run one attempt. Plain JSON. */
export interface Task {
  /** Folder of the declarations; its study brings the kinds. */
  readonly experiments: string;
  readonly store: string;
  readonly key: string;
  readonly attempt: number;
  readonly place: string;
  readonly execution: Execution;
  /** Milliseconds between periodic checkpoints. */
  readonly checkpointEvery: number;
  /** Command line of the runner, for the provenance. */
  readonly command: readonly string[];
}

/** How a job ended, as far as the system tells. */
export interface Ended {
  readonly exitCode?: number;
  readonly signal?: string;
  /** Why it could not be started. */
  readonly error?: string;
}

export interface Job {
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** Asks to checkpoint and leave; after `grace` milliseconds forces it. */
  stop(grace: number): void;
  /** Ends it at once. */
  kill(): void;
}

export interface Executor {
  /** Takes a free place, or nothing when all are in use. */
  reserve(): Place | undefined;
  /** Gives back a place for which nothing was submitted. */
  release(place: Place): void;
  /** Starts the task on a reserved place, which is free again when the job has ended. */
  submit(place: Place, task: Task, logFile: string, onProgress: (progress: Progress) => void): Job;
}
