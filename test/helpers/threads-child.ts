/** Prints, as hexadecimal digits, sums and products of drawn numbers that a graph computes with as many threads as its argument says. */
import { loadEngine } from '../../src/engine/backend.ts';
import { typesOf } from '../../src/engine/compile/checks.ts';
import { compileProgram } from '../../src/engine/compile/compile-program.ts';
import { stream } from '../../src/engine/random/rng.ts';
import * as tf from '../../src/engine/tf.ts';

await loadEngine({ device: 'cpu', threads: Number(process.argv[2]) });
const draw = (purpose: string, ...shape: number[]): tf.Tensor => tf.tensor(stream(3, purpose, 0).normals(shape.reduce((a, b) => a * b, 1)), shape);
const hex = (tensor: tf.Tensor): string => Buffer.from(Float32Array.from(tensor.dataSync()).buffer).toString('hex');

const values: Record<string, string> = {};
// A power of two, divisible by 32, and odd. From 430,000 elements on a sum would take four threads.
for (const [rows, columns] of [
  [8192, 64],
  [9248, 64],
  [16385, 33],
] as const) {
  const x = draw(`${rows}`, rows, columns);
  const program = compileProgram(
    { f: { fn: (_, { x }) => ({ state: {}, outputs: { sum: tf.sum(x!), mean: tf.mean(x!), columns: tf.sum(x!, 0) } }), inputs: typesOf({ x }) } },
    { state: {}, precision: 'float32', mode: 'graph' },
  );
  for (const [name, value] of Object.entries(program.compute('f', { x }))) values[`${name} of ${rows} x ${columns}`] = hex(value);
  // One thread, op by op: what the order was before there was a pass.
  if (process.argv[2] === '1' && (rows * columns) % 32 === 0) Object.assign(values, { [`plain sum of ${rows} x ${columns}`]: hex(tf.sum(x)), [`plain mean of ${rows} x ${columns}`]: hex(tf.mean(x)) });
}
// Gradients of weights: long sums for few numbers.
const [a, b] = [draw('a', 4352, 32), draw('b', 4352, 96)];
const program = compileProgram(
  { f: { fn: (_, { a, b }) => ({ state: {}, outputs: { product: tf.matMul(a!, b!, true, false) } }), inputs: typesOf({ a, b }) } },
  { state: {}, precision: 'float32', mode: 'graph' },
);
values['gradient'] = hex(program.compute('f', { a, b })['product']!);
process.stdout.write(JSON.stringify(values));
