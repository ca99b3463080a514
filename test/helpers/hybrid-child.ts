/** Trains small networks for three steps in the mode of its argument and prints their parameters: XLA's flags count from a process's start. */
import { loadEngine } from '../../src/engine/backend.ts';
import type { Mode } from '../../src/engine/compile/mode.ts';
import { averagedClassifier, smallTraining } from './small-training.ts';

await loadEngine({ device: 'cpu', threads: 1 });
const { program, inputs } = smallTraining(process.argv[2] as Mode);
for (let i = 1; i <= 3; i++) program.run('step', inputs(i));
const trained = Object.entries(program.readState()).filter(([name]) => name.startsWith('params/'));
const values = [...trained, ...Object.entries(averagedClassifier(process.argv[2] as Mode, 3))].flatMap(([name, tensor]) => {
  const data = [...tensor.dataSync()];
  return name.endsWith('qkv.bias') ? data.filter((_, i) => Math.floor((3 * i) / data.length) !== 1) : data; // the key bias has no gradient but rounding
});
process.stdout.write(JSON.stringify(values));
