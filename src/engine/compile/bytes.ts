/** Tensors of small numbers that cross to the engine as one byte each: pixels, indices, flags. */
import * as tf from '../tf.ts';
import { isNative, nativeBackend } from './native.ts';
import { DTYPE } from './trace.ts';

/**
 * Numbers from 0 to 255, for tfjs an int32 tensor. Native TensorFlow is sent bytes and holds bytes, which a program widens where
 * it computes; only programs can read them. WebAssembly holds int32.
 * @param values stay as they are for as long as the tensor lives
 */
export function byteTensor(values: Uint8Array, shape: readonly number[]): tf.Tensor {
  if (!isNative()) return tf.tensor(values, [...shape], 'int32');
  const backend = nativeBackend();
  return backend.createOutputTensor({ id: backend.binding.createTensor(shape, DTYPE.uint8, values), shape: [...shape], dtype: DTYPE.uint8 });
}

export const isByteTensor = (tensor: tf.Tensor): boolean => isNative() && nativeBackend().tensorMap.get(tensor.dataId)?.dtype === DTYPE.uint8;

/** As the ops of tfjs read it; the caller's, as the tensor given stays. */
export function widened(tensor: tf.Tensor): tf.Tensor {
  const backend = nativeBackend(),
    { binding } = backend;
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  const attributes = [type('SrcT', DTYPE.uint8), type('DstT', DTYPE.int32), { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false }];
  return backend.createOutputTensor(binding.executeOp('Cast', attributes, backend.getInputTensorIds([tensor]), 1)[0]!);
}
