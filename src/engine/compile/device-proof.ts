/** Where functions run, told by functions that ran: by their results, their variables, and the graphs that TensorFlow made of them. */
import * as tf from '../tf.ts';
import { call, define, remove, variable } from './functions.ts';
import { computeDevice, nativeBackend } from './native.ts';
import { messageFields, type GraphNode } from './protobuf.ts';
import { DTYPE, typeAttribute } from './trace.ts';

/** Full names of devices. */
export interface DeviceProof {
  /** Where everything should compute. */
  readonly promised: string;
  /** Where a function left its result, and where a variable stands that it changed. */
  readonly actual: readonly string[];
}

/** Defines a function of three ops, calls it and asks where what it left is. Takes milliseconds and leaves nothing behind. */
export function proveDevice(): DeviceProof {
  const type = typeAttribute(DTYPE.float32);
  const node = (name: string, op: string, inputs: readonly string[], attributes: GraphNode['attributes']): GraphNode => ({ name, op, inputs, attributes });
  const defined = define({
    nodes: [
      node('x', 'Placeholder', [], { dtype: type }),
      node('w', 'Placeholder', [], { dtype: typeAttribute(DTYPE.resource) }),
      node('twice', 'AddV2', ['x', 'x'], { T: type }),
      node('assign', 'AssignVariableOp', ['w', 'twice'], { dtype: type }),
      node('y', 'Identity', ['twice', '^assign'], { T: type }),
    ],
    feeds: ['x', 'w'],
    fetches: ['y'],
  });
  const x = tf.scalar(1),
    held = variable(x);
  try {
    const actual = devicesOf(() => {
      tf.dispose([...call(defined, [x, held]), held.read()]);
    });
    return { promised: computeDevice(), actual };
  } finally {
    held.dispose();
    x.dispose();
    remove(defined);
  }
}

/** Full names of the devices that hold the results of all calls that `run` makes, as often as they do. @internal */
export function devicesOf(run: () => void): string[] {
  const { binding } = nativeBackend();
  binding.watchResults(true);
  try {
    run();
  } catch (error) {
    binding.watchResults(false);
    throw error;
  }
  return binding.watchResults(false);
}

/** A node of a function as TensorFlow runs it: after its own passes, with the device that it placed it on. @internal */
export interface PlacedNode {
  readonly name: string;
  readonly op: string;
  readonly device: string;
  /** Numbers of its attributes that are types. */
  readonly types: readonly number[];
}

/** Every node of all functions that are called for the first time until `run` is done. @internal */
export async function placedNodes(run: () => unknown): Promise<PlacedNode[]> {
  const { binding } = nativeBackend();
  binding.collectGraphs(true);
  try {
    await run();
  } catch (error) {
    binding.collectGraphs(false);
    throw error;
  }
  const children = (message: Uint8Array, wanted: number): Uint8Array[] => messageFields(message).flatMap(({ field, bytes }) => (field === wanted ? [bytes] : []));
  const text = (message: Uint8Array, field: number): string => Buffer.from(children(message, field)[0] ?? []).toString();
  // Of an entry of NodeDef.attr the AttrValue, and of that the type.
  const types = (node: Uint8Array): number[] => children(node, 5).flatMap(entry => children(entry, 2).flatMap(value => (value[0] === 6 * 8 ? [messageFields(value)[0]!.value] : [])));
  // RunMetadata.function_graphs, their partition_graphs, GraphDef.node; of a NodeDef name, op and device.
  return children(binding.collectGraphs(false), 4)
    .flatMap(graphs => children(graphs, 1))
    .flatMap(graph => children(graph, 1))
    .map(node => ({ name: text(node, 1), op: text(node, 2), device: text(node, 4), types: types(node) }));
}
