/** Small networks, and their training by AdamW as one program: one that is masked, and a classifier. */
import { typesOf } from '../../src/engine/compile/checks.ts';
import { compileProgram } from '../../src/engine/compile/compile-program.ts';
import type { Mode } from '../../src/engine/compile/mode.ts';
import type { Program } from '../../src/engine/compile/program.ts';
import { toTensors, type Params } from '../../src/engine/formats/weights.ts';
import { softmaxCrossEntropy } from '../../src/engine/grad/cross-entropy.ts';
import * as tf from '../../src/engine/tf.ts';
import { classify } from '../../src/tinymim/nn/classifier.ts';
import { initClassifier, initMae } from '../../src/tinymim/nn/init.ts';
import { maeLoss, type MaskTensors } from '../../src/tinymim/nn/mae.ts';
import { adamwRates, initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { finetuneGroups, pretrainGroups } from '../../src/tinymim/optim/groups.ts';
import { normalise } from '../../src/tinymim/stages/images.ts';
import { createTrainer, stepFunctions, stepState, uploadRates } from '../../src/tinymim/stages/trainer.ts';
import { BATCH, images, masks, normalisation, reconstruction, student } from './distill-model.ts';

/** A program with the function `step`, and its inputs by the number of the step, from 1. */
export function smallTraining(mode: Mode): { program: Program; inputs: (step: number) => Params } {
  const weights = initMae(student, reconstruction.decoder, 1),
    groups = pretrainGroups(weights, 0.05),
    params = toTensors(weights);
  const { step } = stepFunctions({
    groups,
    betas: [0.9, 0.95],
    microBatches: 1,
    loss: (p, { images: pixels, ...rest }) => ({ loss: maeLoss(p, normalise(pixels!, normalisation), { encoder: student, ...reconstruction }, rest as unknown as MaskTensors) }),
  });
  const optimizer = initAdamW(Object.fromEntries(Object.keys(groups).map(name => [name, params[name]!])));
  const inputs = (i: number): Params => ({ images: images(), ...masks(), ...uploadRates(adamwRates({ lr: 1e-3, step: i, betas: [0.9, 0.95] })) });
  const program = compileProgram({ step: { fn: step, inputs: typesOf(inputs(1)) } }, { state: stepState({ params, optimizer }, 1), precision: 'float32', mode });
  return { program, inputs };
}

/** Trains a classifier for some steps as DeiT is trained, and gives the average of its weights: by the class token, with learned positions. */
export function averagedClassifier(mode: Mode, steps: number): Params {
  const config = { ...student, depth: 1, pool: 'class_token' } as const,
    classes = 4;
  const weights = initClassifier(config, classes, 1, { init: 'trunc_normal', pos_embed: 'learned' }),
    params = toTensors(weights);
  const trainer = createTrainer(
    { params, optimizer: initAdamW(params), average: toTensors(weights) },
    {
      groups: finetuneGroups(weights, { depth: config.depth, weightDecay: 0.05, layerDecay: 1 }),
      loss: (p, { images: pixels, targets }) => ({ loss: softmaxCrossEntropy(targets!, classify(p, normalise(pixels!, normalisation), config)) }),
      betas: [0.9, 0.999],
      emaDecay: 0.7,
      microBatches: 1,
      engine: { mode, precision: 'float32' },
      signature: 'averaged classifier',
    },
  );
  const targets = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: BATCH }, (_, i) => i % classes),
      'int32',
    ),
    classes,
    1,
    0,
    'float32',
  );
  for (let i = 0; i < steps; i++) trainer.feed({ images: images(), targets }, 1e-2)?.dispose();
  return trainer.finish();
}
