/** One worker process: started once, fed with one job after the other. */
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execaNode, type ResultPromise } from 'execa';
import { WorkerOutput } from '../../store/worker-output.ts';
import { placeEnvironment, type Place } from '../devices.ts';
import { NODE_OPTIONS } from '../node-options.ts';
import { kernelKills } from '../out-of-memory.ts';
import { killTree } from '../process-tree.ts';
import { exitCodes, type FromWorker, type ToWorker } from '../protocol.ts';
import type { Ended, Job, JobListener, Task } from './executor.ts';

const WORKER = fileURLToPath(new URL('../worker.mjs', import.meta.url));

/** Between SIGTERM and SIGKILL, and from being sent away to SIGKILL. */
const TERM_MS = 5_000;

interface Current {
  readonly task: Task;
  readonly listener: JobListener;
  /** Size of the output when the job began. */
  readonly mark: number;
  /** What `kernelKills` said then. */
  readonly kills: number | undefined;
  readonly end: (ended: Ended) => void;
  sent: boolean;
}

export class LocalWorker {
  readonly environment: Task['environment'];
  /** Those that the engine takes when it is loaded. */
  readonly threads: number;
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
    this.threads = place.threads;
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

  run(task: Task, listener: JobListener): Job {
    const ended = new Promise<Ended>(end => {
      this.#job = { task, listener, mark: this.#output.size(), kills: kernelKills(), end, sent: false };
      this.#sendJob();
    });
    listener.began(); // the start of a process is part of its loading
    const stop = (grace: number): void => {
      this.#send({ type: 'stop' });
      const timers = [setTimeout(() => this.#process.kill('SIGTERM'), grace), setTimeout(() => this.#kill(), grace + TERM_MS)];
      void ended.then(() => timers.forEach(clearTimeout));
    };
    return { ended, stop, kill: () => this.#kill() };
  }

  /** Sends it away. A worker at work checkpoints first. */
  async leave(): Promise<void> {
    const timer = setTimeout(() => this.#kill(), TERM_MS + (this.#job?.task.grace ?? 0));
    if (this.#process.connected) this.#process.disconnect();
    await this.gone;
    clearTimeout(timer);
  }

  #kill(): void {
    const { pid } = this.#process;
    if (this.#alive && pid !== undefined) killTree(pid);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'progress') {
      this.#job?.listener.progress(message.key, message.progress);
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
    this.#endJob({ ...how, ...this.#memory(signal), ...(!inPeace && text !== '' && { output: { text, file: this.#output.path } }) });
  }

  #memory(signal: string | undefined): Pick<Ended, 'outOfMemory'> {
    const before = this.#job?.kills,
      now = kernelKills();
    return signal === 'SIGKILL' && before !== undefined && now !== undefined ? { outOfMemory: now > before } : {};
  }
}

const options = (place: Place, environment: Task['environment'], output: number) =>
  ({
    nodeOptions: NODE_OPTIONS,
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
    forceKillAfterDelay: false,
  }) as const;
