import * as tf from '../../tf.ts';
import { runKernel, sizeOf, type Kernel, type WasmBackend } from './backend.ts';

/** Multiplications of one product of a batch: with fewer, the package's loop is done before XNNPACK has begun. */
const WORTHWHILE = 1000;

/**
 * `BatchMatMul` on XNNPACK throughout. The package uses it for one product of operands that need no transposing, and a plain
 * loop for all others, which is most of a Transformer: x W^T, every gradient, and the heads of attention. Here operands are
 * transposed first, and a batch is one product after the other.
 * inputs: a `[B..., M, K]`, b `[B..., K, N]`, the last two axes swapped where transposeA, transposeB say so; output: `[B..., M, N]`
 */
export const matMulKernel =
  (original: Kernel<'a' | 'b'>): Kernel<'a' | 'b'> =>
  call => {
    const {
      inputs: { a, b },
      attrs,
      backend,
    } = call;
    const batch = a.shape.slice(0, -2);
    const plain = a.dtype === 'float32' && b.dtype === 'float32' && tf.util.arraysEqual(batch, b.shape.slice(0, -2));
    if (!plain) return original(call); // batches that are broadcast
    const [rows, columns] = a.shape.slice(-2),
      others = attrs['transposeB'] === true ? b.shape.at(-2) : b.shape.at(-1);
    if (batch.length > 0 && rows! * columns! * others! < WORTHWHILE) return original(call);
    const left = untransposed(a, attrs['transposeA'] === true, backend),
      right = untransposed(b, attrs['transposeB'] === true, backend);
    const [m, k] = left.shape.slice(-2),
      n = right.shape.at(-1);
    const output = backend.makeOutput([...batch, m!, n!], 'float32');
    multiply(backend, left, right, output, { batch: sizeOf(batch), m: m!, k: k!, n: n! });
    for (const [made, given] of [
      [left, a],
      [right, b],
    ] as const)
      if (made !== given) backend.disposeData(made.dataId);
    return output;
  };

/** With its last two axes swapped, where that is asked for. */
function untransposed(x: tf.TensorInfo, transpose: boolean, backend: WasmBackend): tf.TensorInfo {
  if (!transpose) return x;
  const last = x.shape.length - 1;
  return runKernel('Transpose', backend, { x }, { perm: [...x.shape.keys()].slice(0, -2).concat(last, last - 1) });
}

/** Ids that no tensor of the backend has: it counts from 1. */
const A = 2 ** 31 - 1,
  B = A - 1,
  OUTPUT = A - 2;

/**
 * `[batch, M, K]` times `[batch, K, N]`. Each operand is known to XNNPACK by an id of ours for one product only: of a right
 * operand it keeps a packed copy for as long as the id is in use, which would double the memory of a training step.
 */
function multiply(backend: WasmBackend, a: tf.TensorInfo, b: tf.TensorInfo, output: tf.TensorInfo, { batch, m, k, n }: Readonly<Record<'batch' | 'm' | 'k' | 'n', number>>): void {
  const { wasm } = backend,
    { registerTensor, disposeData } = wasm.tfjs;
  const product = wasm.cwrap('BatchMatMul', null, Array<'number'>(9).fill('number'));
  const operands = [
    [A, a, m * k],
    [B, b, k * n],
    [OUTPUT, output, m * n],
  ] as const;
  const starts = operands.map(([, { dataId }]) => backend.getMemoryOffset(dataId));
  const shapes = wasm._malloc(6 * Uint32Array.BYTES_PER_ELEMENT);
  new Uint32Array(wasm.HEAPU8.buffer, shapes, 6).set([1, m, k, 1, k, n]);
  for (let item = 0; item < batch; item++) {
    operands.forEach(([id, , size], i) => {
      registerTensor(id, size, starts[i]! + item * size * Float32Array.BYTES_PER_ELEMENT);
    });
    product(A, shapes, 3, B, shapes + 3 * Uint32Array.BYTES_PER_ELEMENT, 3, 0, 0, OUTPUT);
    for (const [id] of operands) disposeData(id);
  }
  wasm._free(shapes);
}
