/** The state of a training on disk. Nothing random is in it: every draw is a function of (seed, purpose, step). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../ablation/kind.ts';
import { loadParams, saveParams, type Params } from '../tensor/weights.ts';
import type { MeterState } from './meter.ts';
import type { TrainState } from './train-step.ts';

interface Progress {
  readonly optimizerStep: number;
  readonly meter: MeterState;
}

const files = (dir: string) => ({
  params: join(dir, 'params.safetensors'),
  firstMoment: join(dir, 'adamw_m.safetensors'),
  secondMoment: join(dir, 'adamw_v.safetensors'),
  progress: join(dir, 'progress.json'),
});

export async function saveTraining(dir: string, { params, optimizer }: TrainState, meter: MeterState): Promise<void> {
  const file = files(dir);
  saveParams(file.params, params);
  saveParams(file.firstMoment, optimizer.m);
  saveParams(file.secondMoment, optimizer.v);
  const progress: Progress = { optimizerStep: optimizer.step, meter };
  await writeFile(file.progress, JSON.stringify(progress));
}

export async function loadTraining({ dir }: Checkpoint): Promise<{ state: TrainState; meter: MeterState }> {
  const file = files(dir);
  const { optimizerStep, meter } = JSON.parse(await readFile(file.progress, 'utf8')) as Progress;
  const load = (path: string): Params => loadParams(path);
  const optimizer = { step: optimizerStep, m: load(file.firstMoment), v: load(file.secondMoment) };
  return { state: { params: load(file.params), optimizer }, meter };
}
