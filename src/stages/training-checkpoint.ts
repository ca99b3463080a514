/** The state of a training on disk. Nothing random is in it: every draw is a function of (seed, purpose, step). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../ablation/errors.ts';
import type { Checkpoint } from '../ablation/kind.ts';
import type { Mode } from '../tensor/compile/compile-step.ts';
import { loadParams, saveParams, type Params } from '../tensor/weights.ts';
import type { MeterState } from './meter.ts';
import type { TrainState } from './train-step.ts';

interface Progress {
  readonly optimizerStep: number;
  readonly meter: MeterState;
  /** How the steps before it ran. */
  readonly mode: Mode;
}

const files = (dir: string) => ({
  params: join(dir, 'params.safetensors'),
  firstMoment: join(dir, 'adamw_m.safetensors'),
  secondMoment: join(dir, 'adamw_v.safetensors'),
  progress: join(dir, 'progress.json'),
});

export async function saveTraining(dir: string, { params, optimizer }: TrainState, meter: MeterState, mode: Mode): Promise<void> {
  const file = files(dir);
  saveParams(file.params, params);
  saveParams(file.firstMoment, optimizer.m);
  saveParams(file.secondMoment, optimizer.v);
  const progress: Progress = { optimizerStep: optimizer.step, meter, mode };
  await writeFile(file.progress, JSON.stringify(progress));
}

/**
 * @param mode in which the training goes on
 * @throws PermanentError `CHECKPOINT_MODE` for another than before: the modes round differently, so the result would be that of neither
 */
export async function loadTraining({ dir }: Checkpoint, mode: Mode): Promise<{ state: TrainState; meter: MeterState }> {
  const file = files(dir);
  const { optimizerStep, meter, mode: before = 'eager' } = JSON.parse(await readFile(file.progress, 'utf8')) as Omit<Progress, 'mode'> & Partial<Progress>;
  if (before !== mode) {
    throw new PermanentError('CHECKPOINT_MODE', `Expected to go on in the mode of the checkpoint, '${before}', got '${mode}'. Set TINYMIM_ENGINE_MODE=${before}, or remove the stage's attempts to begin anew.`);
  }
  const load = (path: string): Params => loadParams(path);
  const optimizer = { step: optimizerStep, m: load(file.firstMoment), v: load(file.secondMoment) };
  return { state: { params: load(file.params), optimizer }, meter };
}
