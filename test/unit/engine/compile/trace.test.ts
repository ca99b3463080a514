/** A training step is recorded without being executed: the record is that of its execution, op by op, for every kind of stage. */
import { beforeAll, expect, it } from 'vitest';
import { classify } from '../../../../src/tinymim/nn/classifier.ts';
import { linearRates } from '../../../../src/tinymim/nn/drop-path.ts';
import { initClassifier, initialise, initMae } from '../../../../src/tinymim/nn/init.ts';
import { maeLoss, type MaskTensors } from '../../../../src/tinymim/nn/mae.ts';
import { adamwRates, initAdamW } from '../../../../src/tinymim/optim/adamw.ts';
import { finetuneGroups, pretrainGroups, type ParamGroups } from '../../../../src/tinymim/optim/groups.ts';
import { studentLoss, studentSpec } from '../../../../src/tinymim/stages/distill-objective.ts';
import { normalise } from '../../../../src/tinymim/stages/images.ts';
import { stepFunctions, stepState, uploadRates } from '../../../../src/tinymim/stages/trainer.ts';
import type { LossFunction } from '../../../../src/tinymim/stages/train-step.ts';
import { loadEngine } from '../../../../src/engine/backend.ts';
import { softmaxCrossEntropy } from '../../../../src/engine/grad/cross-entropy.ts';
import { stream } from '../../../../src/engine/random/rng.ts';
import * as tf from '../../../../src/engine/tf.ts';
import { toTensors, type Params, type Weights } from '../../../../src/engine/formats/weights.ts';
import { BATCH, images, lossOf, masks, normalisation, reconstruction, student, TARGETS, targetsOf, teacher } from '../../../helpers/distill-model.ts';
import { executedOps, recordedOps } from '../../../helpers/executed-record.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

interface Stage {
  readonly weights: Weights;
  readonly groups: ParamGroups;
  readonly loss: LossFunction;
  readonly inputs: Params;
}

const dropPath = (): tf.Tensor => tf.tensor(stream(1, 'drop path', 0).uniforms(student.depth * 2 * BATCH), [student.depth, 2, BATCH]);

function distill(target: string, fields: Parameters<typeof lossOf>[1] = {}): Stage {
  const recipe = lossOf(TARGETS[target]!, { drop_path: 0.1, ...fields });
  const weights = initialise(studentSpec(recipe, teacher), 1),
    masking = recipe.mask_ratio > 0 ? masks() : undefined;
  return {
    weights,
    groups: pretrainGroups(weights, 0.05),
    loss: studentLoss(recipe, normalisation),
    inputs: { images: images(), drop_path: dropPath(), ...masking, ...targetsOf(recipe, { images: images(), masks: masking }) },
  };
}

function pretrain(): Stage {
  const config = { encoder: student, ...reconstruction },
    weights = initMae(student, reconstruction.decoder, 1);
  return {
    weights,
    groups: pretrainGroups(weights, 0.05),
    inputs: { images: images(), ...masks() },
    loss: (params, { images: pixels, ...rest }) => ({ loss: maeLoss(params, normalise(pixels!, normalisation), config, rest as unknown as MaskTensors) }),
  };
}

function classifier(): Stage {
  const weights = initClassifier(student, 4, 1),
    rates = linearRates(0.1, student.depth);
  return {
    weights,
    groups: finetuneGroups(weights, { depth: student.depth, weightDecay: 0.05, layerDecay: 0.75 }),
    inputs: { images: images(), drop_path: dropPath(), targets: tf.softmax(tf.ones([BATCH, 4])) },
    loss: (params, { images: pixels, targets, drop_path }) => ({
      loss: softmaxCrossEntropy(targets!, classify(params, normalise(pixels!, normalisation), student, { dropPath: { rates, uniforms: drop_path! } })),
    }),
  };
}

const stages: Readonly<Record<string, () => Stage>> = {
  pretrain,
  classifier,
  ...Object.fromEntries(Object.keys(TARGETS).map(target => [`distill: ${target}`, () => distill(target)])),
  'distill: masked, with reconstruction': () => distill('relation, kl', { mask_ratio: 0.5, reconstruction }),
};

it.each(Object.keys(stages))('%s', name => {
  tf.engine().startScope();
  const { weights, groups, loss, inputs } = stages[name]!();
  for (const microBatches of [1, 2]) {
    const params = toTensors(weights);
    const trained = Object.fromEntries(Object.keys(groups).map(key => [key, params[key]!]));
    const state = stepState({ params, optimizer: initAdamW(trained) }, microBatches);
    const rates = uploadRates(adamwRates({ lr: 0.1, step: 1, betas: [0.9, 0.95] }));
    const { step } = stepFunctions({ loss, groups, betas: [0.9, 0.95], microBatches });
    const leaves = [...Object.values(state), ...Object.values(inputs), ...Object.values(rates)];
    const run = (): unknown => step(state, { ...inputs, ...rates });
    const executed = executedOps(leaves, run);
    expect(executed.length).toBeGreaterThan(200);
    expect(recordedOps(leaves, run)).toEqual(executed);
  }
  tf.engine().endScope();
});

it('evaluations and targets of a teacher are recorded as they are executed, too', () => {
  tf.engine().startScope();
  const params = toTensors(initClassifier(student, 4, 1)),
    pixels = images(),
    labels = tf.tensor1d([0, 1, 2], 'int32');
  const score = (): unknown => {
    const logits = classify(params, normalise(pixels, normalisation), student);
    return tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32'));
  };
  const leaves = [...Object.values(params), pixels, labels];
  expect(recordedOps(leaves, score)).toEqual(executedOps(leaves, score));
  tf.engine().endScope();
});
