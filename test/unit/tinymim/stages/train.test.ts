/** The loop of all trainings: how often losses are read changes neither curves nor results. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Interrupted } from '../../../../src/core/ablation/errors.ts';
import { proceduralSet } from '../../../../src/tinymim/data/procedural.ts';
import { pixels } from '../../../../src/tinymim/stages/images.ts';
import { train } from '../../../../src/tinymim/stages/train.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { fromTensors } from '../../../../src/engine/formats/weights.ts';
import { StageInFolder, curveOf } from '../../../helpers/run-stage.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'train-'));
  await loadEngine({ device: 'cpu', threads: 1 });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const set = proceduralSet({ name: 'procedural', classes: 2, image_size: [2, 2], channels: 1, train: 36, validation: 2, test: 2, seed: 1 }, 'train');
const schedule = { epochs: 50, warmup_epochs: 1, base_lr: 0.5, min_lr: 0, batch_size: 4, accumulation_steps: 1 };
/** 9 an epoch: more than a curve has points. */
const STEPS = 450;

/** Brightness as a number to learn. @param badFrom the loss is no number from this epoch on */
function run(stage: StageInFolder, readEvery: number, { signal, onStep, badFrom = Infinity }: { signal?: AbortSignal; onStep?: (step: number) => void; badFrom?: number } = {}) {
  return train(
    {
      context: stage.context({ ...(signal && { signal }), ...(onStep && { onStep }) }),
      weights: { w: { shape: [1], data: Float32Array.of(0) } },
      groups: { w: { weightDecay: 0, lrScale: 1 } },
      loss: ({ w }, { images, bad }) => ({ loss: tf.mean<tf.Scalar>(tf.add(tf.square(tf.sub(tf.div(tf.cast(images!, 'float32'), 255), w!)), tf.log(bad!))) }),
      schedule,
      optimizer: { weight_decay: 0, betas: [0.9, 0.95] },
      engine: { mode: 'graph', precision: 'float32' },
      signature: 'brightness',
      evaluate: ({ w }) => ({ learnt: w!.dataSync()[0]! }),
    },
    {
      set,
      augment: {},
      withLabels: false,
      seed: 1,
      schedule,
      readEvery,
      inputs: ({ images, epoch }) => ({ images: pixels(images, set), bad: { data: Float32Array.of(epoch < badFrom ? 1 : -1), shape: [1] } }),
    },
  );
}

const outcome = async (stage: StageInFolder, readEvery: number) => {
  const { params, losses, evaluated } = await run(stage, readEvery);
  const weights = fromTensors(params);
  tf.dispose(params);
  return { weights, losses, evaluated, curve: curveOf(stage) };
};
const stageOf = () => new StageInFolder(folder, { name: 'brightness' });

it('read at once or eight by eight, losses make the same curve and the same result', async () => {
  const before = tf.memory().numTensors,
    stage = stageOf();
  const [each, eighth] = [await outcome(stage, 1), await outcome(stageOf(), 8)];
  expect(each.curve).toHaveLength(200);
  expect(eighth).toEqual(each);
  expect(tf.memory().numTensors).toBe(before);
  // Beside the curve, and of no two runs the same:
  for (const { waiting } of [...stage.records, stage.facts]) {
    expect(waiting).toBeGreaterThanOrEqual(0);
    expect(waiting).toBeLessThan(1);
  }
});

it('a checkpoint knows the losses of all steps before it', async () => {
  const whole = await outcome(stageOf(), 8),
    stage = stageOf(),
    stop = new AbortController();
  const onStep = (step: number): void => {
    if (step === STEPS - 3) stop.abort(); // between two points, within the last epoch
  };
  await expect(run(stage, 8, { signal: stop.signal, onStep })).rejects.toBeInstanceOf(Interrupted);
  expect(await outcome(stage, 8)).toEqual(whole);
});

it('a loss that is no number is told with its step, however late it is read', async () => {
  const message = async (readEvery: number): Promise<string> =>
    run(stageOf(), readEvery, { badFrom: 26 / 9 }).then(
      () => 'none',
      (error: unknown) => (error as Error).message,
    );
  expect(await message(8)).toContain("Expected a finite 'loss', got NaN at step 27");
  expect(await message(8)).toBe(await message(1));
});
