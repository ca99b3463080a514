/** Messages between a runner and its worker. Results and failures are not among them: those stand in the store. */
import type { Progress } from '../ablation/kind.ts';
import type { Task } from './executors/executor.ts';

export type ToWorker =
  | { readonly type: 'run'; readonly task: Task }
  /** Checkpoint and leave. */
  | { readonly type: 'stop' };

export type FromWorker =
  /** Listening; send the task. */
  { readonly type: 'ready' } | { readonly type: 'progress'; readonly progress: Progress };

/** Exit codes of a worker, for logs; the store holds the truth. */
export const exitCodes = { done: 0, failed: 1, interrupted: 75 } as const;
