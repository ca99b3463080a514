/** Where everything stands in a store. */
import { join } from 'node:path';

/** Raised when a store written by this program cannot be read by the version before. */
export const STORE_FORMAT = 2;

export const layout = {
  format: (store: string) => join(store, 'store.json'),
  stages: (store: string) => join(store, 'stages'),
  sweeps: (store: string) => join(store, 'sweeps'),
  /** What worker processes print beside the logs of their attempts. */
  workers: (store: string) => join(store, 'workers'),
  /** Jobs that were handed to a scheduler. */
  jobs: (store: string) => join(store, 'jobs'),
  stage: (store: string, key: string) => join(store, 'stages', key),
  identity: (stage: string) => join(stage, 'stage.json'),
  done: (stage: string) => join(stage, 'done'),
  attempts: (stage: string) => join(stage, 'attempts'),
  attempt: (stage: string, attempt: number) => join(stage, 'attempts', String(attempt)),
} as const;

/** Files of one attempt, relative to its folder. */
export const attemptFiles = {
  owner: 'attempt.json',
  worker: 'worker.json',
  heartbeat: 'heartbeat',
  log: 'log.txt',
  states: 'state.jsonl',
  provenance: 'provenance.json',
  /** Beside the provenance: how the code of the program and of the study differed from their commits, if they did. */
  diff: 'diff.patch',
  studyDiff: 'study.patch',
  metrics: 'metrics.jsonl',
  progress: 'progress.jsonl',
  resumed: 'resumed.json',
  checkpoints: 'checkpoints',
  output: 'output',
  manifest: 'manifest.json',
  result: 'result.json',
  /** Beside the result of a stage that tests: which items were right. */
  items: 'items.bin',
} as const;

/** What of an attempt its manifest vouches for. */
export const COMMITTED: readonly string[] = [attemptFiles.output, attemptFiles.result, attemptFiles.items];
