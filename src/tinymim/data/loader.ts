/**
 * Batches made in a thread of their own, a few steps ahead: training blocks the main thread, and must not wait for images.
 */
import { Worker } from 'node:worker_threads';
import { stepsPerEpoch, type Batch, type BatchPlan } from './batch.ts';
import { DataError } from './errors.ts';
import type { FromThread, ToThread } from './loader-thread.ts';

export interface LoaderOptions extends BatchPlan {
  /** First step; those before it are not made. */
  readonly startStep: number;
  /** The step after the last. */
  readonly endStep: number;
  /** Batches that may be ready or in the making, at least 1; bounds the memory. */
  readonly prefetch?: number;
}

export interface Loader {
  /**
   * The batch of the next step. Its arrays are the caller's own.
   * @throws RangeError after the last step; DataError `LOADER_THREAD` if the thread failed, `LOADER_CLOSED` after `close`
   */
  next(): Promise<Batch>;
  /** Gives the thread back. Batches still asked for are rejected. */
  close(): Promise<void>;
}

/**
 * Takes a thread; it must be closed.
 * @throws DataError `DATA_INVALID` for a batch larger than the set
 */
export function createLoader(options: LoaderOptions): Loader {
  stepsPerEpoch(options);
  return new ThreadLoader(options);
}

interface Waiting {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

/** The thread of the last loader that was closed: starting one takes a good part of a second. */
let idle: Worker | undefined;
let loaders = 0;

function takeThread(): Worker {
  const thread = idle ?? startThread();
  idle = undefined;
  thread.ref();
  return thread;
}

function startThread(): Worker {
  const thread = new Worker(new URL('./loader-thread.mjs', import.meta.url), { execArgv: [] });
  const forget = (): void => {
    if (idle === thread) idle = undefined;
  };
  return thread.once('error', forget).once('exit', forget);
}

/** It does not keep the program from ending. */
async function keepThread(thread: Worker): Promise<void> {
  if (idle) {
    await thread.terminate();
    return;
  }
  idle = thread;
  thread.unref();
}

class ThreadLoader implements Loader {
  readonly #thread = takeThread();
  readonly #id = ++loaders;
  readonly #endStep: number;
  readonly #ready: Batch[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #listeners: readonly (readonly [event: string, listener: (value: unknown) => void])[];
  /** Step that the next call of `next` gets, and the next one to ask the thread for. */
  #next: number;
  #ask: number;
  #failure: Error | undefined;
  #closed = false;

  constructor({ startStep, endStep, prefetch = 4, set, batchSize, seed, augment, withLabels }: LoaderOptions) {
    const plan: BatchPlan = { set, batchSize, seed, augment, withLabels };
    this.#next = this.#ask = startStep;
    this.#endStep = endStep;
    this.#listeners = [
      [
        'message',
        answer => {
          this.#take(answer as FromThread);
        },
      ],
      ['error', cause => this.#fail(new DataError('LOADER_THREAD', `The loader's thread failed: ${(cause as Error).message}`, { cause }))],
      ['exit', code => this.#fail(new DataError('LOADER_THREAD', `Expected the loader's thread to run until closed, got exit code ${String(code)}.`))],
    ];
    for (const [event, listener] of this.#listeners) this.#thread.on(event, listener);
    this.#send({ loader: this.#id, plan });
    for (let i = 0; i < Math.max(prefetch, 1); i++) this.#request();
  }

  next(): Promise<Batch> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#next >= this.#endStep) return Promise.reject(new RangeError(`Expected at most ${this.#endStep} steps, got a request for one more.`));
    this.#next++;
    const batch = this.#ready.shift();
    if (!batch) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#request();
    return Promise.resolve(batch);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const broken = this.#failure !== undefined;
    this.#fail(new DataError('LOADER_CLOSED', 'Expected an open loader, got one that was closed.'));
    for (const [event, listener] of this.#listeners) this.#thread.off(event, listener);
    await (broken ? this.#thread.terminate() : keepThread(this.#thread));
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #request(): void {
    if (this.#ask < this.#endStep) this.#send({ loader: this.#id, step: this.#ask++ });
  }

  /** The loader that had the thread before may have asked for more than it took. */
  #take({ loader, batch }: FromThread): void {
    if (loader !== this.#id) return;
    const waiting = this.#waiting.shift();
    if (!waiting) {
      this.#ready.push(batch);
      return;
    }
    this.#request();
    waiting.resolve(batch);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#ready.length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
