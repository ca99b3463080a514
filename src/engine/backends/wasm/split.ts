import * as tf from '../../tf.ts';
import { sizeOf, type Kernel } from './backend.ts';

/**
 * `SplitV` of the last axis (queries, keys and values) as loops over the heap. The package makes two views of typed arrays for
 * each row of each part, which takes longer than copying it.
 * input: x `[R..., C]`; outputs: `[R..., C_i]`
 */
export const splitKernel =
  (original: Kernel<'x', tf.TensorInfo[]>): Kernel<'x', tf.TensorInfo[]> =>
  call => {
    const {
      inputs: { x },
      attrs,
      backend,
    } = call;
    const axis = tf.util.parseAxisParam(attrs['axis'] as number, x.shape)[0]!,
      leading = x.shape.slice(0, -1);
    if (axis !== leading.length || x.dtype !== 'float32') return original(call);
    const sizes = tf.backend_util.prepareSplitSize(x, attrs['numOrSizeSplits'] as number | number[], axis);
    const parts = sizes.map(size => backend.makeOutput([...leading, size], 'float32'));
    const values = backend.typedArrayFromHeap(x),
      rows = sizeOf(leading),
      width = x.shape[axis]!;
    let start = 0;
    parts.forEach((part, i) => {
      const own = backend.typedArrayFromHeap(part),
        size = sizes[i]!;
      for (let row = 0, to = 0; row < rows; row++) {
        for (let from = row * width + start, end = from + size; from < end; from++) own[to++] = values[from]!;
      }
      start += size;
    });
    return parts;
  };
