/**
 * Batches made in a thread of their own, a few steps ahead: training blocks the main thread, and must not wait for images.
 */
import { Worker } from 'node:worker_threads';
import { stepsPerEpoch, type Batch, type BatchPlan } from './batch.ts';
import { DataError } from './errors.ts';

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
  /** Ends the thread. Batches still asked for are rejected. */
  close(): Promise<void>;
}

/**
 * Starts the thread; it must be closed.
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

class ThreadLoader implements Loader {
  readonly #thread: Worker;
  readonly #endStep: number;
  readonly #ready: Batch[] = [];
  readonly #waiting: Waiting[] = [];
  /** Step that the next call of `next` gets, and the next one to ask the thread for. */
  #next: number;
  #ask: number;
  #failure: Error | undefined;

  constructor({ startStep, endStep, prefetch = 4, set, batchSize, seed, augment, withLabels }: LoaderOptions) {
    const plan: BatchPlan = { set, batchSize, seed, augment, withLabels };
    this.#next = this.#ask = startStep;
    this.#endStep = endStep;
    this.#thread = new Worker(new URL('./loader-thread.mjs', import.meta.url), { workerData: plan, execArgv: [] });
    this.#thread.on('message', (batch: Batch) => this.#deliver(batch));
    this.#thread.on('error', cause => this.#fail(new DataError('LOADER_THREAD', `The loader's thread failed: ${cause.message}`, { cause })));
    this.#thread.on('exit', code => this.#fail(new DataError('LOADER_THREAD', `Expected the loader's thread to run until closed, got exit code ${code}.`)));
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
    this.#fail(new DataError('LOADER_CLOSED', 'Expected an open loader, got one that was closed.'));
    await this.#thread.terminate();
  }

  #request(): void {
    if (this.#ask < this.#endStep) this.#thread.postMessage(this.#ask++);
  }

  #deliver(batch: Batch): void {
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
