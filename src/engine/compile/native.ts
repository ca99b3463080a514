/** What the native backend of tfjs-node has beside the interface of tfjs. */
import * as tf from '../tf.ts';
import { CompileError } from './errors.ts';

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
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
}

export interface NativeBackend extends tf.KernelBackend {
  binding: Binding;
  readonly tensorMap: { get(dataId: object): { readonly shape: number[] } };
  /** The binding's ids of tensors; uploads values that are still on the host. Ids are never used again for another tensor. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  /** Takes over values that will be uploaded when a kernel first needs them. */
  move(dataId: object, values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType, refCount: number): void;
  readSync(dataId: object): tf.backend_util.BackendValues;
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(id: number, inputs: readonly tf.Tensor[], infos: readonly { readonly name: string }[], outputs: readonly string[]): tf.Tensor[];
  deleteSavedModel(id: number): void;
}

/** Whether native TensorFlow runs the ops. */
export const isNative = (): boolean => tf.getBackend() === 'tensorflow';

/** @throws CompileError `ENGINE` unless native TensorFlow runs the ops */
export function nativeBackend(): NativeBackend {
  if (!isNative()) {
    throw new CompileError('ENGINE', `Expected native TensorFlow as the engine of compiled steps, got "${tf.getBackend()}". Call loadEngine first.`);
  }
  return tf.backend() as NativeBackend;
}
