/** Custom gradients against central differences of the function itself, along random directions. */
import { beforeAll, describe, expect, it } from 'vitest';
import { batchNorm } from '../../../src/engine/grad/batch-norm.ts';
import { convolve, convolveUp } from '../../../src/engine/grad/convolution.ts';
import { softmaxCrossEntropy } from '../../../src/engine/grad/cross-entropy.ts';
import { gelu } from '../../../src/engine/grad/gelu.ts';
import { layerNorm } from '../../../src/engine/grad/layer-norm.ts';
import { linear } from '../../../src/engine/grad/linear.ts';
import { maxPool } from '../../../src/engine/grad/max-pool.ts';
import { meanTokens } from '../../../src/engine/grad/mean-tokens.ts';
import { relu } from '../../../src/engine/grad/relu.ts';
import { adaptiveMeanPool, resizeBilinear } from '../../../src/engine/grad/resample.ts';
import { smoothL1 } from '../../../src/engine/grad/smooth-l1.ts';
import { softmaxKl } from '../../../src/engine/grad/softmax-kl.ts';
import { meanSquaredError, weightedSquaredError } from '../../../src/engine/grad/squared-error.ts';
import { withGradient } from '../../../src/engine/grad/with-gradient.ts';
import { loadEngine } from '../../../src/engine/backend.ts';
import { ShapeError } from '../../../src/engine/shape.ts';
import * as tf from '../../../src/engine/tf.ts';
import { gradientError, normals, type F } from '../../helpers/finite-differences.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

/** A scalar that weighs every output element differently. */
const weighed = (output: tf.Tensor): tf.Scalar => tf.sum(tf.mul(output, normals('weighing', output.shape)));
const TOLERANCE = 4e-3;

/** Numbers no two of which, and none of which and an integer, are nearer than 1/4: shuffled halves. */
function apart(shape: number[]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => (((i * 7) % size) + 0.5) / 2),
    shape,
  );
}

const cases: Record<string, { f: F; inputs: () => tf.Tensor[] }> = {
  linear: {
    f: (x, w, b) => weighed(linear(x as tf.Tensor2D, w, b)),
    inputs: () => [normals('x', [5, 4]), normals('w', [3, 4]), normals('b', [3])],
  },
  'layerNorm with weight and bias, rank 2': {
    f: (x, weight, bias) => weighed(layerNorm(x, 1e-6, { weight: weight, bias: bias })),
    inputs: () => [normals('x', [5, 8]), normals('weight', [8]), normals('bias', [8])],
  },
  'layerNorm with weight and bias, rank 3': {
    f: (x, weight, bias) => weighed(layerNorm(x, 1e-6, { weight: weight, bias: bias })),
    inputs: () => [normals('x', [2, 3, 8]), normals('weight', [8]), normals('bias', [8])],
  },
  'layerNorm without, large eps': { f: x => weighed(layerNorm(x, 0.5)), inputs: () => [normals('x', [5, 8])] },
  gelu: { f: x => weighed(gelu(x)), inputs: () => [normals('x', [4, 6], 2)] },
  'softmaxKl, student': { f: s => softmaxKl(normals('teacher', [2, 3, 4, 5], 2), s), inputs: () => [normals('s', [2, 3, 4, 5], 2)] },
  'softmaxCrossEntropy, logits': {
    f: logits => softmaxCrossEntropy(tf.softmax(normals('targets', [4, 6])), logits),
    inputs: () => [normals('logits', [4, 6], 2)],
  },
  'softmaxCrossEntropy, targets that do not sum to 1': {
    f: logits => softmaxCrossEntropy(tf.abs(normals('targets', [4, 6])), logits),
    inputs: () => [normals('logits', [4, 6], 2)],
  },
  meanSquaredError: { f: p => meanSquaredError(normals('target', [3, 4]), p), inputs: () => [normals('p', [3, 4])] },
  weightedSquaredError: {
    f: (t, p) => weightedSquaredError(t as tf.Tensor2D, p as tf.Tensor2D, tf.abs(normals('weights', [5, 1])) as tf.Tensor2D),
    inputs: () => [normals('t', [5, 4]), normals('p', [5, 4])],
  },
  // Differences up to 4: both sides of both kinks.
  smoothL1: { f: p => smoothL1(normals('target', [6, 7], 2), p, 2), inputs: () => [normals('p', [6, 7], 2)] },
  'smoothL1, small beta': { f: p => smoothL1(normals('target', [6, 7]), p, 0.5), inputs: () => [normals('p', [6, 7])] },
  meanTokens: { f: x => weighed(meanTokens(x as tf.Tensor3D, 1)), inputs: () => [normals('x', [2, 4, 3])] },
  'convolve, 3 x 3': { f: (x, w) => weighed(convolve(x as tf.Tensor4D, w)), inputs: () => [normals('x', [2, 3, 4, 2]), normals('w', [3, 2, 3, 3])] },
  'convolve, 1 x 1': { f: (x, w) => weighed(convolve(x as tf.Tensor4D, w)), inputs: () => [normals('x', [2, 3, 4, 2]), normals('w', [3, 2, 1, 1])] },
  convolveUp: { f: (x, w, b) => weighed(convolveUp(x as tf.Tensor4D, w, b)), inputs: () => [normals('x', [2, 3, 2, 3]), normals('w', [3, 2, 2, 2]), normals('b', [2])] },
  batchNorm: {
    f: (x, weight, bias) => weighed(batchNorm(x as tf.Tensor2D, 1e-5, { weight, bias }, () => undefined)),
    inputs: () => [normals('x', [7, 3]), normals('weight', [3]), normals('bias', [3])],
  },
  'resizeBilinear, larger and smaller': { f: x => weighed(resizeBilinear(x as tf.Tensor4D, [7, 2])), inputs: () => [normals('x', [2, 4, 5, 2])] },
  adaptiveMeanPool: { f: x => weighed(adaptiveMeanPool(x as tf.Tensor4D, [3, 6])), inputs: () => [normals('x', [2, 5, 4, 2])] },
  // Their kinks lie further from these values than a step of the differences.
  maxPool: { f: x => weighed(maxPool(x as tf.Tensor4D)), inputs: () => [apart([2, 5, 4, 3])] },
  relu: { f: x => weighed(relu(x)), inputs: () => [tf.sub(apart([4, 6]), 6)] },
};

