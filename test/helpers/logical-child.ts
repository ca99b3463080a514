/** Computes in a process with two logical CPUs (`logical-devices.ts`) and prints as JSON where everything is, and what is said of places that are wrong. */
import { loadEngine } from '../../src/engine/backend.ts';
import { loadNative } from '../../src/engine/backends/native.ts';
import { devicesOf, placedNodes, proveDevice } from '../../src/engine/compile/device-proof.ts';
import { disposeFrozen, freeze } from '../../src/engine/compile/frozen.ts';
import { nativeBackend, type Binding } from '../../src/engine/compile/native.ts';
import * as tf from '../../src/engine/tf.ts';
import { logicalCpu } from './logical-devices.ts';
import { placedDistillation } from './placed-distillation.ts';
import { smallTraining } from './small-training.ts';

const place = { device: 'cpu', threads: 1 } as const;
const [right, wrong] = [logicalCpu(1), logicalCpu(0)];

const elsewhere = (graph: string): string => graph.replaceAll(right, wrong);
/** Some CPU or other, as good as none. */
const nowhere = (graph: string): string => graph.replaceAll(right, right.replace(/1$/, '*'));
/** The device of the first product alone. */
function oneProduct(graph: string): string {
  const at = graph.indexOf(right, graph.indexOf('\x12\x06MatMul'));
  return graph.slice(0, at) + wrong + graph.slice(at + right.length);
}

/** While `use` runs, graphs are changed on their way to TensorFlow; `change` has them as text of one byte a character. */
async function misplaced<T>(change: (graph: string) => string, use: () => T | Promise<T>): Promise<T> {
  const binding: Binding = nativeBackend().binding,
    own = binding.defineFunction.bind(binding);
  binding.defineFunction = (name, graph, ...rest) => {
    own(name, Buffer.from(change(graph.toString('latin1')), 'latin1'), ...rest);
  };
  try {
    return await use();
  } finally {
    binding.defineFunction = own;
  }
}

const step = (): void => {
  const { program, inputs } = smallTraining('graph');
  program.run('step', inputs(1));
};
const distinct = (devices: readonly string[]): string[] => [...new Set(devices)].sort();
const opsElsewhere = async (change: (graph: string) => string): Promise<string[]> => (await placedNodes(() => misplaced(change, step))).flatMap(({ op, device }) => (device === right ? [] : [op]));

await import('@tensorflow/tfjs-node-gpu');
const start: unknown = await misplaced(elsewhere, () => loadNative(place)).catch((error: unknown) => error);
await loadEngine(place);
const { program, inputs } = smallTraining('graph'),
  given = inputs(1);
const results = devicesOf(() => {
  tf.dispose(program.compute('step', given));
});
const variables = devicesOf(() => {
  tf.dispose(program.readState());
});
const weights = freeze({ w: tf.ones([2, 2]) }, 'graph');
const frozen = devicesOf(() => {
  tf.dispose(weights['w']!.read());
});
disposeFrozen(weights);

/** What is printed. */
export type Printed = typeof printed;
const printed = {
  proof: proveDevice(),
  results,
  variables: { count: variables.length, devices: distinct(variables) },
  frozen,
  distillation: await placedDistillation(),
  misplaced: {
    start: start instanceof Error ? { code: (start as { code?: string }).code, message: start.message } : undefined,
    one: await opsElsewhere(oneProduct),
    nowhere: await opsElsewhere(nowhere),
  },
};
process.stdout.write(JSON.stringify(printed));
