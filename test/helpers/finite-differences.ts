/** Gradients against central differences of the function itself. */
import { stream } from '../../src/engine/random/rng.ts';
import * as tf from '../../src/engine/tf.ts';
import type { Params } from '../../src/engine/formats/weights.ts';
import { valueAndGrads } from './parity/model.ts';

export function normals(name: string, shape: readonly number[], scale = 1): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    stream(7, name, 0)
      .normals(size)
      .map(x => scale * x),
    [...shape],
  );
}

export type F = (...inputs: tf.Tensor[]) => tf.Scalar;

/** Balances the truncation error (about h^2) with float32 rounding (about 1e-7 / h): both stay below 1e-3 for functions of order 1. */
const STEP = 1e-2;

const unitOf = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.norm(x));
const numberOf = (x: tf.Tensor): number => x.dataSync()[0]!;

function slope(f: (x: tf.Tensor) => tf.Scalar, at: tf.Tensor, direction: tf.Tensor): number {
  const shifted = (h: number): number => numberOf(tf.tidy(() => f(tf.add(at, tf.mul(direction, h)))));
  return (shifted(STEP) - shifted(-STEP)) / (2 * STEP);
}

/**
 * Largest relative error of the gradient along random directions, one direction for each input at a time. A wrong term in a
 * gradient shows as 1e-2 and more.
 */
export function gradientError(f: F, inputs: tf.Tensor[]): number {
  const grads = tf.grads(f)(inputs);
  const errors = inputs.flatMap((input, i) =>
    [0, 1, 2].map(trial => {
      const unit = unitOf(normals(`direction/${i}/${trial}`, input.shape));
      const numeric = slope(x => f(...inputs.map((other, j) => (j === i ? x : other))), input, unit);
      const analytic = numberOf(tf.sum(tf.mul(grads[i]!, unit)));
      return Math.abs(numeric - analytic) / Math.max(Math.abs(analytic), numberOf(tf.norm(grads[i]!)) / Math.sqrt(input.size));
    }),
  );
  return Math.max(...errors);
}

/**
 * Largest error over the parameters of a model, each along its gradient turned towards a random direction, relative to the
 * norm of its gradient but at least a hundredth of the largest one's. A parameter without a gradient must not matter.
 */
export function modelGradientError(f: (params: Params) => tf.Scalar, params: Params): number {
  const { grads } = valueAndGrads(f, params);
  const largest = Math.max(...Object.values(grads).map(grad => numberOf(tf.norm(grad))));
  const errors = Object.entries(params).map(([name, param]) => {
    const grad = grads[name] ?? tf.zerosLike(param);
    const norm = numberOf(tf.norm(grad));
    const turned = tf.add(norm > 0 ? tf.div(grad, norm) : tf.zerosLike(param), unitOf(normals(`direction/${name}`, param.shape)));
    const unit = unitOf(turned);
    const numeric = slope(x => f({ ...params, [name]: x }), param, unit);
    return Math.abs(numeric - numberOf(tf.sum(tf.mul(grad, unit)))) / Math.max(norm, largest / 100);
  });
  return Math.max(...errors);
}
