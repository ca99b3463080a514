/** A loader's thread: makes the part of a batch that it is asked for. One thread serves one loader after the other. */
import { parentPort } from 'node:worker_threads';
import { fillBatch, type BatchPlan, type FilledBatch } from './batch.ts';

/** Places of a batch, whose arrays are shared; `to` is excluded. */
export interface BatchPart {
  readonly batch: FilledBatch;
  readonly from: number;
  readonly to: number;
}

/** What to make from now on, or one part of it. `loader` tells the loaders of a thread apart. */
export type ToThread = { readonly loader: number } & ({ readonly plan: BatchPlan } | { readonly part: BatchPart });
/** A part of the batch of this step is made. */
export interface FromThread {
  readonly loader: number;
  readonly step: number;
}

const port = parentPort;
if (!port) throw new Error('Expected to run in a thread that loader.ts starts, got the main thread.');

let current: { readonly loader: number; readonly plan: BatchPlan } | undefined;

port.on('message', (message: ToThread) => {
  if ('plan' in message) {
    current = message;
    return;
  }
  const { loader, part } = message;
  if (current?.loader !== loader) return;
  fillBatch(current.plan, part.batch, part.from, part.to);
  port.postMessage({ loader, step: part.batch.step } satisfies FromThread);
});
