/** Entry of a worker process: runs the one task it is sent, and leaves when asked or when its runner is gone. */
import type { Progress } from '../ablation/kind.ts';
import { execute } from './execute.ts';
import type { Task } from './executors/executor.ts';
import { exitCodes, type FromWorker, type ToWorker } from './protocol.ts';

/** A stage that has not left by then will not; its checkpoints are safe. */
const LEAVE_MS = 60_000;
const PROGRESS_MS = 200;

const stop = new AbortController();

function askToStop(reason: string): void {
  if (stop.signal.aborted) return;
  log(`Stopping: ${reason}.`);
  stop.abort();
  setTimeout(() => process.exit(exitCodes.interrupted), LEAVE_MS).unref();
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

/** At most five a second, but every change of phase. */
function throttledProgress(): (progress: Progress) => void {
  let last = -Infinity;
  let phase = '';
  return progress => {
    const now = performance.now();
    if (progress.phase === phase && now - last < PROGRESS_MS) return;
    last = now;
    phase = progress.phase;
    send({ type: 'progress', progress });
  };
}

async function main(task: Task): Promise<void> {
  const state = await execute(task, { signal: stop.signal, progress: throttledProgress(), log });
  process.exit(exitCodes[state]);
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'run') void main(message.task);
  else askToStop('the runner asked for it');
});
process.on('disconnect', () => askToStop('the runner is gone'));
process.on('SIGTERM', () => askToStop('SIGTERM'));
// Ctrl-C reaches the whole process group; the runner decides what it means for us.
process.on('SIGINT', () => undefined);
send({ type: 'ready' });
