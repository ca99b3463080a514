/** The loader's thread: answers each step number with its batch. */
import { parentPort, workerData } from 'node:worker_threads';
import { makeBatch, type BatchPlan } from './batch.ts';

const plan = workerData as BatchPlan;
const port = parentPort;
if (!port) throw new Error('Expected to run in a thread that loader.ts starts, got the main thread.');

port.on('message', (step: number) => {
  const batch = makeBatch(plan, step);
  const buffers = [batch.images, batch.studentImages, batch.labels].flatMap(array => array?.buffer ?? []);
  port.postMessage(batch, buffers as ArrayBuffer[]);
});
