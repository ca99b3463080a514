// The measure of all parity tests must itself be able to fail.
import { beforeAll, describe, expect, it } from 'vitest';
import * as tf from '../../src/engine/tf.ts';
import { expectClose, expectCloseAbsolute, fixture, relmax, startEngine, type Values } from '../helpers/parity/fixtures.ts';

const vector = (...data: number[]): Values => ({ shape: [data.length], data });

beforeAll(startEngine);

describe('relmax', () => {
  it('is the largest difference over the largest expected magnitude', () => {
    expect(relmax(vector(1, -9), vector(2, -8))).toBe(1 / 8);
    expect(relmax(vector(0, 1), vector(0, 0))).toBe(Infinity);
    expect(relmax(vector(0, 0), vector(0, 0))).toBe(0);
    expect(relmax(vector(1, NaN), vector(1, 2))).toBeNaN();
    expect(relmax(vector(1), vector(1, 2))).toBeNaN();
  });
});

describe('expectClose', () => {
  it('accepts what is within the tolerance, tensors and host values alike', () => {
    expectClose(tf.tensor1d([1, 2]), vector(1, 2.00001), 1e-5);
    expectClose(vector(NaN, Infinity), vector(NaN, Infinity), 0);
    expectCloseAbsolute(vector(1, 2), vector(1.5, 2), 0.5);
  });

  it.each([
    ['a difference', vector(1, 2), vector(1, 2.1)],
    ['a NaN', vector(1, NaN), vector(1, 2)],
    ['an infinity', vector(1, Infinity), vector(1, 2)],
    ['another shape', { shape: [1, 2], data: [1, 2] }, vector(1, 2)],
    ['missing values', { shape: [2], data: [1] }, vector(1, 2)],
  ])('refuses %s', (_, actual, expected) => {
    expect(() => {
      expectClose(actual, expected, 1e-2);
    }).toThrow('tensor: ');
    expect(() => {
      expectCloseAbsolute(actual, expected, 1e-2);
    }).toThrow('tensor: ');
  });

  it('says what, how far and where', () => {
    expect(() => {
      expectClose(vector(1, 4, 3), vector(1, 2, 3), 1e-5, 'logits');
    }).toThrow('logits: got shape [3], expected [3]: relmax 6.67e-1 > 0.00001; worst at flat index 1: got 4, expected 2');
  });
});

describe('fixture', () => {
  it('gives tensors of the engine, alone and by prefix', () => {
    const ops = fixture('ops');
    expect(ops.tensor('layernorm/input').shape).toEqual([8, 24]);
    expect(Object.keys(ops.group('softmax/')).sort()).toEqual(['grad_input', 'input', 'output', 'r']);
    expect(() => ops.tensor('nothing')).toThrow('Expected fixture ops to have the tensor "nothing"');
    expect(() => ops.group('nothing/')).toThrow(/^Expected fixture ops to have tensors "nothing\/…", got .*softmax\/input.*\.$/);
  });
});
