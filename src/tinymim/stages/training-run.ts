/** One training within the loop: its steps, its curve, its checkpoints, and what became of it. */
import { Interrupted, PermanentError } from '../../core/ablation/errors.ts';
import { initAdamW } from '../optim/adamw.ts';
import { learningRate, scaledLearningRate, type Schedule } from '../optim/schedule.ts';
import { loadEngine, type Device } from '../../engine/backend.ts';
import { toTensors } from '../../engine/formats/weights.ts';
import { engineRecord, type EngineRecord } from './engine-record.ts';
import { Meter } from './meter.ts';
import { microBatchesOf } from './micro-batches.ts';
import { averages } from './parameters.ts';
import { Throughput, type Pace, type StepTimes } from './throughput.ts';
import { createTrainer, weightsOf, type StepLosses, type Trainer, type TrainState } from './trainer.ts';
import { loadTraining, saveTraining } from './training-checkpoint.ts';
import type { Inputs } from './train-step.ts';
import type { Trained, Training } from './training.ts';

interface Length {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

/** A step that was made, and what is known of it on the host. */
interface MadeStep {
  /** Counted from 1. */
  readonly done: number;
  readonly losses: StepLosses;
  readonly lr: number;
  readonly pace: Pace;
}

/** Reading waits for a GPU, which then waits for the next step; on a CPU a step is over when it returns. */
const stepsBetweenReads = (device: Device): number => (device === 'gpu' ? 8 : 1);

/** Nothing that goes wrong is thrown: it ends this training alone, and is its outcome. */
export class TrainingRun<T extends Training = Training> {
  readonly training: T;
  readonly steps: number;
  readonly #stepsPerEpoch: number;
  readonly #peak: Schedule;
  readonly #throughput: Throughput;
  readonly #evaluationDue: (done: number) => boolean;
  #trainer: Trainer | undefined;
  #meter: Meter;
  #engine: EngineRecord | undefined;
  #engineChanged = false;
  /** Most micro-batches of this training so far, times those of the recipe. */
  #microBatches = 1;
  #first = 0;
  #losses: StepLosses | undefined;
  /** Steps whose losses have not been read. */
  #unread: MadeStep[] = [];
  #evaluated: Record<string, number> = {};
  #outcome: PromiseSettledResult<Trained> | undefined;
  #stepMs = 0;
  #lastLoss: number | undefined;

  /** @param readEvery see `stepsBetweenReads` */
  constructor(training: T, { steps, stepsPerEpoch }: Length, readEvery = stepsBetweenReads(training.context.execution.device)) {
    const { schedule } = training;
    this.#readEvery = readEvery;
    this.training = training;
    this.steps = steps;
    this.#stepsPerEpoch = stepsPerEpoch;
    this.#peak = { lr: scaledLearningRate(schedule.base_lr, schedule.batch_size), minLr: schedule.min_lr, warmupEpochs: schedule.warmup_epochs, epochs: schedule.epochs };
    this.#throughput = new Throughput(schedule.batch_size);
    this.#evaluationDue = evaluations(steps, stepsPerEpoch);
    this.#meter = new Meter(steps, stepsPerEpoch);
  }

  /** The step that it takes part in first. */
  get first(): number {
    return this.#first;
  }

  /** Whether it has an outcome. */
  get settled(): boolean {
    return this.#outcome !== undefined;
  }

  /** Steps whose losses are read together. */
  readonly #readEvery: number;

  /** Time that the last step took for this training alone. */
  get stepMs(): number {
    return this.#stepMs;
  }

