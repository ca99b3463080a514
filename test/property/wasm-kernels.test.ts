/** Kernels of the WebAssembly engine that replace or add to the package's, against their plain definitions. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { loadEngine } from '../../src/engine/backend.ts';
import { stream } from '../../src/engine/random/rng.ts';
import * as tf from '../../src/engine/tf.ts';

beforeAll(() => loadEngine({ engine: 'wasm', device: 'cpu', threads: 1 }));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const values = (seed: number, shape: readonly number[]): Float32Array => stream(seed, 'values', 0).normals(sizeOf(shape));

/** Fails unless |actual - expected| <= tolerance everywhere. */
function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance)) throw new Error(`at ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** `sum_k a[b, i, k] b[b, k, j]`, in double precision. */
function product(
  a: Float32Array,
  b: Float32Array,
  { batch, m, k, n, transposeA, transposeB }: Readonly<Record<'batch' | 'm' | 'k' | 'n', number>> & { transposeA: boolean; transposeB: boolean },
): Float64Array {
  const result = new Float64Array(batch * m * n);
  for (let at = 0; at < batch; at++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let inner = 0; inner < k; inner++) {
          sum += a[at * m * k + (transposeA ? inner * m + i : i * k + inner)]! * b[at * k * n + (transposeB ? j * k + inner : inner * n + j)]!;
        }
        result[(at * m + i) * n + j] = sum;
      }
    }
  }
  return result;
}

const dim = fc.integer({ min: 1, max: 40 });

it('matMul: any sizes, batches and transposes', () => {
  fc.assert(
    fc.property(fc.record({ m: dim, k: dim, n: dim, batch: fc.constantFrom(1, 2, 5, 16), transposeA: fc.boolean(), transposeB: fc.boolean(), seed: fc.nat() }), ({ seed, ...sizes }) => {
      const { batch, m, k, n, transposeA, transposeB } = sizes;
      const shapeA = [batch, ...(transposeA ? [k, m] : [m, k])],
        shapeB = [batch, ...(transposeB ? [n, k] : [k, n])];
      const a = values(seed, shapeA),
        b = values(seed + 1, shapeB);
      const rank = batch === 1 ? 1 : 0; // a batch of one as a plain matrix
      const actual = tf.tidy(() => tf.matMul(tf.tensor(a, shapeA.slice(rank)), tf.tensor(b, shapeB.slice(rank)), transposeA, transposeB).dataSync());
      expectNear(actual, product(a, b, sizes), 1e-5 * Math.sqrt(k) * 10);
    }),
    { numRuns: 150 },
  );
});

it('unsortedSegmentSum: any rows and segments', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (ids, segments, width, seed) => {
      const x = values(seed, [ids.length, width]),
        expected = new Float64Array(segments * width);
      ids.forEach((id, row) => {
        for (let i = 0; i < width; i++) if (id >= 0 && id < segments) expected[id * width + i]! += x[row * width + i]!;
      });
      const actual = tf.tidy(() => tf.unsortedSegmentSum(tf.tensor(x, [ids.length, width]), tf.tensor1d(ids, 'int32'), segments).dataSync());
      expectNear(actual, expected, 1e-5);
    }),
  );
});

it('gather: any batches, axes and indices', () => {
  const small = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      fc.record({ batches: small, outer: small, count: small, inner: small, taken: small, batched: fc.boolean(), seed: fc.nat() }),
      ({ batches, outer, count, inner, taken, batched, seed }) => {
        const shape = [batches, outer, count, inner],
          x = values(seed, shape);
        const sets = batched ? batches : 1;
        const indices = Int32Array.from(stream(seed, 'indices', 0).uniforms(sets * taken), u => Math.floor(u * count));
        const expected: number[] = [];
        for (let b = 0; b < batches; b++)
          for (let o = 0; o < outer; o++)
            for (let t = 0; t < taken; t++)
              for (let i = 0; i < inner; i++) {
                expected.push(x[((b * outer + o) * count + indices[(batched ? b : 0) * taken + t]!) * inner + i]!);
              }
        const actual = tf.tidy(() => tf.gather(tf.tensor(x, shape), tf.tensor(indices, batched ? [batches, taken] : [taken], 'int32'), 2, batched ? 1 : 0).dataSync());
        expectNear(actual, expected, 0);
      },
    ),
  );
});

it('split: any sizes along any axis', () => {
  const small = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(fc.array(small, { minLength: 1, maxLength: 3 }), fc.array(small, { minLength: 1, maxLength: 4 }), fc.nat(2), fc.nat(), (others, sizes, place, seed) => {
      const axis = Math.min(place, others.length);
      const shape = others.toSpliced(
          axis,
          0,
          sizes.reduce((a, b) => a + b, 0),
        ),
        x = values(seed, shape);
      tf.tidy(() => {
        const parts = tf.split(tf.tensor(x, shape), sizes, axis);
        parts.forEach((part, i) => {
          const start = shape.map((_, d) => (d === axis ? sizes.slice(0, i).reduce((a, b) => a + b, 0) : 0));
          expectNear(part.dataSync(), tf.slice(tf.tensor(x, shape), start, others.toSpliced(axis, 0, sizes[i]!)).dataSync(), 0);
        });
        expectNear(tf.concat(parts, axis).dataSync(), x, 0);
      });
    }),
  );
});
