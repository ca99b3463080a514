/** Ends the process when its main thread has read no input for too long. */
import { writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setInterval } from 'node:timers';
import { workerData } from 'node:worker_threads';

const { beats, seconds, message } = workerData;
let last = Atomics.load(beats, 0);
let since = performance.now();
setInterval(() => {
  const now = Atomics.load(beats, 0);
  if (now !== last) [last, since] = [now, performance.now()];
  if (performance.now() - since < seconds * 1000) return;
  writeSync(2, `\n${message}\n(input ${now})\n`);
  process.kill(process.pid, 'SIGKILL');
}, 1000);
