/** What the package of the WebAssembly engine lacks or computes wrongly, example by example. */
import { beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../../../src/engine/backend.ts';
import type { WasmBackend } from '../../../../src/engine/backends/wasm/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';

beforeAll(() => loadEngine({ engine: 'wasm', device: 'cpu', threads: 1 }));

describe('unsortedSegmentSum', () => {
  it('sums the rows of each segment, and leaves out those of none', () => {
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
      [9, 10],
    ]);
    const sums = tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2, -1, 3], 'int32'), 3);
    expect(sums.arraySync()).toEqual([
      [3, 4],
      [0, 0],
      [6, 8],
    ]);
  });

  it('sums integers as integers', () => {
    const sums = tf.unsortedSegmentSum(tf.tensor1d([2 ** 24, 1, 1], 'int32'), tf.tensor1d([0, 0, 0], 'int32'), 1);
    expect(sums.arraySync()).toEqual([2 ** 24 + 2]); // float32 has no odd numbers there
  });

  it('is the gradient of gather: a row that was taken twice gets both parts', () => {
    const rows = tf.tensor1d([1, 1, 0], 'int32'),
      weights = tf.tensor2d([
        [1, 2],
        [10, 20],
        [100, 200],
      ]);
    const grad = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.gather(x, rows), weights)))(tf.zeros([3, 2]));
    expect(grad.arraySync()).toEqual([
      [100, 200],
      [11, 22],
      [0, 0],
    ]);
  });
});

describe('gather', () => {
  it('takes the indices of each batch from that batch', () => {
    const x = tf.tensor2d([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      indices = tf.tensor2d(
        [
          [2, 0],
          [1, 1],
        ],
        [2, 2],
        'int32',
      );
    expect(tf.gather(x, indices, 1, 1).arraySync()).toEqual([
      [3, 1],
      [5, 5],
    ]);
  });

  it('takes them along an axis that is not the one after the batch', () => {
    const x = tf.tensor3d([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ]),
      indices = tf.tensor2d([[1], [0]], [2, 1], 'int32');
    expect(tf.gather(x, indices, 2, 1).arraySync()).toEqual([
      [[2], [4]],
      [[5], [7]],
    ]);
  });

  it.each([
    [0, [3]],
    [1, [[0], [-1]]],
  ])('refuses an index out of range, %d batch dimensions', (batchDims, indices) => {
    expect(() => tf.gather(tf.ones([2, 2]), tf.tensor(indices, undefined, 'int32'), batchDims, batchDims)).toThrow(/3|-1/);
  });
});

describe('cast to bool', () => {
  it('asks whether a number is not zero', () => {
    const flags = tf.cast(tf.tensor1d([0, -0, 0.5, -0.25, 1, 2, 256, Number.NaN, Infinity]), 'bool');
    expect([...flags.dataSync()]).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1]);
    expect([...tf.cast(tf.tensor1d([0, 1, -1, 2, 256, 2 ** 24], 'int32'), 'bool').dataSync()]).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it('changes no other cast', () => {
    expect([...tf.cast(tf.tensor1d([1.9, -1.9]), 'int32').dataSync()]).toEqual([1, -1]);
    expect([...tf.cast(tf.tensor1d([true, false], 'bool'), 'float32').dataSync()]).toEqual([1, 0]);
    expect([...tf.cast(tf.tensor1d([1.5]), 'float32').dataSync()]).toEqual([1.5]);
  });
});

describe('matMul', () => {
  it('keeps to the rules of broadcasting batches', () => {
    const a = tf.tensor([1, 2, 3, 4], [2, 1, 2]),
      b = tf.tensor([1, 1], [1, 2, 1]);
    expect(tf.matMul(a, b).arraySync()).toEqual([[[3]], [[7]]]);
  });

  it('sees values that came after the first product with a tensor of the same place', () => {
    // The package keeps a packed copy of a right operand for as long as its tensor lives.
    const a = tf.tensor2d([[1, 1]]);
    const products = [1, 2, 3].map(value => tf.tidy(() => tf.matMul(a, tf.fill([2, 1], value)).dataSync()[0]));
    expect(products).toEqual([2, 4, 6]);
  });
});

describe('the heap', () => {
  it('that is full is an error, harms no tensor, and goes on once there is room', () => {
    const backend = tf.backend() as WasmBackend,
      kept = tf.tensor1d([1, 2, 3]);
    const blocks: tf.TensorInfo[] = [];
    const fill = (): void => {
      for (;;) blocks.push(backend.makeOutput([2 ** 27], 'float32'));
    }; // 512 MiB each, never touched
    expect(fill).toThrow(/out of memory/);
    expect(blocks.length).toBeGreaterThan(3);
    expect([...kept.dataSync()]).toEqual([1, 2, 3]);
    for (const { dataId } of blocks) backend.disposeData(dataId);
    expect(tf.sum(tf.ones([1000])).dataSync()[0]).toBe(1000);
  });
});

it('leaves no tensor and no memory behind', () => {
  const backend = tf.backend() as WasmBackend;
  const once = (): void =>
    tf.tidy(() => {
      const x = tf.ones([4, 6, 8]),
        flags = tf.cast(x, 'bool');
      const rows = tf.gather(tf.reshape(x, [24, 8]), tf.tensor1d([1, 2], 'int32'));
      tf.gather(x, tf.zeros([4, 2], 'int32'), 1, 1);
      tf.unsortedSegmentSum(rows, tf.tensor1d([0, 1], 'int32'), 2);
      for (const a of [false, true]) for (const b of [false, true]) tf.matMul(a ? tf.transpose(x, [0, 2, 1]) : x, b ? x : tf.transpose(x, [0, 2, 1]), a, b);
      flags.dataSync();
    });
  once();
  const before = { tensors: tf.memory().numTensors, data: backend.numDataIds(), heap: backend.wasm.HEAPU8.length };
  for (let i = 0; i < 200; i++) once();
  expect({ tensors: tf.memory().numTensors, data: backend.numDataIds(), heap: backend.wasm.HEAPU8.length }).toEqual(before);
});
