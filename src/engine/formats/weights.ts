/** Parameters by name: on the host (for files), as tensors, as variables. Names and layouts are those of PyTorch checkpoints. */
import * as tf from '../tf.ts';
import { readSafetensors, toFloat32, writeSafetensors, type StoredTensor } from './safetensors.ts';

/** A float32 tensor outside the engine, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type Weights = Readonly<Record<string, HostTensor>>;
export type Params = Readonly<Record<string, tf.Tensor>>;

/** Uploads weights: one float32 tensor for each. The caller disposes of them. */
export function toTensors(weights: Weights): Record<string, tf.Tensor> {
  return mapValues(weights, ({ shape, data }) => tf.tensor(data, [...shape], 'float32'));
}

/**
 * Uploads weights into variables. They are known by their keys here alone: tfjs's own variable names are global, and two
 * students of one process have parameters of the same names.
 * @internal
 */
export function toVariables(weights: Weights): Record<string, tf.Variable> {
  return mapValues(weights, ({ shape, data }) => {
    const initial = tf.tensor(data, [...shape], 'float32');
    const variable = tf.variable(initial);
    initial.dispose();
    return variable;
  });
}

/** Reads tensors or variables back to the host. Blocks until the values are there. @internal */
export function fromTensors(params: Params): Record<string, HostTensor> {
  return mapValues(params, (tensor, name) => {
    const data = tensor.dataSync();
    if (!(data instanceof Float32Array)) throw new TypeError(`Expected "${name}" to be float32, got ${tensor.dtype}.`);
    return { shape: tensor.shape, data };
  });
}

/**
 * Disposes of the tensors of one record that the next one no longer holds. A pure update hands unchanged tensors through,
 * so the old record must not be disposed of as a whole.
 */
export function disposeReplaced(before: Params, after: Params): void {
  const kept = new Set(Object.values(after));
  for (const tensor of Object.values(before)) if (!kept.has(tensor)) tensor.dispose();
}

/** Writes float32 weights as a safetensors file; see `writeSafetensors`. */
export function writeWeights(path: string, weights: Weights, metadata: Readonly<Record<string, string>> = {}): void {
  const tensors = Object.entries(weights).map(([name, { shape, data }]): [string, StoredTensor] => [name, { dtype: 'F32', shape, data }]);
  writeSafetensors(path, new Map(tensors), metadata);
}

/** Reads the floating-point tensors of a safetensors file as float32. @throws SafetensorsError for tensors of integers, too */
export function readWeights(path: string): Record<string, HostTensor> {
  const { tensors } = readSafetensors(path);
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor, `"${name}" of ${path}`) }]));
}

/** Writes parameters that are in the engine as a safetensors file. */
export function saveParams(path: string, params: Params, metadata: Readonly<Record<string, string>> = {}): void {
  writeWeights(path, fromTensors(params), metadata);
}

/** Reads a safetensors file into tensors of the engine. The caller disposes of them. */
export function loadParams(path: string): Record<string, tf.Tensor> {
  return toTensors(readWeights(path));
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}
