/** Workers as child processes of this one, each pinned to its place. */
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execaNode } from 'execa';
import type { Progress } from '../../ablation/kind.ts';
import { placeEnvironment, type Place } from '../devices.ts';
import type { FromWorker, ToWorker } from '../protocol.ts';
import type { Ended, Executor, Job, Task } from './executor.ts';

const WORKER = fileURLToPath(new URL('../worker.ts', import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Between SIGTERM and SIGKILL. */
const TERM_MS = 5_000;

export class LocalExecutor implements Executor {
  readonly #free: Place[];

  constructor(places: readonly Place[]) {
    this.#free = [...places];
  }

  reserve(): Place | undefined {
    return this.#free.shift();
  }

  release(place: Place): void {
    this.#free.push(place);
  }

  submit(place: Place, task: Task, logFile: string, onProgress: (progress: Progress) => void): Job {
    const worker = startWorker(place, logFile);
    const send = (message: ToWorker): void => {
      // A worker that has just ended cannot be told anything; that it ended is seen below.
      if (worker.connected) worker.send(message, () => undefined);
    };
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'progress') onProgress(message.progress);
      else send({ type: 'run', task });
    });
    const ended = worker.then((result): Ended => {
      this.release(place);
      const { exitCode, signal } = result;
      if (exitCode !== undefined) return { exitCode };
      return signal !== undefined ? { signal } : { error: result.shortMessage ?? 'it did not start' };
    });
    return { ended, ...controls(worker, ended, send) };
  }
}

function startWorker(place: Place, logFile: string) {
  // The worker owns its end of the log: lines written after our death are kept.
  // execa takes any descriptor; its types list only 3 to 9.
  const log = openSync(logFile, 'a') as 3;
  try {
    return execaNode(WORKER, {
      nodeOptions: ['--import', TSX],
      env: placeEnvironment(place),
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      ipc: true,
      buffer: false,
      reject: false,
      cleanup: false,
      forceKillAfterDelay: TERM_MS,
    });
  } finally {
    closeSync(log);
  }
}

function controls(worker: { kill(signal: NodeJS.Signals): boolean }, ended: Promise<Ended>, send: (message: ToWorker) => void): Pick<Job, 'stop' | 'kill'> {
  const stop = (grace: number): void => {
    send({ type: 'stop' });
    const timer = setTimeout(() => worker.kill('SIGTERM'), grace);
    void ended.then(() => clearTimeout(timer));
  };
  return { stop, kill: () => void worker.kill('SIGKILL') };
}
