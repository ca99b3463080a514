/**
 * One optimizer step: gradients of every micro-batch, their mean, one AdamW update. All that changes from step to step comes
 * in as named arrays or numbers, and the losses are the only values read back.
 */
import { adamw, type AdamWState } from '../optim/adamw.ts';
import { overMicroBatches, type MicroStep } from '../optim/accumulate.ts';
import type { ParamGroups } from '../optim/groups.ts';
import { disposeReplaced, type Params } from '../tensor/weights.ts';
import * as tf from '../tensor/tf.ts';

/** An array on the host, row-major, one entry of the batch after the other along `batchAxis`. */
export interface BatchArray {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
  /** Default 0. */
  readonly batchAxis?: number;
}

/** Everything that a step reads beside parameters, by name. */
export type HostInputs = Readonly<Record<string, BatchArray>>;
export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** `loss` is what is minimised; parts of it may stand beside it, to be recorded. */
export interface Losses {
  readonly loss: tf.Scalar;
  readonly [part: string]: tf.Scalar;
}

export interface Objective {
  /** Runs inside the gradient tape. */
  readonly loss: (params: Params, inputs: Inputs) => Losses;
  /** Runs outside it, on the same inputs; what it returns is added to them. A frozen teacher's part. */
  readonly targets?: (inputs: Inputs) => Record<string, tf.Tensor>;
  /** Tensors that both close over and that never change: a frozen teacher's parameters. */
  readonly frozen?: Params;
}

export interface TrainState {
  readonly params: Params;
  readonly optimizer: AdamWState;
}

export interface StepOptions {
  /** Parameters with a group are trained; the others stay as they are. */
  readonly groups: ParamGroups;
  readonly betas: readonly [number, number];
  readonly microBatches: number;
}

/**
 * One step from `state`, whose tensors are taken over.
 * @returns the next state, and the losses as means over the batch
 */
export function trainStep(
  state: TrainState, inputs: HostInputs, lr: number, objective: Objective, { groups, betas, microBatches }: StepOptions,
): { state: TrainState; losses: Record<string, number> } {
  const { values, grads } = overMicroBatches(microBatches, index => {
    const batch = upload(slice(inputs, index, microBatches));
    const step = lossesAndGrads(objective, state.params, groups, batch);
    tf.dispose(batch);
    return step;
  });
  const losses = readScalars(values);
  const next = adamw({ grads, state: state.optimizer, params: state.params, lr, betas, groups });
  disposeReplaced(state.params, next.params);
  disposeReplaced(state.optimizer.m, next.state.m);
  disposeReplaced(state.optimizer.v, next.state.v);
  tf.dispose(grads);
  return { state: { params: next.params, optimizer: next.state }, losses };
}

/** Losses of a batch without gradients. */
export function evaluateLosses(objective: Objective, params: Params, inputs: HostInputs): Record<string, number> {
  const losses = tf.tidy(() => {
    const uploaded = upload(inputs);
    return objective.loss(params, { ...uploaded, ...objective.targets?.(uploaded) });
  });
  return readScalars(losses);
}

/**
 * Losses of a batch, and gradients of the parameters that have a group. Those that the loss does not reach have none in the
 * result: the optimizer leaves them alone.
 */
export function lossesAndGrads(objective: Objective, params: Params, groups: ParamGroups, inputs: Inputs): MicroStep {
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in groups));
  const names = Object.keys(trained);
  return tf.tidy(() => {
    const targets = objective.targets ? tf.tidy(() => objective.targets!(inputs)) : {};
    let losses: Losses | undefined;
    const forward = (): tf.Scalar => {
      losses = objective.loss(params, { ...inputs, ...targets });
      for (const part of Object.values(losses)) tf.keep(part);
      return losses.loss;
    };
    const { grads } = tf.engine().gradients(forward, Object.values(trained), undefined, true);
    const reached = (grads as readonly (tf.Tensor | undefined)[]).flatMap((grad, i) => (grad ? [[names[i]!, grad] as const] : []));
    return { values: { ...losses! }, grads: Object.fromEntries(reached) };
  });
}

/** The caller disposes of the tensors. */
export function upload(inputs: HostInputs): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) =>
    [name, tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32')]));
}

/** Reads and disposes of them. */
function readScalars(values: Params): Record<string, number> {
  const read = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.dataSync()[0]!]));
  tf.dispose(values);
  return read;
}

/** Micro-batch `index` of `count` of every input. */
export function slice(inputs: HostInputs, index: number, count: number): HostInputs {
  if (count === 1) return inputs;
  return Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, sliceArray(name, array, index, count)]));
}

function sliceArray(name: string, { data, shape, batchAxis = 0 }: BatchArray, index: number, count: number): BatchArray {
  const batch = shape[batchAxis]!;
  if (batch % count !== 0) throw new RangeError(`Expected a batch that ${count} micro-batches divide, got ${batch} in '${name}'. Change schedule.accumulation_steps.`);
  const size = batch / count;
  const inner = shape.slice(batchAxis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, batchAxis).reduce((a, b) => a * b, 1);
  const part = data instanceof Int32Array ? new Int32Array(outer * size * inner) : new Float32Array(outer * size * inner);
  for (let o = 0; o < outer; o++) {
    const from = (o * batch + index * size) * inner;
    part.set(data.subarray(from, from + size * inner), o * size * inner);
  }
  return { data: part, shape: shape.map((n, axis) => (axis === batchAxis ? size : n)), batchAxis };
}
