/** A small network, masked, and its training by AdamW as one program. */
import { typesOf } from '../../src/engine/compile/checks.ts';
import { compileProgram } from '../../src/engine/compile/compile-program.ts';
import type { Mode } from '../../src/engine/compile/mode.ts';
import type { Program } from '../../src/engine/compile/program.ts';
import { toTensors, type Params } from '../../src/engine/formats/weights.ts';
import { initMae } from '../../src/tinymim/nn/init.ts';
import { maeLoss, type MaskTensors } from '../../src/tinymim/nn/mae.ts';
import { adamwRates, initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { pretrainGroups } from '../../src/tinymim/optim/groups.ts';
import { normalise } from '../../src/tinymim/stages/images.ts';
import { stepFunctions, stepState, uploadRates } from '../../src/tinymim/stages/trainer.ts';
import { images, masks, normalisation, reconstruction, student } from './distill-model.ts';

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