describe('gradients equal central differences', () => {
  it.each(Object.keys(cases))('%s', name => {
    const { f, inputs } = cases[name]!;
    expect(gradientError(f, inputs())).toBeLessThan(TOLERANCE);
  });
});

describe('the check itself', () => {
  const inputs = () => [normals('x', [5, 8])];
  const layerNormWith =
    (gradient: (dy: tf.Tensor, normal: tf.Tensor, rstd: tf.Tensor) => tf.Tensor): F =>
    x =>
      weighed(
        withGradient([x], save => {
          const centred = tf.sub(x, tf.mean(x, -1, true));
          const rstd = tf.rsqrt(tf.mean(tf.square(centred), -1, true));
          const normal = tf.mul(centred, rstd);
          save([normal, rstd]);
          return { value: normal, gradient: (dy, [normal, rstd]) => [gradient(dy, normal!, rstd!)] };
        }),
      );

  it('accepts a right gradient', () => {
    const right = layerNormWith((dy, normal, rstd) => {
      const along = tf.mul(normal, tf.mean(tf.mul(dy, normal), -1, true));
      return tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), along), rstd);
    });
    expect(gradientError(right, inputs())).toBeLessThan(TOLERANCE);
  });

  it.each<[string, (dy: tf.Tensor, normal: tf.Tensor, rstd: tf.Tensor) => tf.Tensor]>([
    ['without the mean of dy', (dy, normal, rstd) => tf.mul(tf.sub(dy, tf.mul(normal, tf.mean(tf.mul(dy, normal), -1, true))), rstd)],
    ['without the part along the output', (dy, _, rstd) => tf.mul(tf.sub(dy, tf.mean(dy, -1, true)), rstd)],
    ['2 % too large', (dy, normal, rstd) => tf.mul(tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, -1, true)), tf.mul(normal, tf.mean(tf.mul(dy, normal), -1, true))), rstd), 1.02)],
  ])('refuses one %s', (_, gradient) => {
    expect(gradientError(layerNormWith(gradient), inputs())).toBeGreaterThan(2 * TOLERANCE);
  });
});

