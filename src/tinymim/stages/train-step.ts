/** What one micro-batch comes to: losses and gradients. All that changes from step to step comes in as named arrays. */
import type { ParamGroups } from '../optim/groups.ts';
import { byteTensor } from '../../engine/compile/bytes.ts';
import type { Params } from '../../engine/formats/weights.ts';
import { makeAll } from '../../engine/make-all.ts';
import * as tf from '../../engine/tf.ts';

/** An array on the host, row-major, one entry of the batch after the other along `batchAxis`. */
export interface BatchArray {
  /** Bytes are numbers from 0 to 255 that a step reads as int32 (see `byteTensor`). */
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  /** Default 0; `null`: of the whole batch, not of its entries. */
  readonly batchAxis?: number | null;
}

/** Everything that a step reads beside parameters, by name. */
export type HostInputs = Readonly<Record<string, BatchArray>>;
export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** `loss` is what is minimised; parts of it may stand beside it, to be recorded. @internal */
export interface Losses {
  readonly loss: tf.Scalar;
  readonly [part: string]: tf.Scalar;
}

/** Means over a batch. Runs inside the gradient tape. */
export type LossFunction = (params: Params, inputs: Inputs) => Losses;

/** The same of a model that has parameters which no gradient trains, as running averages: `set` takes the next value of one, and keeps the tensor beyond tidies. */
export type SettingLossFunction = (params: Params, inputs: Inputs, set: (name: string, value: tf.Tensor) => void) => Losses;

/**
 * Losses of a batch, gradients of the parameters that have a group, and what the loss sets. Those that the loss does not reach have no
 * gradient in the result: the optimizer leaves them alone.
 */
export function lossesAndGrads(lossOf: SettingLossFunction, params: Params, groups: ParamGroups, inputs: Inputs): { values: Params; grads: Params; next: Params } {
  const trained = Object.fromEntries(Object.entries(params).filter(([name]) => name in groups));
  const names = Object.keys(trained);
  return tf.tidy(() => {
    let losses: Losses | undefined;
    const next: Record<string, tf.Tensor> = {};
    const set = (name: string, value: tf.Tensor): void => {
      next[name] = tf.keep(value);
    };
    const forward = (): tf.Scalar => {
      losses = lossOf(params, inputs, set);
      for (const part of Object.values(losses)) tf.keep(part);
      return losses.loss;
    };
    const { grads } = tf.engine().gradients(forward, Object.values(trained), undefined, true);
    const reached = (grads as readonly (tf.Tensor | undefined)[]).flatMap((grad, i) => (grad ? [[names[i]!, grad] as const] : []));
    return { values: { ...losses! }, grads: Object.fromEntries(reached), next };
  });
}

/** Means of the losses of batches of one size. */
export function meanLosses(losses: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(losses[0] ?? {});
  return Object.fromEntries(names.map(name => [name, losses.reduce((sum, values) => sum + values[name]!, 0) / losses.length]));
}

/** The caller disposes of the tensors. */
export function upload(inputs: HostInputs): Record<string, tf.Tensor> {
  return makeAll(inputs, uploadArray);
}

function uploadArray({ data, shape }: BatchArray): tf.Tensor {
  if (data instanceof Uint8Array) return byteTensor(data.buffer instanceof SharedArrayBuffer ? data.slice() : data, shape); // loaders share what they make
  return tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32');
}

/** Entries of a batch that make a micro-batch, as half-open ranges one after the other. */
type Part = (batch: number, index: number, count: number) => readonly (readonly [from: number, to: number])[];

const consecutive: Part = (batch, index, count) => [[(index * batch) / count, ((index + 1) * batch) / count]];

/** Half of them from the front and their counterparts from the back, so that what is mixed with its counterpart finds it: entry i of a batch of n has n - 1 - i. */
const mirrored: Part = (batch, index, count) => {
  const half = batch / count / 2;
  return [
    [index * half, (index + 1) * half],
    [batch - (index + 1) * half, batch - index * half],
  ];
};

/** Micro-batch `index` of `count` of every input. @param mixed whether each entry is mixed with its counterpart: micro-batches are even then */
export function slice(inputs: HostInputs, index: number, count: number, mixed = false): HostInputs {
  if (count === 1) return inputs;
  const part = mixed ? mirrored : consecutive;
  return Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, sliceArray(name, array, (batch: number) => part(batch, index, count), mixed ? 2 * count : count)]));
}

/** @param parts what the batch is to be divided into evenly */
function sliceArray(name: string, array: BatchArray, rangesOf: (batch: number) => ReturnType<Part>, parts: number): BatchArray {
  const { data, shape, batchAxis = 0 } = array;
  if (batchAxis === null) return array;
  const batch = shape[batchAxis]!;
  if (batch % parts !== 0) throw new RangeError(`Expected a batch that ${parts} parts divide, got ${batch} in '${name}'. Change schedule.accumulation_steps.`);
  const ranges = rangesOf(batch),
    size = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  const inner = shape.slice(batchAxis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, batchAxis).reduce((a, b) => a * b, 1);
  const part = new (data.constructor as new (length: number) => typeof data)(outer * size * inner);
  let end = 0;
  for (let o = 0; o < outer; o++) {
    for (const [from, to] of ranges) {
      part.set(data.subarray((o * batch + from) * inner, (o * batch + to) * inner), end);
      end += (to - from) * inner;
    }
  }
  return { data: part, shape: shape.map((n, axis) => (axis === batchAxis ? size : n)), batchAxis };
}
