/** Prints, as one line of JSON, hashes of what a fused layer and the gradient of its weights come to in bfloat16 with so many threads. */
import { createHash } from 'node:crypto';
import { loadEngine } from '../../src/engine/backend.ts';
import { typesOf } from '../../src/engine/compile/checks.ts';
import { compileProgram } from '../../src/engine/compile/compile-program.ts';
import { gelu } from '../../src/engine/grad/gelu.ts';
import { linear } from '../../src/engine/grad/linear.ts';
import { stream } from '../../src/engine/random/rng.ts';
import * as tf from '../../src/engine/tf.ts';

/** Tokens of a batch at `mini`; outputs and inputs of the first layer of an MLP there. */
const ROWS = 4352,
  OUT = 256,
  IN = 64;

await loadEngine({ device: 'cpu', threads: Number(process.argv[2]) });
const draw = (name: string, shape: [number, number]): tf.Tensor2D => tf.tensor2d(stream(1, name, 0).normals(shape[0] * shape[1]), shape);
const inputs = { x: draw('x', [ROWS, IN]), dy: draw('dy', [ROWS, OUT]), w: draw('w', [OUT, IN]), bias: tf.tensor1d(stream(1, 'bias', 0).normals(OUT)) };
const program = compileProgram(
  {
    layer: { fn: (_, { x, w, bias }) => ({ state: {}, outputs: { y: gelu(linear(x as tf.Tensor2D, w!, bias!)) } }), inputs: typesOf(inputs) },
    gradient: { fn: (_, { x, dy }) => ({ state: {}, outputs: { y: tf.matMul(dy as tf.Tensor2D, x as tf.Tensor2D, true) } }), inputs: typesOf(inputs) },
  },
  { state: {}, precision: 'bfloat16' },
);
const hashOf = (name: string): string =>
  createHash('sha256')
    .update(new Uint8Array((program.compute(name, inputs)['y']!.dataSync() as Float32Array).buffer))
    .digest('hex');
console.log(JSON.stringify(['layer', 'gradient'].map(hashOf)));
