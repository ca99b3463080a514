/** One worker process: started once, fed with one job after the other. */
import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execaNode, type ResultPromise } from 'execa';
import { WorkerOutput } from '../../store/worker-output.ts';
import { placeEnvironment, type Place } from '../devices.ts';
import { exitCodes, type FromWorker, type ToWorker } from '../protocol.ts';
import type { Ended, Job, OnProgress, Task } from './executor.ts';

const WORKER = fileURLToPath(new URL('../worker.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Between SIGTERM and SIGKILL, and from being sent away to SIGKILL. */
const TERM_MS = 5_000;

interface Current {
  readonly task: Task;
  readonly onProgress: OnProgress;
  /** Size of the output when the job began. */
  readonly mark: number;
  readonly end: (ended: Ended) => void;
  sent: boolean;
}

export class LocalWorker {
  readonly environment: Task['environment'];
  /** Resolves when the process has ended. */
  readonly gone: Promise<unknown>;
  readonly #output: WorkerOutput;
  readonly #process: ResultPromise<ReturnType<typeof options>>;
  /** Says that it can take a job. */
  #free = false;
  #alive = true;
  #job: Current | undefined;

  constructor(place: Place, { store, environment }: Pick<Task, 'store' | 'environment'>) {
    this.environment = environment;
    this.#output = new WorkerOutput(store, place.name);
    const fd = this.#output.open();
    try {
      // The worker removes its output when it leaves in peace, even when we are gone by then.
      this.#process = execaNode(WORKER, [this.#output.path], options(place, environment, fd));
    } finally {
      closeSync(fd);
    }
    this.#process.on('message', (message: FromWorker) => this.#receive(message));
    this.gone = this.#process.then(result => this.#ended(result));
  }

  /** Whether it lives and has no job. */
  get idle(): boolean {
    return this.#alive && this.#process.connected && this.#job === undefined;
  }

  run(task: Task, onProgress: OnProgress): Job {
    const ended = new Promise<Ended>(end => {
      this.#job = { task, onProgress, mark: this.#output.size(), end, sent: false };
      this.#sendJob();
    });
    const stop = (grace: number): void => {
      this.#send({ type: 'stop' });
      const timer = setTimeout(() => this.#process.kill('SIGTERM'), grace);
      void ended.then(() => clearTimeout(timer));
    };
    return { ended, stop, kill: () => void this.#process.kill('SIGKILL') };
  }

  /** Sends it away. A worker at work checkpoints first. */
  async leave(): Promise<void> {
    const timer = this.idle ? setTimeout(() => this.#process.kill('SIGKILL'), TERM_MS) : undefined;
    if (this.#process.connected) this.#process.disconnect();
    await this.gone;
    clearTimeout(timer);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'progress') {
      this.#job?.onProgress(message.key, message.progress);
      return;
    }
    this.#free = true;
    if (this.#job?.sent === true) this.#endJob({ alive: true });
    else this.#sendJob();
  }

  #sendJob(): void {
    if (!this.#free || this.#job === undefined) return;
    this.#free = false;
    this.#job.sent = true;
    this.#send({ type: 'run', task: this.#job.task });
  }

  #send(message: ToWorker): void {
    // A worker that has just ended cannot be told anything; that it ended is seen below.
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  #endJob(ended: Ended): void {
    const job = this.#job;
    this.#job = undefined;
    job?.end(ended);
  }

  #ended({ exitCode, signal, shortMessage }: { exitCode?: number | undefined; signal?: string | undefined; shortMessage?: string | undefined }): void {
    this.#alive = false;
    const text = this.#output.since(this.#job?.mark ?? 0);
    const inPeace = exitCode === exitCodes.done || exitCode === exitCodes.interrupted;
    if (!inPeace && text === '') this.#output.remove();
    const how = exitCode !== undefined ? { exitCode } : signal !== undefined ? { signal } : { error: shortMessage ?? 'it did not start' };
    this.#endJob({ ...how, ...(!inPeace && text !== '' && { output: { text, file: this.#output.path } }) });
  }
}

const options = (place: Place, environment: Task['environment'], output: number) => ({
  nodeOptions: ['--import', TSX],
  env: { ...placeEnvironment(place), ...environment },
  stdin: 'ignore',
  // The worker owns its end of the file: lines written after our death are kept.
  // execa takes any descriptor; its types list only 3 to 9.
  stdout: output as 3,
  stderr: output as 3,
  ipc: true,
  buffer: false,
  reject: false,
  cleanup: false,
  forceKillAfterDelay: TERM_MS,
} as const);
