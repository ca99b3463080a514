import type * as tf from '../../tf.ts';
import { sizeOf, type KernelCall } from './backend.ts';

/**
 * `UnsortedSegmentSum`, which the package lacks: the gradient of `gather`. Row r of the output is the sum of the rows of x
 * whose segment is r. Rows of other segments, negative ones say, are left out, as TensorFlow does.
 * inputs: x `[R..., D...]` float32 or int32, segmentIds `[R...]` int32; output: `[numSegments, D...]`
 */
export function segmentSumKernel({ inputs: { x, segmentIds }, attrs, backend }: KernelCall<'x' | 'segmentIds'>): tf.TensorInfo {
  const segments = attrs['numSegments'] as number;
  const inner = x.shape.slice(segmentIds.shape.length),
    width = sizeOf(inner);
  const output = backend.makeOutput([segments, ...inner], x.dtype);
  const values = backend.typedArrayFromHeap(x),
    ids = backend.typedArrayFromHeap(segmentIds),
    sums = backend.typedArrayFromHeap(output);
  sums.fill(0);
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row]!;
    if (segment < 0 || segment >= segments) continue;
    const from = row * width,
      to = segment * width;
    for (let i = 0; i < width; i++) sums[to + i]! += values[from + i]!;
  }
  return output;
}
