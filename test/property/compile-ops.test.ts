/** Types that a recording gives to outputs are those that the engine computes, for every op that a step may have. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_OPS } from '../../src/engine/compile/ops.ts';
import { loadEngine } from '../../src/engine/backend.ts';
import * as tf from '../../src/engine/tf.ts';
import { executedOps, recordedOps } from '../helpers/executed-record.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

/** Tensors to read, and what is computed of them. */
interface Case {
  readonly leaves: () => tf.Tensor[];
  readonly compute: (...leaves: tf.Tensor[]) => unknown;
}

const size = fc.integer({ min: 1, max: 3 });
const shapeOf = (min: number, max = 4): fc.Arbitrary<number[]> => fc.array(size, { minLength: min, maxLength: max });
const ones = (shape: readonly number[], dtype: tf.DataType = 'float32'): tf.Tensor => tf.ones([...shape], dtype);

/** A shape, and another that it can be broadcast with. */
const broadcastable = shapeOf(0).chain(shape =>
  fc
    .tuple(
      fc.constant(shape),
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }).map(keep => shape.map((n, i) => (keep[i] ? n : 1))),
      fc.nat({ max: shape.length }),
      fc.boolean(),
    )
    .map(([shape, other, from, swap]): [number[], number[]] => {
      const pair: [number[], number[]] = [shape, other.slice(from)];
      return swap ? [pair[1], pair[0]] : pair;
    }),
);
const withAxis = (min = 1): fc.Arbitrary<[shape: number[], axis: number]> => shapeOf(min).chain(shape => fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 })));

const each = (compute: (x: tf.Tensor) => unknown, dtype: tf.DataType = 'float32'): fc.Arbitrary<Case> => shapeOf(0).map(shape => ({ leaves: () => [ones(shape, dtype)], compute }));
const both = (compute: (a: tf.Tensor, b: tf.Tensor) => unknown, dtype: tf.DataType = 'float32'): fc.Arbitrary<Case> =>
  broadcastable.map(shapes => ({ leaves: () => shapes.map(shape => ones(shape, dtype)), compute }));
const reduced = (reduce: (x: tf.Tensor, axes: number[], keep: boolean) => unknown): fc.Arbitrary<Case> =>
  shapeOf(1)
    .chain(shape => fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.boolean()))
    .map(([shape, axes, keep]) => ({ leaves: () => [ones(shape)], compute: x => reduce(x, axes, keep) }));

