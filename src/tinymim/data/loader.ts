/**
 * Batches made in threads of their own, a few steps ahead: training blocks the main thread, and must not wait for images. Images in memory
 * need one thread; of images in files, which are decoded, several make the parts of a batch at once.
 */
import { Worker } from 'node:worker_threads';
import { loadedBinding } from '../../engine/binding.ts';
import { emptyBatch, imageSize, isDivisible, stepsPerEpoch, type Batch, type BatchPlan } from './batch.ts';
import { DataError } from './errors.ts';
import { evalBatches, imageBytes, type EvalBatch, type ImageSet } from './image-set.ts';
import { loadersOfProcess } from './loaders.ts';
import type { LoaderThreadData } from './native.ts';
import type { BatchPart, FromThread, ToThread } from './loader-thread.ts';

export interface LoaderOptions extends BatchPlan {
  /** First step; those before it are not made. */
  readonly startStep: number;
  /** The step after the last. */
  readonly endStep: number;
  /** Batches that may be ready or in the making, at least 1; bounds the memory. */
  readonly prefetch?: number;
  /** For images in files; default: what the process was given. No batch depends on it. */
  readonly threads?: number;
}

export interface Loader {
  /**
   * The batch of the next step. Its arrays are the caller's own, until it gives them back.
   * @throws RangeError after the last step; DataError `LOADER_THREAD` if a thread failed, `LOADER_CLOSED` after `close`
   */
  next(): Promise<Batch>;
  /** Takes the arrays of a batch for a later one. What threads share counts nothing in the pressure on memory: batches left to the garbage collection would lie about by the gigabyte. */
  release(batch: Pick<Batch, 'images' | 'studentImages' | 'maps'>): void;
  /** Gives the threads back. Batches still asked for are rejected. */
  close(): Promise<void>;
}

/**
 * Takes threads; it must be closed.
 * @throws DataError `DATA_INVALID` for a batch larger than the set
 */
export function createLoader(options: LoaderOptions): Loader {
  if (!options.evaluation) stepsPerEpoch(options);
  return new ThreadLoader(options);
}

/**
 * All images of a set in their order, as `evalBatches` gives them; those in files are decoded by the threads of a loader, ahead of who uses them.
 * The images of a batch are valid until the next one is asked for.
 * @param resize of the shorter side, before the centre is cut out; see `centralImage`
 */
export async function* loadEvaluation(set: ImageSet, batchSize: number, resize?: number): AsyncGenerator<EvalBatch, void> {
  if (!set.files) {
    yield* evalBatches(set, batchSize, resize);
    return;
  }
  const batches = Math.ceil(set.count / batchSize);
  const loader = createLoader({ set, batchSize, seed: 0, augment: {}, withLabels: true, evaluation: { resize }, startStep: 0, endStep: batches });
  try {
    for (let step = 0; step < batches; step++) {
      const batch = await loader.next();
      yield { start: step * batchSize, images: batch.images, labels: batch.labels };
      loader.release(batch);
    }
  } finally {
    await loader.close();
  }
}

interface Waiting {
  readonly resolve: (batch: Batch) => void;
  readonly reject: (error: Error) => void;
}

/** The threads of loaders that were closed: starting one takes a good part of a second. */
const idle: Worker[] = [];
let loaders = 0;

function takeThread(): Worker {
  const thread = idle.pop() ?? startThread();
  thread.ref();
  return thread;
}

function startThread(): Worker {
  const thread = new Worker(new URL('./loader-thread.mjs', import.meta.url), { execArgv: [], workerData: { binding: loadedBinding() } satisfies LoaderThreadData });
  const forget = (): void => {
    if (idle.includes(thread)) idle.splice(idle.indexOf(thread), 1);
  };
  return thread.once('error', forget).once('exit', forget);
}

/** It does not keep the program from ending. */
async function keepThread(thread: Worker): Promise<void> {
  if (idle.length >= loadersOfProcess()) {
    await thread.terminate();
    return;
  }
  idle.push(thread);
  thread.unref();
}

/** Bytes of all batches that are used, ready or in the making, where they are large. */
const MOST_BYTES = 4e9;
const PREFETCH = 4;

/** Batches that are ready or in the making beside the one that is used. @internal */
export function defaultPrefetch(plan: BatchPlan): number {
  const bytes = plan.batchSize * imageBytes(imageSize(plan)) * (plan.augment.studentJitter ? 2 : 1);
  return Math.min(Math.max(Math.floor(MOST_BYTES / bytes) - 1, 1), PREFETCH);
}

/** Parts that a thread has been sent and not answered. */
const SENT_AT_ONCE = 2;
/** Few enough for messages to cost nothing, enough for all threads to end at once. */
const PARTS_OF_THREAD = 4;

interface Making {
  readonly batch: Batch;
  /** Parts that are not made yet. */
  left: number;
}

