/** The loop that toy stages share: steps with metrics, checkpoints, and trouble on demand. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Interrupted, PermanentError } from '../../../src/core/ablation/errors.ts';
import type { StageContext } from '../../../src/core/ablation/kind.ts';

/**
 * What goes wrong when step `at` is reached. `once` means: only in a process that began at the start. `refuse` is an error of a library
 * that knows nothing of ours, and says itself that it is permanent. `fail` strikes again
 * after it, and so do `starve` (killed) and `exhaust` (the engine's error) until the micro-batches are halved. `freeze` and
 * `freeze-once` block the thread for good, with a child process. `gorge` takes 500 MB for three seconds, and goes on where there are so many.
 */
export const trouble = z.strictObject({
  kind: z.enum(['none', 'fail', 'fail-once', 'fail-permanently', 'refuse', 'crash-once', 'die-once', 'hang', 'starve', 'exhaust', 'no-context', 'no-blas', 'freeze', 'freeze-once', 'gorge']),
  at: z.int().min(0),
});
type Trouble = z.infer<typeof trouble>;

export const pace = { steps: z.int().min(1), milliseconds: z.number().min(0).default(0) };

export interface Growth {
  readonly steps: number;
  readonly milliseconds: number;
  readonly trouble: Trouble;
  readonly salt: string;
  readonly from: number;
}

/** A number in [0, 1) that depends on nothing but its arguments, as a training step depends on (seed, purpose, step). */
export function draw(seed: number, purpose: string, step: number): number {
  return createHash('sha256').update(`${seed}/${purpose}/${step}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** Height after the last step. Each step depends on the height before it, so a lost or doubled step shows in the result. */
export async function grow(context: Omit<StageContext, 'recipe'>, { steps, milliseconds, trouble: t, salt, from }: Growth): Promise<number> {
  const start = await context.checkpoints.latest();
  let height = start ? Number(await readFile(join(start.dir, 'height'), 'utf8')) : from;
  if (start) context.log(`continuing from step ${start.step}`);
  for (let step = (start?.step ?? 0) + 1; step <= steps; step++) {
    await sleep(milliseconds);
    height = height * 0.9 + draw(context.seed, salt, step);
    context.metric({ step, epoch: step / steps, height });
    context.progress({ phase: 'step', step, steps });
    const save = () => context.checkpoints.save(step, dir => writeFile(join(dir, 'height'), String(height)));
    if (context.signal.aborted) {
      await save();
      throw new Interrupted();
    }
    if (context.checkpoints.due()) await save();
    if (AGAIN.has(t.kind) ? step >= t.at : step === t.at) await strike(t, start === undefined, context, save);
  }
  return height;
}

class LibraryError extends Error {
  readonly code = 'BENT';
  readonly permanent = true;
}

/** Kinds that strike at every step from the first on. */
const AGAIN: ReadonlySet<Trouble['kind']> = new Set(['fail', 'starve', 'exhaust', 'no-context', 'no-blas', 'freeze']);

async function strike(t: Trouble, fresh: boolean, context: Omit<StageContext, 'recipe'>, save: () => Promise<void>): Promise<void> {
  if (t.kind === 'none' || (t.kind.endsWith('-once') && !fresh)) return;
  if (t.kind === 'fail-permanently') throw new PermanentError('BLIGHT', 'The tree has blight and no second try will cure it');
  if (t.kind === 'refuse') throw new LibraryError('Expected a straight scion, got a bent one');
  if (t.kind === 'gorge') {
    const all = Buffer.alloc(500 << 20, 1);
    await sleep(3_000);
    context.log(`took ${all.length} bytes`);
    return;
  }
  const wants = t.kind === 'starve' || t.kind === 'exhaust';
  if (wants && (context.execution.microBatches ?? 1) > 1) return;
  await save();
  if (t.kind === 'exhaust') throw new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[64,12,197,197]');
  if (t.kind === 'no-context') throw new PermanentError('ENGINE_UNAVAILABLE', 'Expected native TensorFlow to load, got: failed call to cuInit: CUDA_ERROR_OUT_OF_MEMORY: out of memory.');
  if (t.kind === 'no-blas') throw new Error('Invalid TF_Status: 13\nMessage: Attempting to perform BLAS operation using StreamExecutor without BLAS support');
  if (t.kind === 'starve') process.kill(process.pid, 'SIGKILL');
  if (t.kind.startsWith('freeze')) freeze(context);
  if (t.kind === 'crash-once') process.exit(7);
  if (t.kind === 'die-once') process.kill(process.pid, 'SIGKILL');
  if (t.kind === 'hang') {
    // A change of phase is told at once, so that a watcher knows we hang.
    context.progress({ phase: 'evaluate', step: t.at, steps: t.at });
    await sleep(2 * 60_000);
  }
  throw new Error(`Lightning struck at step ${t.at}`);
}

/** As a call into an engine that never returns: neither messages nor signals are seen. */
function freeze(context: Pick<StageContext, 'log'>): void {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  context.log(`frozen with child ${child.pid}`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
