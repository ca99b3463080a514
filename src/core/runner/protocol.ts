/** Messages between a runner and its worker. Results and failures are not among them: those stand in the store. */
import type { Progress } from '../ablation/kind.ts';
import type { Task } from './executors/executor.ts';

export type ToWorker =
  /** Only to a worker that is free. */
  | { readonly type: 'run'; readonly task: Task }
  /** Checkpoint and leave. */
  | { readonly type: 'stop' };

export type FromWorker =
  /** Listening for a job: once at the start, and after each job that it lives on from. */
  { readonly type: 'free' } | { readonly type: 'progress'; readonly key: string; readonly progress: Progress };

/** Exit codes of a worker; the store holds the truth. */
export const exitCodes = { done: 0, failed: 1, interrupted: 75 } as const;
