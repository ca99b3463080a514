/** The training loop of all stages that train: one model, or several side by side on the same batches. */
import { setImmediate } from 'node:timers/promises';
import { stepsPerEpoch as batchesPerEpoch, type Augment, type Batch } from '../data/batch.ts';
import type { ImageSet } from '../data/image-set.ts';
import { createLoader, type Loader } from '../data/loader.ts';
import * as tf from '../../engine/tf.ts';
import { totalSteps } from './cost.ts';
import { microBatchesOf } from './micro-batches.ts';
import type { ScheduleRecipe } from './recipes.ts';
import { slice, upload, type HostInputs, type Inputs } from './train-step.ts';
import type { Trained, Training } from './training.ts';
import { TrainingRun } from './training-run.ts';

/** What trainings side by side have in common. */
export interface TrainingData<T extends Training = Training> {
  /** Images and labels; `augment` as the loader takes it. */
  readonly set: ImageSet;
  readonly augment: Augment;
  readonly withLabels: boolean;
  readonly seed: number;
  readonly schedule: Pick<ScheduleRecipe, 'batch_size' | 'accumulation_steps'>;
  /** What a step reads: its whole batch (of which samples may be mixed), and what is drawn for it. `batch.step` counts from 0. */
  readonly inputs: (batch: Batch) => HostInputs;
  /** Whether entry i of a batch of n is mixed with n - 1 - i, so that both have to be in one micro-batch. */
  readonly mixed?: boolean;
  /** Steps whose losses are read together; default: as suits the device. */
  readonly readEvery?: number;
  /** Calls `step` once for each training with what it reads of a micro-batch. Default: all that `inputs` gave. */
  readonly feed?: (inputs: Inputs, trainings: readonly T[], step: (training: T, inputs: Inputs) => void) => void;
}

/** What each training came to. */
export type Outcomes<T extends Training = Training> = ReadonlyMap<T, PromiseSettledResult<Trained>>;

/** Trains one model. @throws what `trainTogether` says of it */
export async function train(training: Training, data: TrainingData): Promise<Trained> {
  const outcome = (await trainTogether([training], data)).get(training)!;
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/**
 * Trains each model from its newest checkpoint, or from the start, to its last step, all in step: each joins when its own
 * step is reached. One that fails leaves, and the others go on.
 * @returns for each why it was rejected, if it was: PermanentError `NON_FINITE_LOSS` with the step and what to look at;
 *   Interrupted after a checkpoint when asked to stop
 */
export async function trainTogether<T extends Training>(trainings: readonly T[], data: TrainingData<T>): Promise<Outcomes<T>> {
  const {
    set,
    schedule: { batch_size },
  } = data;
  const stepsPerEpoch = batchesPerEpoch({ set, batchSize: batch_size });
  const runs: TrainingRun<T>[] = [];
  for (const training of trainings) {
    const steps = totalSteps(set.count, training.schedule);
    const run = new TrainingRun(training, { steps, stepsPerEpoch }, data.readEvery);
    await run.begin();
    runs.push(run);
  }
  const toDo = runs.filter(run => !run.settled);
  if (toDo.length > 0) await loop(toDo, data);
  return new Map(runs.map(run => [run.training, run.outcome()]));
}

async function loop<T extends Training>(runs: readonly TrainingRun<T>[], data: TrainingData<T>): Promise<void> {
  const first = Math.min(...runs.map(run => run.first)),
    end = Math.max(...runs.map(run => run.steps));
  const { set, seed, augment, withLabels, schedule } = data;
  const loader = createLoader({ set, batchSize: schedule.batch_size, seed, augment, withLabels, startStep: first, endStep: end });
  try {
    for (let step = first; step < end && runs.some(run => !run.settled); step++) {
      await trainStep(
        runs.filter(run => run.takesPart(step)),
        step,
        loader,
        data,
      );
      await setImmediate(); // steps block the event loop: let messages in
      for (const run of runs) await run.betweenSteps(step + 1);
    }
  } catch (error) {
    for (const run of runs) run.fail(error); // what all of them need failed
  } finally {
    await loader.close();
  }
}

/** One step of every training in `runs`. */
async function trainStep<T extends Training>(runs: readonly TrainingRun<T>[], step: number, loader: Loader, data: TrainingData<T>): Promise<void> {
  const started = performance.now();
  const batch = await loader.next();
  if (runs.length === 0) {
    loader.release(batch);
    return;
  }
  for (const run of runs) run.prepare(step);
  const byTraining = new Map(runs.map(run => [run.training, run]));
  const host = data.inputs(batch),
    count = microBatchesOf(data.schedule, runs[0]!.training.context.execution);
  const feed = data.feed ?? feedAll;
  for (let index = 0; index < count; index++) {
    const inputs = upload(slice(host, index, count, data.mixed));
    try {
      feed(
        inputs,
        runs.filter(run => !run.settled).map(({ training }) => training),
        (training, own) => {
          byTraining.get(training)!.feed(own, step);
        },
      );
    } finally {
      tf.dispose(inputs);
    }
  }
  loader.release(batch);
  const wallMs = performance.now() - started;
  const sharedMs = wallMs - runs.reduce((sum, { stepMs }) => sum + stepMs, 0);
  for (const run of runs) await run.finishStep(step, wallMs, run.stepMs + sharedMs / runs.length);
}

function feedAll<T extends Training>(inputs: Inputs, trainings: readonly T[], step: (training: T, inputs: Inputs) => void): void {
  for (const training of trainings) step(training, inputs);
}
