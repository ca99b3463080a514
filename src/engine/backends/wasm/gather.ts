import { reshaped, sizeOf, type Kernel } from './backend.ts';

/**
 * `GatherV2` as a gather of rows. The package's reads the indices of every batch but the first from a wrong place
 * (tensorflow/tfjs issue 8658).
 * inputs: x `[B..., O..., N, I...]`, N at `axis`; indices `[B..., K...]` int32, B of `batchDims` axes; output: `[B..., O..., K..., I...]`
 */
export const gatherKernel =
  (original: Kernel<'x' | 'indices'>): Kernel<'x' | 'indices'> =>
  call => {
    const {
      inputs: { x, indices },
      attrs,
      backend,
    } = call;
    const batchDims = (attrs['batchDims'] as number | undefined) ?? 0;
    if (batchDims === 0) return original(call);
    const axis = ((attrs['axis'] as number) + x.shape.length) % x.shape.length;
    const count = x.shape[axis]!,
      inner = sizeOf(x.shape.slice(axis + 1));
    const batches = sizeOf(x.shape.slice(0, batchDims)),
      outer = sizeOf(x.shape.slice(batchDims, axis));
    const places = rowsOf(backend.typedArrayFromHeap(indices) as Int32Array, { count, batches, outer });
    const rows = backend.makeOutput([places.length], 'int32', undefined, places);
    const gathered = original({ inputs: { x: reshaped(x, [batches * outer * count, inner]), indices: rows }, attrs: { axis: 0, batchDims: 0 }, backend });
    backend.disposeData(rows.dataId);
    return reshaped(gathered, [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)]);
  };

/** Rows of `[batches * outer * count, ...]` for indices `[batches, K]`: `[batches, outer, K]`. */
function rowsOf(indices: Int32Array, { count, batches, outer }: Readonly<Record<'count' | 'batches' | 'outer', number>>): Int32Array {
  const outside = indices.find(index => index < 0 || index >= count);
  if (outside !== undefined) throw new RangeError(`Expected indices from 0 to ${count - 1}, got ${outside}.`);
  const each = indices.length / batches,
    rows = new Int32Array(outer * indices.length);
  for (let b = 0, place = 0; b < batches; b++) {
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < each; k++) rows[place++] = (b * outer + o) * count + indices[b * each + k]!;
    }
  }
  return rows;
}
