import type * as tf from '../../tf.ts';
import type { KernelCall } from './backend.ts';

/** `Identity` as another reference to the same values. The package's copies them: every tensor that the tape saves, once more. */
export function identityKernel({ inputs: { x }, backend }: KernelCall<'x'>): tf.TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}
