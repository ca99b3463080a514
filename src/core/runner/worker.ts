/**
 * Entry of a worker process, `worker.ts <file of its own output>`: runs one job after the other, and leaves when asked, when
 * its runner is gone, or after a failure that another process might not have.
 */
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Progress } from '../ablation/kind.ts';
import { execute, type ExecutionState } from './execute.ts';
import type { OnProgress, Task } from './executors/executor.ts';
import { exitCodes, type FromWorker, type ToWorker } from './protocol.ts';
import { LEAVING } from './signals.ts';

/** A stage that has not left by then will not; its checkpoints are safe. */
const LEAVE_MS = 60_000;
const PROGRESS_MS = 200;

const stop = new AbortController();
let atWork = false;
let leaveMs = LEAVE_MS;
let guarded = false;

function askToStop(reason: string): void {
  if (!atWork) leave(exitCodes.done);
  if (stop.signal.aborted) return;
  stop.abort(new DOMException(reason, 'AbortError'));
  setTimeout(() => leave(exitCodes.interrupted), leaveMs).unref();
}

function leave(code: number): never {
  const [, , output] = process.argv;
  if (output !== undefined && code !== exitCodes.failed) rmSync(output, { force: true });
  process.exit(code);
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** At most five a second of each stage, but every change of phase and every doubt. */
function throttledProgress(): OnProgress {
  const last = new Map<string, { readonly time: number; readonly phase: Progress['phase'] }>();
  return (key, progress) => {
    const time = performance.now();
    const before = last.get(key);
    if (progress.doubt === undefined && before?.phase === progress.phase && time - before.time < PROGRESS_MS) return;
    last.set(key, { time, phase: progress.phase });
    send({ type: 'progress', key, progress });
  };
}

const parent = process.ppid;

/** Ends us after our runner, when we are stuck and cannot notice that it is gone. */
function guard(): void {
  if (guarded) return;
  guarded = true;
  new Worker(new URL('orphan-guard.mjs', import.meta.url), { workerData: { parent, leaveMs }, execArgv: [] }).unref();
}

async function work(task: Task): Promise<void> {
  atWork = true;
  leaveMs = task.grace ?? LEAVE_MS;
  guard();
  const states = await execute(task, { signal: stop.signal, progress: throttledProgress() });
  atWork = false;
  const are = (...expected: ExecutionState[]): boolean => states.every(state => expected.includes(state));
  if (!are('done', 'failed-permanently', 'interrupted')) leave(exitCodes.failed);
  if (!are('done', 'failed-permanently')) leave(exitCodes.interrupted);
  if (stop.signal.aborted) leave(exitCodes.done);
  send({ type: 'free' });
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'run') void work(message.task);
  else askToStop('the runner asked for it');
});
process.on('disconnect', () => askToStop('the runner is gone'));
for (const signal of LEAVING) process.on(signal, () => askToStop(signal));
// Ctrl-C reaches the whole process group; the runner decides what it means for us.
process.on('SIGINT', () => undefined);
send({ type: 'free' });
