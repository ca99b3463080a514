/** Trains a small network for three steps in the mode of its argument and prints its parameters: XLA's flags count from a process's start. */
import { loadEngine } from '../../src/engine/backend.ts';
import { typesOf } from '../../src/engine/compile/checks.ts';
import { compileProgram } from '../../src/engine/compile/compile-program.ts';
import type { Mode } from '../../src/engine/compile/mode.ts';
import { initMae } from '../../src/tinymim/nn/init.ts';
import { maeLoss, type MaskTensors } from '../../src/tinymim/nn/mae.ts';
import { adamwRates, initAdamW } from '../../src/tinymim/optim/adamw.ts';
import { pretrainGroups } from '../../src/tinymim/optim/groups.ts';
import { normalise } from '../../src/tinymim/stages/images.ts';
import { stepFunctions, stepState, uploadRates } from '../../src/tinymim/stages/trainer.ts';
import { toTensors } from '../../src/engine/formats/weights.ts';
import { images, masks, normalisation, reconstruction, student } from './distill-model.ts';

await loadEngine({ device: 'cpu', threads: 1 });
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
const inputs = (i: number) => ({ images: images(), ...masks(), ...uploadRates(adamwRates({ lr: 1e-3, step: i, betas: [0.9, 0.95] })) });
const program = compileProgram({ step: { fn: step, inputs: typesOf(inputs(1)) } }, { state: stepState({ params, optimizer }, 1), precision: 'float32', mode: process.argv[2] as Mode });
for (let i = 1; i <= 3; i++) program.run('step', inputs(i));
const values = Object.entries(program.readState())
  .filter(([name]) => name.startsWith('params/'))
  .flatMap(([name, tensor]) => {
    const data = [...tensor.dataSync()];
    return name.endsWith('qkv.bias') ? data.filter((_, i) => Math.floor((3 * i) / data.length) !== 1) : data; // the key bias has no gradient but rounding
  });
process.stdout.write(JSON.stringify(values));