class ThreadLoader implements Loader {
  readonly #plan: BatchPlan;
  readonly #threads: readonly Worker[];
  readonly #sent = new Map<Worker, number>();
  readonly #id = ++loaders;
  readonly #endStep: number;
  readonly #parts: BatchPart[] = [];
  readonly #making = new Map<number, Making>();
  readonly #waiting: Waiting[] = [];
  /** Memory of batches that were given back. */
  readonly #free: Uint8Array[] = [];
  readonly #listeners: readonly (readonly [thread: Worker, event: string, listener: (value: unknown) => void])[];
  /** Step that the next answer has, step that the next call of `next` gets, and the next one to be made. */
  #answer: number;
  #next: number;
  #ask: number;
  #failure: Error | undefined;
  #closed = false;

  constructor({ startStep, endStep, prefetch, threads = loadersOfProcess(), set, batchSize, seed, augment, withLabels, evaluation }: LoaderOptions) {
    this.#plan = { set, batchSize, seed, augment, withLabels, ...(evaluation && { evaluation }) };
    this.#answer = this.#next = this.#ask = startStep;
    this.#endStep = endStep;
    this.#threads = Array.from({ length: isDivisible(this.#plan) ? threads : 1 }, takeThread);
    this.#listeners = this.#threads.flatMap(thread => [
      [
        thread,
        'message',
        (answer: unknown) => {
          this.#take(thread, answer as FromThread);
        },
      ],
      [thread, 'error', (cause: unknown) => this.#fail(new DataError('LOADER_THREAD', `The loader's thread failed: ${(cause as Error).message}`, { cause }))],
      [thread, 'exit', (code: unknown) => this.#fail(new DataError('LOADER_THREAD', `Expected the loader's thread to run until closed, got exit code ${String(code)}.`))],
    ]);
    for (const [thread, event, listener] of this.#listeners) thread.on(event, listener);
    for (const thread of this.#threads) thread.postMessage({ loader: this.#id, plan: this.#plan } satisfies ToThread);
    for (let i = 0; i < Math.max(prefetch ?? defaultPrefetch(this.#plan), 1); i++) this.#make();
  }

  next(): Promise<Batch> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#next >= this.#endStep) return Promise.reject(new RangeError(`Expected at most ${this.#endStep} steps, got a request for one more.`));
    this.#next++;
    const answered = new Promise<Batch>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#deliver();
    return answered;
  }

  release({ images, studentImages, maps }: Pick<Batch, 'images' | 'studentImages' | 'maps'>): void {
    this.#free.push(images, ...[studentImages, maps].flatMap(array => array ?? []));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const broken = this.#failure !== undefined;
    this.#fail(new DataError('LOADER_CLOSED', 'Expected an open loader, got one that was closed.'));
    for (const [thread, event, listener] of this.#listeners) thread.off(event, listener);
    for (const thread of this.#threads) await (broken ? thread.terminate() : keepThread(thread));
  }

  /** Has the next step made, if there is one. */
  #make(): void {
    if (this.#ask >= this.#endStep) return;
    const batch = emptyBatch(this.#plan, this.#ask++, bytes => this.#allocate(bytes));
    const batchSize = batch.images.length / imageBytes(imageSize(this.#plan)); // the last of an evaluation may be smaller
    const size = isDivisible(this.#plan) ? Math.ceil(batchSize / (this.#threads.length * PARTS_OF_THREAD)) : batchSize;
    const { step, images, studentImages, maps } = batch;
    const starts = Array.from({ length: Math.ceil(batchSize / size) }, (_, i) => i * size);
    this.#making.set(step, { batch, left: starts.length });
    this.#parts.push(...starts.map(from => ({ batch: { step, images, ...(studentImages && { studentImages }), ...(maps && { maps }) }, from, to: Math.min(from + size, batchSize) })));
    this.#send();
  }

  /** What is in it is written over. */
  #allocate(bytes: number): Uint8Array {
    const free = this.#free.findIndex(({ length }) => length === bytes);
    return free < 0 ? new Uint8Array(new SharedArrayBuffer(bytes)) : this.#free.splice(free, 1)[0]!;
  }

  /** Parts go to the threads as they have time, the first step's first. */
  #send(): void {
    for (let sent = 0; sent < SENT_AT_ONCE; sent++) {
      for (const thread of this.#threads) {
        if ((this.#sent.get(thread) ?? 0) > sent) continue;
        const part = this.#parts.shift();
        if (part === undefined) return;
        this.#sent.set(thread, (this.#sent.get(thread) ?? 0) + 1);
        thread.postMessage({ loader: this.#id, part } satisfies ToThread);
      }
    }
  }

  /** The loader that had the thread before may have asked for more than it took. */
  #take(thread: Worker, { loader, step }: FromThread): void {
    if (loader !== this.#id) return;
    this.#sent.set(thread, this.#sent.get(thread)! - 1);
    this.#making.get(step)!.left--;
    this.#send();
    this.#deliver();
  }

  #deliver(): void {
    for (let made = this.#making.get(this.#answer); made?.left === 0 && this.#waiting.length > 0; made = this.#making.get(this.#answer)) {
      this.#making.delete(this.#answer++);
      this.#make();
      this.#waiting.shift()!.resolve(made.batch);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#making.clear();
    this.#parts.length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
