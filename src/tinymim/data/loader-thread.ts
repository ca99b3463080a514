/** The loader's thread: answers each step number with its batch. One thread serves one loader after the other. */
import { parentPort } from 'node:worker_threads';
import { makeBatch, type Batch, type BatchPlan } from './batch.ts';

/** What to make from now on, or one step of it. `loader` tells the loaders of a thread apart. */
export type ToThread = { readonly loader: number } & ({ readonly plan: BatchPlan } | { readonly step: number });
export interface FromThread {
  readonly loader: number;
  readonly batch: Batch;
}

const port = parentPort;
if (!port) throw new Error('Expected to run in a thread that loader.ts starts, got the main thread.');

let current: { readonly loader: number; readonly plan: BatchPlan } | undefined;

port.on('message', (message: ToThread) => {
  if ('plan' in message) {
    current = message;
    return;
  }
  const { loader, step } = message;
  if (current?.loader !== loader) return;
  const batch = makeBatch(current.plan, step);
  const buffers = [batch.images, batch.studentImages, batch.erased, batch.labels].flatMap(array => array?.buffer ?? []);
  port.postMessage({ loader, batch } satisfies FromThread, buffers as ArrayBuffer[]);
});
