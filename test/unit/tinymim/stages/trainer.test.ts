import { beforeAll, describe, expect, it } from 'vitest';
import { initAdamW } from '../../../../src/tinymim/optim/adamw.ts';
import type { EngineRecipe } from '../../../../src/tinymim/stages/recipes.ts';
import { createTrainer, type TrainState } from '../../../../src/tinymim/stages/trainer.ts';
import { slice, upload, type HostInputs, type LossFunction } from '../../../../src/tinymim/stages/train-step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { fromTensors, toTensors } from '../../../../src/engine/formats/weights.ts';

const BATCH = 8,
  IN = 3;

beforeAll(async () => {
  await loadEngine({ device: 'cpu', threads: 1 });
});

const inputs = (): HostInputs => ({
  x: { data: stream(1, 'x', 0).normals(BATCH * IN), shape: [BATCH, IN] },
  // A batch that is not the first dimension, as drop-path numbers have it.
  scale: { data: stream(1, 'scale', 0).uniforms(2 * BATCH), shape: [2, BATCH], batchAxis: 1 },
});

/** Mean of squares of a linear map, weighted by sample; `unused` does not enter. */
const loss: LossFunction = (params, { x, scale }) => {
  const error = tf.sub(tf.matMul(x as tf.Tensor2D, params['w'] as tf.Tensor2D), tf.sum(x!, 1, true));
  const mean = tf.mean<tf.Scalar>(tf.mul(tf.square(error), tf.sum(tf.transpose(scale!), 1, true)));
  return { loss: mean, half: tf.mul(mean, 0.5) };
};

const start = (): TrainState => {
  const params = toTensors({
    w: { shape: [IN, 1], data: new Float32Array([0.1, -0.2, 0.3]) },
    unused: { shape: [2], data: new Float32Array([5, 6]) },
    fixed: { shape: [1], data: new Float32Array([7]) },
  });
  return { params, optimizer: initAdamW({ w: params['w']!, unused: params['unused']! }) };
};

/** The same state beside an average, which starts as the parameters. */
const startAveraged = (): TrainState => {
  const state = start();
  return { ...state, average: Object.fromEntries(Object.entries(state.params).map(([name, tensor]) => [name, tensor.clone()])) };
};

const groups = { w: { weightDecay: 0.1, lrScale: 1 }, unused: { weightDecay: 0.1, lrScale: 1 } };

describe.each(['eager', 'graph'] as const)('a trainer in %s mode', mode => {
  const engine: EngineRecipe = { mode, precision: 'float32' };

  const run = (steps: number, microBatches: number) => {
    const trainer = createTrainer(start(), { loss, groups, betas: [0.9, 0.95], microBatches, engine, signature: `trainer ${microBatches}` });
    const losses: Record<string, number>[] = [];
    for (let step = 0; step < steps; step++) {
      for (let index = 0; index < microBatches; index++) {
        const batch = upload(slice(inputs(), index, microBatches));
        const values = trainer.feed(batch, 0.05)?.read();
        tf.dispose(batch);
        expect(values === undefined).toBe(index < microBatches - 1);
        if (values) losses.push(values);
      }
    }
    const params = trainer.finish();
    const values = fromTensors(params);
    tf.dispose(params);
    return { values, losses };
  };

  it('lowers the loss and reports its parts', () => {
    const { losses } = run(30, 1);
    expect(losses.at(-1)!['loss']!).toBeLessThan(losses[0]!['loss']! / 4);
    for (const { loss: whole, half } of losses) expect(half! / whole!).toBeCloseTo(0.5, 6);
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

  it('keeps no tensor behind', () => {
    run(1, 2);
    run(1, 1);
    const before = tf.memory().numTensors;
    run(4, 2);
    run(4, 1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is repeatable to the bit', () => {
    expect(run(6, 2)).toEqual(run(6, 2));
  });

  it('shows its state and goes on as if nobody had looked', async () => {
    const looked = createTrainer(start(), { loss, groups, betas: [0.9, 0.95], microBatches: 1, engine, signature: 'trainer 1' });
    for (let step = 0; step < 3; step++) {
      const batch = upload(inputs());
      looked.feed(batch, 0.05)?.dispose();
      tf.dispose(batch);
      expect(await looked.withState(({ optimizer }) => optimizer.step)).toBe(step + 1);
    }
    const params = looked.finish();
    expect(fromTensors(params)).toEqual(run(3, 1).values);
    tf.dispose(params);
  });
});

describe.each(['eager', 'graph'] as const)('an average of the weights in %s mode', mode => {
  const DECAY = 0.9;
  const trainerOf = (state: TrainState, microBatches: number) =>
    createTrainer(state, {
      loss,
      groups,
      betas: [0.9, 0.95],
      ...(state.average && { emaDecay: DECAY }),
      microBatches,
      engine: { mode, precision: 'float32' },
      signature: `average ${microBatches} ${state.average === undefined}`,
    });
  const step = (trainer: ReturnType<typeof trainerOf>, microBatches: number): void => {
    for (let index = 0; index < microBatches; index++) {
      const batch = upload(slice(inputs(), index, microBatches));
      trainer.feed(batch, 0.05)?.dispose();
      tf.dispose(batch);
    }
  };
  const values = ({ params, average }: TrainState) => ({ params: fromTensors(params), average: average && fromTensors(average) });

  it.each([1, 2])('is what timm computes, after each step, and touches neither weights nor moments (%d micro-batches)', async microBatches => {
    const averaged = trainerOf(startAveraged(), microBatches),
      plain = trainerOf(start(), microBatches);
    let expected = [0.1, -0.2, 0.3].map(Math.fround);
    for (let i = 0; i < 5; i++) {
      step(averaged, microBatches);
      step(plain, microBatches);
      const [state, other] = [await averaged.withState(values), await plain.withState(values)];
      expect(state.params).toEqual(other.params);
      expect(other.average).toBeUndefined();
      expected = expected.map((mean, j) => DECAY * mean + (1 - DECAY) * state.params['w']!.data[j]!);
      state.average!['w']!.data.forEach((value, j) => expect(value).toBeCloseTo(expected[j]!, 6));
      expect([...state.average!['unused']!.data].map(v => Number(v.toFixed(5)))).toEqual([5, 6]);
    }
    expect(Math.abs(expected[0]! - (await averaged.withState(values)).params['w']!.data[0]!)).toBeGreaterThan(0.01);
    const last = (await averaged.withState(values)).average!;
    const kept = averaged.finish();
    expect(fromTensors(kept)).toEqual(last); // what the training leaves
    tf.dispose([kept, plain.finish()]);
  });

  it('keeps no tensor behind, ended or not', () => {
    const whole = (end: (trainer: ReturnType<typeof trainerOf>) => void, steps: number): void => {
      const trainer = trainerOf(startAveraged(), 1);
      for (let i = 0; i < steps; i++) step(trainer, 1);
      end(trainer);
    };
    const finish = (trainer: ReturnType<typeof trainerOf>): void => {
      tf.dispose(trainer.finish());
    };
    const dispose = (trainer: ReturnType<typeof trainerOf>): void => {
      trainer.dispose();
    };
    whole(finish, 1);
    const before = tf.memory().numTensors;
    for (const steps of [0, 2]) for (const end of [finish, dispose]) whole(end, steps);
    expect(tf.memory().numTensors).toBe(before);
  });
});

it('refuses micro-batches that do not divide the batch', () => {
  expect(() => slice(inputs(), 0, 3)).toThrow(/Expected a batch that 3 parts divide, got 8/);
});
