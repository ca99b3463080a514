/** The training loop of all stages that train. */
import { setImmediate } from 'node:timers/promises';
import { Interrupted, PermanentError } from '../ablation/errors.ts';
import type { StageContext } from '../ablation/kind.ts';
import { initAdamW } from '../optim/adamw.ts';
import type { ParamGroups } from '../optim/groups.ts';
import { learningRate, scaledLearningRate } from '../optim/schedule.ts';
import { toTensors, type Params, type Weights } from '../tensor/weights.ts';
import { Meter, type MeterState } from './meter.ts';
import type { OptimizerRecipe, ScheduleRecipe } from './recipes.ts';
import { Throughput } from './throughput.ts';
import { loadTraining, saveTraining } from './training-checkpoint.ts';
import { trainStep, type HostInputs, type Objective, type TrainState } from './train-step.ts';

/** Batches in the order of the steps; a loader keeps ahead of the training. */
export interface Batches<B> {
  next(): Promise<B>;
  close(): Promise<void>;
}

export interface Training<B> extends Objective {
  readonly weights: Weights;
  readonly groups: ParamGroups;
  readonly schedule: ScheduleRecipe;
  readonly optimizer: OptimizerRecipe;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Batches from step `start` (counted from 0) on. */
  readonly batches: (start: number) => Batches<B>;
  /** What step `step` (counted from 0) reads: the batch, and what is drawn for it. */
  readonly inputs: (batch: B, step: number) => HostInputs;
  /** Numbers of the curve that are taken at the end of each epoch, e.g. the validation accuracy. */
  readonly atEpochEnd?: (params: Params) => Record<string, number>;
}

export interface Trained {
  /** In the engine; the caller disposes of them. */
  readonly params: Params;
  /** Means of the losses over the last epoch of training. */
  readonly losses: Record<string, number>;
  /** What `atEpochEnd` gave after the last epoch. */
  readonly atEnd: Record<string, number>;
}

/**
 * Trains from the newest checkpoint, or from the start, to the last step.
 * @throws PermanentError `NON_FINITE_LOSS` with the step and what to look at; Interrupted after a checkpoint when asked to stop
 */
export async function train<B>(context: StageContext<object>, training: Training<B>): Promise<Trained> {
  const { steps, stepsPerEpoch, schedule } = training;
  const resumed = await resume(context);
  let { state } = resumed ?? { state: start(training) };
  const meter = new Meter(steps, stepsPerEpoch, resumed?.meter);
  const throughput = new Throughput(schedule.batch_size);
  const options = { groups: training.groups, betas: training.optimizer.betas, microBatches: schedule.accumulation_steps };
  const peak = { lr: scaledLearningRate(schedule.base_lr, schedule.batch_size), minLr: schedule.min_lr, warmupEpochs: schedule.warmup_epochs, epochs: schedule.epochs };
  const batches = training.batches(resumed?.step ?? 0);
  let atEnd: Record<string, number> = {};
  try {
    for (let step = resumed?.step ?? 0; step < steps; step++) {
      const lr = learningRate(peak, step / stepsPerEpoch);
      const batch = await batches.next();
      const { state: next, losses } = trainStep(state, training.inputs(batch, step), lr, training, options);
      state = next;
      expectFinite(losses, step, stepsPerEpoch, lr);

      const done = step + 1;
      const imagesPerSecond = throughput.step();
      const point = meter.add(done, losses);
      const epochEnds = done % stepsPerEpoch === 0 || done === steps;
      if (epochEnds && training.atEpochEnd) {
        context.progress({ phase: 'evaluate', step: done, steps });
        atEnd = training.atEpochEnd(state.params);
        throughput.pause();
      }
      const epoch = done / stepsPerEpoch;
      if (point) context.metric({ step: done, epoch, ...point, lr, ...(epochEnds ? atEnd : {}), images_per_second: imagesPerSecond });
      else if (epochEnds && training.atEpochEnd) context.metric({ step: done, epoch, ...atEnd });
      context.progress({ phase: 'step', step: done, steps, imagesPerSecond, loss: losses['loss']! });

      if (done < steps && (context.signal.aborted || context.checkpoints.due())) {
        context.progress({ phase: 'save', step: done, steps });
        await context.checkpoints.save(done, dir => saveTraining(dir, state, meter.state()));
        throughput.pause();
      }
      await setImmediate(); // steps block the event loop: let messages in
      if (context.signal.aborted && done < steps) throw new Interrupted();
    }
  } finally {
    await batches.close();
  }
  context.provenance({ images_per_second: throughput.mean() });
  return { params: state.params, losses: meter.lastEpochMeans(), atEnd };
}

function start(training: { weights: Weights; groups: ParamGroups }): TrainState {
  const params = toTensors(training.weights);
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in training.groups));
  return { params, optimizer: initAdamW(trained) };
}

async function resume(context: StageContext<object>): Promise<{ step: number; state: TrainState; meter: MeterState } | undefined> {
  const checkpoint = await context.checkpoints.latest();
  if (checkpoint === undefined) return undefined;
  context.log(`Continuing from the checkpoint after step ${checkpoint.step}.`);
  return { step: checkpoint.step, ...(await loadTraining(checkpoint)) };
}

function expectFinite(losses: Record<string, number>, step: number, stepsPerEpoch: number, lr: number): void {
  for (const [name, value] of Object.entries(losses)) {
    if (!Number.isFinite(value)) {
      throw new PermanentError(
        'NON_FINITE_LOSS',
        `Expected a finite '${name}', got ${value} at step ${step + 1} (epoch ${(step / stepsPerEpoch).toFixed(2)}, learning rate ${lr.toExponential(2)}). ` +
          'Look at the curve in metrics.jsonl just before it: a loss that rises points to the learning rate (schedule.base_lr, warmup_epochs), a sudden one to the inputs or the upstream weights.',
      );
    }
  }
}
