import type * as tf from '../../tf.ts';
import { sizeOf, type Kernel } from './backend.ts';

/**
 * `Cast` to bool as "is not zero". The package's truncates to a byte: 0.5 and 256 become false, 2 becomes a 2 that is not
 * equal to true.
 */
export const castKernel =
  (original: Kernel<'x'>): Kernel<'x'> =>
  call => {
    const {
      inputs: { x },
      attrs,
      backend,
    } = call;
    if (attrs['dtype'] !== 'bool' || (x.dtype !== 'float32' && x.dtype !== 'int32')) return original(call);
    const output: tf.TensorInfo = backend.makeOutput([...x.shape], 'bool');
    const values = backend.typedArrayFromHeap(x),
      flags = backend.typedArrayFromHeap(output);
    for (let i = 0, size = sizeOf(x.shape); i < size; i++) flags[i] = values[i] === 0 ? 0 : 1;
    return output;
  };
