// Thread of a worker that watches its parent. Where the main thread is stuck, nobody else notices that the runner is gone:
// the process would keep its memory and its GPU for good.
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import { workerData } from 'node:worker_threads';

const { parent, leaveMs } = workerData;
const LOOK_MS = 1_000;

const looking = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(looking);
  // The main thread notices too, unless it is stuck: it has this long to checkpoint and leave.
  setTimeout(() => void end(), leaveMs);
}, LOOK_MS);

async function end() {
  // A thread does not inherit what lets its parent load TypeScript.
  const { importOwn } = await import('../../start/typescript.mjs');
  const { killDescendants } = await importOwn(new URL('process-tree.ts', import.meta.url));
  killDescendants(process.pid);
  process.kill(process.pid, 'SIGKILL');
}
