/** The training loop of all stages that train. */
import { setImmediate } from 'node:timers/promises';
import { Interrupted, PermanentError } from '../ablation/errors.ts';
import type { StageContext } from '../ablation/kind.ts';
import { stepsPerEpoch as batchesPerEpoch, type Augment, type Batch } from '../data/batch.ts';
import type { ImageSet } from '../data/image-set.ts';
import { createLoader } from '../data/loader.ts';
import { initAdamW } from '../optim/adamw.ts';
import type { ParamGroups } from '../optim/groups.ts';
import { learningRate, scaledLearningRate } from '../optim/schedule.ts';
import type { Mode } from '../tensor/compile/compile-step.ts';
import * as tf from '../tensor/tf.ts';
import { toTensors, type Params, type Weights } from '../tensor/weights.ts';
import { totalSteps } from './cost.ts';
import { engineMode } from './engine-mode.ts';
import { Meter, type MeterState } from './meter.ts';
import type { OptimizerRecipe, ScheduleRecipe } from './recipes.ts';
import { Throughput } from './throughput.ts';
import { loadTraining, saveTraining } from './training-checkpoint.ts';
import type { HostInputs, Objective, TrainState } from './train-step.ts';
import { createTrainer } from './trainer.ts';

export interface Training extends Objective {
  readonly weights: Weights;
  readonly groups: ParamGroups;
  readonly schedule: ScheduleRecipe;
  readonly optimizer: OptimizerRecipe;
  /** Images and labels; `augment` as the loader takes it. */
  readonly set: ImageSet;
  readonly augment: Augment;
  readonly withLabels: boolean;
  /** What a step reads: its batch, and what is drawn for it. `batch.step` counts from 0. */
  readonly inputs: (batch: Batch) => HostInputs;
  /** Numbers of the curve that cost an evaluation, e.g. the validation accuracy: taken at a few ends of epochs. */
  readonly evaluate?: (params: Params) => Record<string, number>;
}

export interface Trained {
  /** In the engine; the caller disposes of them. */
  readonly params: Params;
  /** Means of the losses over the last epoch of training. */
  readonly losses: Record<string, number>;
  /** What `evaluate` gave after the last step. */
  readonly evaluated: Record<string, number>;
}

/**
 * Trains from the newest checkpoint, or from the start, to the last step.
 * @throws PermanentError `NON_FINITE_LOSS` with the step and what to look at; Interrupted after a checkpoint when asked to stop
 */
export async function train(context: StageContext<object>, training: Training): Promise<Trained> {
  const { set, schedule } = training;
  const steps = totalSteps(set.count, schedule);
  const stepsPerEpoch = batchesPerEpoch({ set, batchSize: schedule.batch_size });
  const mode = engineMode();
  const resumed = await resume(context, mode);
  const meter = new Meter(steps, stepsPerEpoch, resumed?.meter);
  const throughput = new Throughput(schedule.batch_size);
  const trainer = createTrainer(mode, resumed?.state ?? start(training), training, {
    groups: training.groups, betas: training.optimizer.betas, microBatches: schedule.accumulation_steps,
  });
  const peak = { lr: scaledLearningRate(schedule.base_lr, schedule.batch_size), minLr: schedule.min_lr, warmupEpochs: schedule.warmup_epochs, epochs: schedule.epochs };
  const first = resumed?.step ?? 0;
  const loader = createLoader({
    set, batchSize: schedule.batch_size, seed: context.seed, augment: training.augment, withLabels: training.withLabels, startStep: first, endStep: steps,
  });
  const evaluationDue = evaluations(steps, stepsPerEpoch);
  let evaluated: Record<string, number> = {};
  try {
    for (let step = first; step < steps; step++) {
      const lr = learningRate(peak, step / stepsPerEpoch);
      const batch = await loader.next();
      if (mode === 'graph' && step === first) context.progress({ phase: 'trace', step, steps });
      const losses = trainer.step(training.inputs(batch), lr);
      expectFinite(losses, step, stepsPerEpoch, lr);

      const done = step + 1;
      const imagesPerSecond = throughput.step();
      const point = meter.add(done, losses);
      const { evaluate } = training;
      const evaluating = evaluate !== undefined && evaluationDue(done);
      if (evaluating) {
        context.progress({ phase: 'evaluate', step: done, steps });
        evaluated = await trainer.lend(({ params }) => evaluate(params));
        throughput.pause();
      }
      const measured = { ...(point && { ...point, lr, images_per_second: imagesPerSecond }), ...(evaluating && evaluated) };
      if (point || evaluating) context.metric({ step: done, epoch: done / stepsPerEpoch, ...measured });
      context.progress({ phase: 'step', step: done, steps, imagesPerSecond, loss: losses['loss']! });

      await setImmediate(); // steps block the event loop: let messages in
      if (done < steps && (context.signal.aborted || context.checkpoints.due())) {
        context.progress({ phase: 'save', step: done, steps });
        await context.checkpoints.save(done, dir => trainer.lend(state => saveTraining(dir, state, meter.state(), mode)));
        throughput.pause();
        if (context.signal.aborted) throw new Interrupted();
      }
    }
  } catch (error) {
    tf.dispose(trainer.finish()); // the process may go on with another stage
    throw error;
  } finally {
    await loader.close();
  }
  context.provenance({ images_per_second: throughput.mean(), mode });
  return { params: trainer.finish(), losses: meter.lastEpochMeans(), evaluated };
}

/** Evaluations of one training: enough for a curve, few enough to cost little beside it. */
const EVALUATIONS = 5;

/** Whether to evaluate after a step: at the ends of every few epochs, and after the last step. */
function evaluations(steps: number, stepsPerEpoch: number): (done: number) => boolean {
  const every = Math.ceil(steps / stepsPerEpoch / EVALUATIONS) * stepsPerEpoch;
  return done => done % every === 0 || done === steps;
}

function start(training: { weights: Weights; groups: ParamGroups }): TrainState {
  const params = toTensors(training.weights);
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in training.groups));
  return { params, optimizer: initAdamW(trained) };
}

async function resume(context: StageContext<object>, mode: Mode): Promise<{ step: number; state: TrainState; meter: MeterState } | undefined> {
  const checkpoint = await context.checkpoints.latest();
  if (checkpoint === undefined) return undefined;
  context.log(`Continuing from the checkpoint after step ${checkpoint.step}.`);
  return { step: checkpoint.step, ...(await loadTraining(checkpoint, mode)) };
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