const cases: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  unary: each(x => [tf.abs, tf.erf, tf.exp, tf.floor, tf.log, tf.neg, tf.onesLike, tf.relu, tf.round, tf.rsqrt, tf.sigmoid, tf.sign, tf.sqrt, tf.square, tf.tanh, tf.zerosLike].map(f => f(x))),
  softmax: shapeOf(1).map(shape => ({ leaves: () => [ones(shape)], compute: x => tf.softmax(x) })),
  logicalNot: each(x => tf.logicalNot(x), 'bool'),
  addN: each(x => tf.addN([x, x, x])),
  binary: both((a, b) => [tf.add(a, b), tf.div(a, b), tf.maximum(a, b), tf.minimum(a, b), tf.mul(a, b), tf.pow(a, b), tf.squaredDifference(a, b), tf.sub(a, b)]),
  integers: both((a, b) => [tf.add(a, b), tf.div(a, b), tf.floorDiv(a, b), tf.mul(a, b), tf.less(a, b), tf.sum(a)], 'int32'),
  compare: both((a, b) => [tf.equal(a, b), tf.greater(a, b), tf.greaterEqual(a, b), tf.less(a, b), tf.lessEqual(a, b), tf.notEqual(a, b)]),
  logical: both((a, b) => [tf.logicalAnd(a, b), tf.logicalOr(a, b)], 'bool'),
  cast: each(x => [tf.cast(x, 'int32'), tf.cast(x, 'bool'), tf.cast(tf.cast(x, 'bool'), 'float32')]),
  where: both((a, b) => tf.where(tf.greater(a, tf.add(b, a)), tf.add(a, b), tf.mul(a, b))),
  sum: reduced((x, axes, keep) => [tf.sum(x, axes, keep), tf.mean(x, axes, keep), tf.max(x, axes, keep), tf.min(x, axes, keep), tf.prod(x, axes, keep)]),
  argMax: withAxis().map(([shape, axis]) => ({ leaves: () => [ones(shape)], compute: x => tf.argMax(x, axis) })),
  matMul: fc
    .tuple(broadcastable, size, size, size, fc.boolean(), fc.boolean())
    .filter(([[a, b]]) => a.length <= 2 && b.length <= 2)
    .map(([[a, b], n, k, m, ta, tb]) => ({
      leaves: () => [ones([...a, ...(ta ? [k, n] : [n, k])]), ones([...b, ...(tb ? [m, k] : [k, m])])],
      compute: (x, y) => tf.matMul(x, y, ta, tb),
    })),
  reshape: shapeOf(0).map(shape => ({ leaves: () => [ones(shape)], compute: x => [tf.reshape(x, [-1]), tf.reshape(x, [1, ...shape]), tf.squeeze(x)] })),
  expandDims: withAxis().map(([shape, axis]) => ({ leaves: () => [ones(shape)], compute: x => tf.expandDims(x, axis) })),
  transpose: shapeOf(1)
    .chain(shape =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(
          shape.map((_, i) => i),
          { minLength: shape.length },
        ),
      ),
    )
    .map(([shape, order]) => ({ leaves: () => [ones(shape)], compute: x => tf.transpose(x, order) })),
  reverse: withAxis().map(([shape, axis]) => ({ leaves: () => [ones(shape)], compute: x => tf.reverse(x, axis) })),
  slice: shapeOf(1)
    .chain(shape => fc.tuple(fc.constant(shape), fc.tuple(...shape.map(n => fc.nat({ max: n - 1 }))), fc.boolean()))
    .map(([shape, begin, rest]) => ({ leaves: () => [ones(shape)], compute: x => tf.slice(x, [...begin], rest ? -1 : shape.map((n, i) => n - begin[i]!)) })),
  split: withAxis()
    .chain(([shape, axis]) => fc.tuple(fc.constant(shape), fc.constant(axis), fc.array(size, { minLength: 1, maxLength: 3 })))
    .map(([shape, axis, sizes]) => ({
      leaves: () => [
        ones(
          shape.with(
            axis,
            sizes.reduce((a, b) => a + b, 0),
          ),
        ),
      ],
      compute: x => tf.split(x, sizes, axis),
    })),
  concat: fc
    .tuple(withAxis(), fc.array(size, { minLength: 1, maxLength: 3 }))
    .map(([[shape, axis], sizes]) => ({ leaves: () => sizes.map(n => ones(shape.with(axis, n))), compute: (...xs) => tf.concat(xs, axis) })),
  stack: withAxis().map(([shape, axis]) => ({ leaves: () => [ones(shape)], compute: x => [tf.stack([x, x], axis < 0 ? 0 : axis), tf.unstack(x, axis)] })),
  pad: shapeOf(1)
    .chain(shape => fc.tuple(fc.constant(shape), fc.tuple(...shape.map(() => fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }))))))
    .map(([shape, paddings]) => ({ leaves: () => [ones(shape)], compute: x => tf.pad(x, paddings, 1) })),
  tile: shapeOf(1)
    .chain(shape => fc.tuple(fc.constant(shape), fc.tuple(...shape.map(() => size))))
    .map(([shape, times]) => ({ leaves: () => [ones(shape)], compute: x => tf.tile(x, times) })),
  fill: shapeOf(0).map(shape => ({ leaves: () => [], compute: () => [tf.fill(shape, 2), tf.fill(shape, 2, 'int32')].map(x => tf.neg(x)) })),
  oneHot: fc.tuple(shapeOf(0), fc.integer({ min: 2, max: 4 })).map(([shape, depth]) => ({ leaves: () => [ones(shape, 'int32')], compute: x => tf.oneHot(x, depth) })),
  gather: fc.tuple(withAxis(), shapeOf(1, 2)).map(([[shape, axis], indices]) => ({
    leaves: () => [ones(shape), tf.zeros(indices, 'int32')],
    compute: (x, i) => tf.gather(x, i, axis < 0 ? axis + shape.length : axis),
  })),
  segments: fc.tuple(size, shapeOf(0, 2), fc.integer({ min: 1, max: 4 })).map(([n, inner, count]) => ({
    leaves: () => [ones([n, ...inner]), tf.zeros([n], 'int32')],
    compute: (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, count),
  })),
};

describe('a recording', () => {
  const seen = new Set<string>();

  it.each(Object.keys(cases))('has the types of what the engine computes: %s', name => {
    fc.assert(
      fc.property(cases[name]!, ({ leaves, compute }) => {
        tf.engine().startScope();
        const given = leaves();
        const executed = executedOps(given, () => compute(...given));
        expect(recordedOps(given, () => compute(...given))).toEqual(executed);
        tf.engine().endScope();
        for (const { op } of executed) seen.add(op);
      }),
      { numRuns: 40 },
    );
  });

  afterAll(() => {
    expect(
      KNOWN_OPS.filter(op => !seen.has(op)),
      'ops that no case covers',
    ).toEqual([]);
  });
});
