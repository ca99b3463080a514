import { beforeAll, describe, expect, it } from 'vitest';
import { initAdamW } from '../../src/optim/adamw.ts';
import { evaluateLosses, trainStep, type HostInputs, type Objective, type TrainState } from '../../src/stages/train-step.ts';
import { loadEngine } from '../../src/tensor/backend.ts';
import { stream } from '../../src/tensor/rng.ts';
import * as tf from '../../src/tensor/tf.ts';
import { fromTensors, toTensors } from '../../src/tensor/weights.ts';

const BATCH = 8, IN = 3;

beforeAll(async () => {
  await loadEngine({ device: 'cpu', threads: 1 });
});

const inputs = (): HostInputs => ({
  x: { data: stream(1, 'x', 0).normals(BATCH * IN), shape: [BATCH, IN] },
  // A batch that is not the first dimension, as drop-path numbers have it.
  scale: { data: stream(1, 'scale', 0).uniforms(2 * BATCH), shape: [2, BATCH], batchAxis: 1 },
});

/** Mean of squares of a linear map, weighted by sample; `unused` does not enter. */
const objective: Objective = {
  targets: ({ x }) => ({ y: tf.sum(x!, 1, true) }),
  loss: (params, { x, y, scale }) => {
    const error = tf.sub(tf.matMul(x as tf.Tensor2D, params['w'] as tf.Tensor2D), y!);
    const weight = tf.sum(tf.transpose(scale!), 1, true);
    const loss = tf.mean<tf.Scalar>(tf.mul(tf.square(error), weight));
    return { loss, half: tf.mul(loss, 0.5) };
  },
};

const start = (): TrainState => {
  const params = toTensors({
    w: { shape: [IN, 1], data: new Float32Array([0.1, -0.2, 0.3]) },
    unused: { shape: [2], data: new Float32Array([5, 6]) },
    fixed: { shape: [1], data: new Float32Array([7]) },
  });
  return { params, optimizer: initAdamW({ w: params['w']!, unused: params['unused']! }) };
};

const groups = { w: { weightDecay: 0.1, lrScale: 1 }, unused: { weightDecay: 0.1, lrScale: 1 } };
const run = (steps: number, microBatches: number) => {
  let state = start();
  const losses: Record<string, number>[] = [];
  for (let i = 0; i < steps; i++) {
    const result = trainStep(state, inputs(), 0.05, objective, { groups, betas: [0.9, 0.95], microBatches });
    state = result.state;
    losses.push(result.losses);
  }
  const values = fromTensors(state.params);
  tf.dispose([state.params, state.optimizer.m, state.optimizer.v]);
  return { values, losses };
};

describe('trainStep', () => {
  it('lowers the loss and reports its parts', () => {
    const { losses } = run(30, 1);
    expect(losses.at(-1)!['loss']!).toBeLessThan(losses[0]!['loss']! / 4);
    for (const { loss, half } of losses) expect(half! / loss!).toBeCloseTo(0.5, 6);
  });

  it('leaves parameters without a group or without a gradient alone, weight decay included', () => {
    const { values } = run(3, 1);
    expect([...values['unused']!.data]).toEqual([5, 6]);
    expect([...values['fixed']!.data]).toEqual([7]);
  });

  it('gives the same with micro-batches as with the whole batch, to rounding', () => {
    const whole = run(5, 1);
    for (const count of [2, 4]) {
      const parts = run(5, count);
      parts.values['w']!.data.forEach((v, i) => expect(v).toBeCloseTo(whole.values['w']!.data[i]!, 5));
      parts.losses.forEach((l, i) => expect(l['loss']).toBeCloseTo(whole.losses[i]!['loss']!, 5));
    }
  });

  it('refuses micro-batches that do not divide the batch', () => {
    expect(() => run(1, 3)).toThrow(/Expected a batch that 3 micro-batches divide, got 8/);
  });

  it('keeps no tensor behind', () => {
    run(1, 2);
    const before = tf.memory().numTensors;
    run(4, 2);
    run(4, 1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is repeatable to the bit', () => {
    expect(run(6, 2)).toEqual(run(6, 2));
  });

  it('evaluates the same losses without training', () => {
    const { params, optimizer } = start();
    const before = evaluateLosses(objective, params, inputs());
    const stepped = trainStep({ params, optimizer }, inputs(), 0, objective, { groups, betas: [0.9, 0.95], microBatches: 1 });
    expect(before['loss']).toBeCloseTo(stepped.losses['loss']!, 6);
  });
});