  outcome(): PromiseSettledResult<Trained> {
    if (!this.#outcome) throw new Error('Expected the outcome of a training that has ended.');
    return this.#outcome;
  }

  /** From the newest checkpoint, or from the start. */
  begin(): Promise<void> {
    return this.#guard(async () => {
      const { context, engine, loss, groups, optimizer, schedule, signature } = this.training;
      const { device, threads, microBatches = 1 } = context.execution;
      const count = microBatchesOf(schedule, context.execution);
      this.#engine = engineRecord(await loadEngine({ device, threads }), engine);
      this.#microBatches = microBatches;
      const state = (await this.#resume(this.#engine)) ?? this.#start();
      if (this.#microBatches > 1) context.provenance({ micro_batches: this.#microBatches });
      const graph = microBatches === 1 ? signature : `${signature} in ${count} micro-batches`;
      this.#trainer = createTrainer(state, { loss, groups, betas: optimizer.betas, emaDecay: optimizer.ema_decay ?? undefined, microBatches: count, engine, signature: graph });
    });
  }

  takesPart(step: number): boolean {
    return !this.settled && step >= this.#first && step < this.steps;
  }

  /** Before the micro-batches of a step. */
  prepare(step: number): void {
    this.#stepMs = 0;
    this.#losses = undefined;
    if (step === this.#first && this.#engine!.mode !== 'eager') this.training.context.progress({ phase: 'trace', step, steps: this.steps });
  }

  /** One micro-batch. */
  feed(inputs: Inputs, step: number): void {
    if (this.settled) return;
    const started = performance.now();
    try {
      this.#losses = this.#trainer!.feed(inputs, this.#rate(step));
    } catch (error) {
      this.fail(error);
    }
    this.#stepMs += performance.now() - started;
  }

  /** After the micro-batches of a step: its losses, its point of the curve, its evaluation. */
  finishStep(step: number, times: StepTimes): Promise<void> {
    return this.#guard(async () => {
      const { context, evaluate } = this.training;
      const done = step + 1,
        { steps } = this;
      const pace = this.#throughput.step(times);
      this.#unread.push({ done, losses: this.#losses!, lr: this.#rate(step), pace });
      this.#losses = undefined;
      const evaluating = evaluate !== undefined && this.#evaluationDue(done);
      if (evaluating || done === steps || this.#unread.length >= this.#readEvery || this.#meter.isPointDue(done)) {
        const point = this.#read();
        if (evaluating) {
          context.progress({ phase: 'evaluate', step: done, steps });
          this.#evaluated = await this.#trainer!.withState(state => evaluate(weightsOf(state)));
        }
        if (point || evaluating) context.metric({ step: done, epoch: done / this.#stepsPerEpoch, ...point, ...(evaluating && this.#evaluated) });
      }
      context.progress({ phase: 'step', step: done, steps, ...pace, ...(this.#lastLoss !== undefined && { loss: this.#lastLoss }) });
      if (done === steps) this.#finish();
    });
  }

  /** Reads the losses of the steps made so far. @returns the last one's point of the curve, if it has one: no other can have one */
  #read(): Record<string, number> | undefined {
    let point: Record<string, number> | undefined;
    for (let made = this.#unread.shift(); made; made = this.#unread.shift()) {
      const { done, losses, lr, pace } = made,
        values = losses.read();
      expectFinite(values, done - 1, this.#stepsPerEpoch, lr);
      const means = this.#meter.add(done, values);
      point = means && { ...means, lr, images_per_second: pace.imagesPerSecond, waiting: pace.waiting };
      this.#lastLoss = values['loss'];
    }
    return point;
  }

  /** A checkpoint where one is due; asked to stop, a last one. @param done steps that the loop has made */
  betweenSteps(done: number): Promise<void> {
    return this.#guard(async () => {
      const { context } = this.training,
        { aborted } = context.signal;
      const reached = done > this.#first;
      if (reached && (aborted || context.checkpoints.due())) {
        context.progress({ phase: 'save', step: done, steps: this.steps });
        this.#read();
        const progress = { meter: this.#meter.state(), engine: this.#engine!, engineChanged: this.#engineChanged, microBatches: this.#microBatches };
        await context.checkpoints.save(done, dir => this.#trainer!.withState(state => saveTraining(dir, state, progress)));
        context.progress({ phase: 'step', step: done, steps: this.steps });
      }
      if (aborted) throw new Interrupted();
    });
  }

  /** Ends it, unless it has ended. */
  fail(reason: unknown): void {
    if (this.settled) return;
    this.#outcome = { status: 'rejected', reason };
    for (const { losses } of this.#unread.splice(0)) losses.dispose();
    this.#losses?.dispose();
    this.#trainer?.dispose(); // the process may go on with another stage
  }

  #finish(): void {
    const pace = this.#throughput.mean();
    if (pace !== undefined) this.training.context.provenance({ images_per_second: pace.imagesPerSecond, waiting: pace.waiting });
    this.#outcome = { status: 'fulfilled', value: { params: this.#trainer!.finish(), losses: this.#meter.lastEpochMeans(), evaluated: this.#evaluated } };
  }

  #rate(step: number): number {
    return this.training.rate?.(step) ?? learningRate(this.#peak, step / this.#stepsPerEpoch);
  }

  #start(): TrainState {
    const { context, known } = this.training;
    if (known !== undefined) context.metric({ step: 0, epoch: 0, ...known });
    return initialState(this.training);
  }

  async #resume(engine: EngineRecord): Promise<TrainState | undefined> {
    const { context } = this.training;
    const checkpoint = await context.checkpoints.latest();
    if (checkpoint === undefined) return undefined;
    const { state, meter, engineChanged, changes, microBatches } = await loadTraining(checkpoint, engine, {
      accept: context.execution.acceptEngineChange,
      average: averages(this.training.optimizer) > 0,
    });
    context.log(`Continuing from the checkpoint after step ${checkpoint.step}.`);
    if (changes.length > 0) context.log(`Warning: on another engine than before, as allowed: ${changes.join('; ')}.`);
    if (engineChanged) context.provenance({ engine_changed: true });
    this.#first = checkpoint.step;
    this.#meter = new Meter(this.steps, this.#stepsPerEpoch, meter);
    this.#engineChanged = engineChanged;
    this.#microBatches = Math.max(this.#microBatches, microBatches);
    return state;
  }

  /** Does nothing once there is an outcome. */
  async #guard(run: () => Promise<void>): Promise<void> {
    if (this.settled) return;
    try {
      await run();
    } catch (error) {
      this.fail(error);
    }
  }
}

/** Evaluations of one training: enough for a curve, few enough to cost little beside it. */
const EVALUATIONS = 5;

/** Whether to evaluate after a step: at the ends of every few epochs, and after the last step. */
function evaluations(steps: number, stepsPerEpoch: number): (done: number) => boolean {
  const every = Math.ceil(steps / stepsPerEpoch / EVALUATIONS) * stepsPerEpoch;
  return done => done % every === 0 || done === steps;
}

function initialState({ weights, groups, optimizer }: Pick<Training, 'weights' | 'groups' | 'optimizer'>): TrainState {
  const params = toTensors(weights);
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in groups));
  return { params, optimizer: initAdamW(trained), ...(averages(optimizer) > 0 && { average: toTensors(weights) }) };
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
