/** The state of a training on disk. Nothing random is in it: every draw is a function of (seed, purpose, step). */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../core/ablation/kind.ts';
import { loadParams, saveParams } from '../../engine/formats/weights.ts';
import { acceptChanges, engineChanges, type EngineRecord } from './engine-record.ts';
import type { MeterState } from './meter.ts';
import type { TrainState } from './trainer.ts';

/** What stands beside the tensors. */
export interface TrainingProgress {
  readonly meter: MeterState;
  /** On which the steps before it ran, the last of them where it changed. */
  readonly engine: EngineRecord;
  /** Whether some of them ran on another. */
  readonly engineChanged: boolean;
  /** Most micro-batches of a step before it, times those of the recipe. */
  readonly microBatches: number;
}

interface StoredProgress extends TrainingProgress {
  readonly optimizerStep: number;
}

const files = (dir: string) => ({
  params: join(dir, 'params.safetensors'),
  firstMoment: join(dir, 'adamw_m.safetensors'),
  secondMoment: join(dir, 'adamw_v.safetensors'),
  average: join(dir, 'average.safetensors'),
  progress: join(dir, 'progress.json'),
});

export async function saveTraining(dir: string, { params, optimizer, average }: TrainState, progress: TrainingProgress): Promise<void> {
  const file = files(dir);
  saveParams(file.params, params);
  saveParams(file.firstMoment, optimizer.m);
  saveParams(file.secondMoment, optimizer.v);
  if (average) saveParams(file.average, average);
  const stored: StoredProgress = { optimizerStep: optimizer.step, ...progress };
  await writeFile(file.progress, JSON.stringify(stored));
}

export interface LoadedTraining extends Omit<TrainingProgress, 'engine'> {
  readonly state: TrainState;
  /** What is another than when the checkpoint was written. */
  readonly changes: readonly string[];
}

/**
 * @param engine on which the training goes on
 * @param options `accept`: whether it may be another than before; `average`: whether the recipe wants one of the weights
 * @throws PermanentError `CHECKPOINT_ENGINE` where it may not
 */
export async function loadTraining({ dir }: Checkpoint, engine: EngineRecord, { accept, average }: { readonly accept: boolean; readonly average: boolean }): Promise<LoadedTraining> {
  const file = files(dir);
  // Older ones do not name the micro-batches: there was no choice.
  const { optimizerStep, meter, engine: before, engineChanged, microBatches = 1 } = JSON.parse(await readFile(file.progress, 'utf8')) as Omit<StoredProgress, 'microBatches'> & Partial<StoredProgress>;
  const changes = engineChanges(before, engine);
  acceptChanges(changes, accept);
  const optimizer = { step: optimizerStep, m: loadParams(file.firstMoment), v: loadParams(file.secondMoment) };
  const state = { params: loadParams(file.params), optimizer, ...(average && { average: loadParams(file.average) }) };
  return { state, meter, engineChanged: engineChanged || changes.length > 0, changes, microBatches };
}
