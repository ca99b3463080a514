/** What the native backend of tfjs-node has beside the interface of tfjs. */
import * as tf from '../tf.ts';
import { CompileError } from './errors.ts';
import type { Mode } from './mode.ts';

/** An attribute as kernels hand it to the binding; `type` is one of its `TF_ATTR_` numbers. */
export interface BindingAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** A tensor as the binding describes it. `dtype` is a number of TensorFlow's `DataType`. */
export interface BindingTensor {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** The functions through which everything goes that tfjs-node computes. */
export interface Binding {
  executeOp(op: string, attributes: readonly BindingAttribute[], inputs: readonly number[], outputs: number): BindingTensor[];
  createTensor(shape: readonly number[], dtype: number, values: tf.backend_util.TypedArray | readonly Uint8Array[]): number;
  deleteTensor(id: number): void;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  // Of `functions.cc`:
  defineFunction(name: string, graphDef: Buffer, feeds: readonly string[], fetches: readonly string[]): void;
  removeFunction(name: string): void;
  /** Full names of all devices, as TensorFlow counts them. */
  devices(): string[];
  /** The device of all calls from now on, or '' for TensorFlow to choose. */
  placeCalls(device: string): void;
  /** Kernels of an op that the library has, a serialized KernelList. */
  kernels(op: string): Uint8Array;
  /** Bytes that crossed into TensorFlow and out of it, and calls of ops and functions, since the process began. */
  traffic(): [bytesIn: number, bytesOut: number, calls: number];
  /** Turns on or off that the devices of all results are remembered. @returns those remembered since it was called last */
  watchResults(on: boolean): string[];
  /** Turns on or off that TensorFlow keeps the graphs that it makes of functions at their first calls. @returns turned off, those it kept: a serialized RunMetadata */
  collectGraphs(on: boolean): Uint8Array;
}

export interface NativeBackend extends tf.KernelBackend {
  binding: Binding;
  readonly tensorMap: { get(dataId: object): { readonly shape: number[]; readonly dtype: number } | undefined };
  /** The binding's ids of tensors; uploads values that are still on the host. Ids are never used again for another tensor. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  /** Takes over values that will be uploaded when a kernel first needs them. */
  move(dataId: object, values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void;
  readSync(dataId: object): tf.backend_util.BackendValues;
  /** The tensor of a result of the binding. */
  createOutputTensor(result: BindingTensor): tf.Tensor;
}

/** Whether native TensorFlow runs the ops. */
export const isNative = (): boolean => tf.getBackend() === 'tensorflow';

/** How steps compiled for a mode run on the engine of this process: one that knows no graphs runs every mode as `eager`. */
export const executedMode = (mode: Mode): Mode => (isNative() ? mode : 'eager');

/** @throws CompileError `ENGINE` unless native TensorFlow runs the ops */
export function nativeBackend(): NativeBackend {
  if (!isNative()) {
    throw new CompileError('ENGINE', `Expected native TensorFlow as the engine of compiled steps, got "${tf.getBackend()}". Call loadEngine first.`);
  }
  return tf.backend() as NativeBackend;
}

/** The device that everything computes on: tfjs-node takes the last GPU, or else the last CPU. */
export function computeDevice(): string {
  const devices = nativeBackend().binding.devices();
  return devices.findLast(device => device.includes(':GPU:')) ?? devices.findLast(device => device.includes(':CPU:'))!;
}

/** The device in the memory of the host. */
export const hostDevice = (): string => nativeBackend().binding.devices()[0]!;
