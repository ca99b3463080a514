/** What both sides of the race of loaders are asked. */

/** What images are loaded for, each with the transforms of the official code. */
export const TASKS = ['training', 'distillation', 'evaluation'] as const;
type Task = (typeof TASKS)[number];

export interface OpenRequest {
  /** Of class folders. */
  readonly folder: string;
  /** Threads or processes that load. */
  readonly workers: number;
  /** Images of a batch. */
  readonly batch: number;
}

/** The seconds that `batches` take to come after the first `warm` of them. */
export interface LoadRequest {
  readonly task: Task;
  readonly warm: number;
  readonly batches: number;
}

/** The seconds for reading and decoding so many, one after the other. */
export interface DecodeRequest {
  readonly images: number;
}