describe('softmaxKl', () => {
  it('stays finite where a student probability underflows', () => {
    const student = tf.tensor2d([[0, -200, 0]]),
      teacher = tf.tensor2d([[0, 1, 0]]);
    const { value, grad } = tf.valueAndGrad(s => softmaxKl(teacher, s))(student);
    const loss = value.dataSync()[0]!;
    expect(loss).toBeGreaterThan(100);
    expect(Number.isFinite(loss)).toBe(true);
    expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
  });

  it('is zero, with zero gradient, for equal logits', () => {
    const logits = normals('x', [3, 5]);
    const { value, grad } = tf.valueAndGrad(s => softmaxKl(logits, s))(logits);
    expect(value.dataSync()[0]).toBe(0);
    expect(Math.max(...grad.dataSync().map(Math.abs))).toBe(0);
  });

  it('sends nothing to the teacher', () => {
    const teacher = tf.variable(normals('teacher', [3, 5])),
      student = tf.variable(normals('student', [3, 5]));
    const { grads } = tf.variableGrads(() => softmaxKl(tf.mul(teacher, 1), tf.mul(student, 1)), [teacher, student]);
    expect(Object.keys(grads)).toEqual([student.name]);
  });
});

describe('smoothL1', () => {
  it.each([
    [0, 0],
    [1, 1 / 4],
    [-1, 1 / 4],
    [2, 1],
    [-2, 1],
    [5, 4],
    [-5, 4],
  ])('of a difference of %d with beta 2 is %d', (difference, loss) => {
    expect(smoothL1(tf.tensor1d([1]), tf.tensor1d([1 + difference]), 2).dataSync()[0]).toBe(loss);
  });

  it('sends nothing to the target', () => {
    const target = tf.variable(normals('target', [3, 5])),
      prediction = tf.variable(normals('prediction', [3, 5]));
    const { grads } = tf.variableGrads(() => smoothL1(tf.mul(target, 1), tf.mul(prediction, 1), 2), [target, prediction]);
    expect(Object.keys(grads)).toEqual([prediction.name]);
  });
});

describe('shapes that do not fit', () => {
  it.each<[string, () => tf.Tensor]>([
    ['softmaxKl', () => softmaxKl(tf.zeros([2, 3]), tf.zeros([2, 4]))],
    ['softmaxCrossEntropy', () => softmaxCrossEntropy(tf.zeros([1, 3]), tf.zeros([2, 3]))],
    ['meanSquaredError', () => meanSquaredError(tf.zeros([1, 3]), tf.zeros([2, 3]))],
    ['smoothL1', () => smoothL1(tf.zeros([1, 3]), tf.zeros([2, 3]), 2)],
    ['convolve', () => convolve(tf.zeros([1, 2, 2, 3]), tf.zeros([4, 2, 3, 3]))],
    ['convolve with a kernel without a middle', () => convolve(tf.zeros([1, 2, 2, 3]), tf.zeros([4, 3, 2, 2]))],
    ['convolveUp', () => convolveUp(tf.zeros([1, 2, 2, 3]), tf.zeros([4, 2, 2, 2]), tf.zeros([2]))],
    ['weightedSquaredError', () => weightedSquaredError(tf.zeros([1, 3]), tf.zeros([2, 3]), tf.ones([2, 1]))],
  ])('%s says what it got', (_, call) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(/Expected .* of shape \[.*\], got \[.*\]/);
  });
});

it('a whole forward and backward pass leaves no tensors behind', () => {
  const x = tf.variable(normals('x', [5, 8])),
    w = tf.variable(normals('w', [8, 8])),
    b = tf.variable(normals('b', [8]));
  const step = () =>
    tf.tidy(() => {
      tf.variableGrads(() => weighed(gelu(layerNorm(linear(x as unknown as tf.Tensor2D, w, b), 1e-6, { weight: b, bias: b }))));
    });
  step();
  const before = tf.memory().numTensors;
  for (let i = 0; i < 5; i++) step();
  expect(tf.memory().numTensors).toBe(before);
});
