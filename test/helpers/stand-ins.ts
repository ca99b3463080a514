import { nativeBackend } from '../../src/engine/compile/native.ts';
import type * as tf from '../../src/engine/tf.ts';

/** Runs what closes over tensors, while every kernel that would read one of them reads what stands in for it. */
export function withStandIns<T>(standIns: ReadonlyMap<tf.Tensor, tf.Tensor>, run: () => T): T {
  const backend = nativeBackend(),
    byData = new Map([...standIns].map(([tensor, standIn]) => [tensor.dataId, standIn]));
  const before = Object.getOwnPropertyDescriptor(backend, 'getInputTensorIds');
  const getInputTensorIds = backend.getInputTensorIds.bind(backend);
  backend.getInputTensorIds = tensors => getInputTensorIds(tensors.map(tensor => byData.get(tensor.dataId) ?? tensor));
  try {
    return run();
  } finally {
    if (before) Object.defineProperty(backend, 'getInputTensorIds', before);
    else Reflect.deleteProperty(backend, 'getInputTensorIds');
  }
}
