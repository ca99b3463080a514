/**
 * On which device the nodes of a function compute. Each is told: TensorFlow would move what has no kernel there without a word.
 *
 * Checked on 2026-11-29 against the kernels that the GPU build of TensorFlow 2.21.0 (linux-x64) lists, without a card: the graphs of all
 * kinds of stages and targets, in float32 and bfloat16, have 38 ops in 54 combinations of types, and all of these have a kernel for
 * the GPU. Those of four (reads of variables, int32 constants and their concatenation, no-ops) are kernels for any device. None would be refused,
 * none go to the host. Whether they compute there what they should, `make gpu-check` says on a machine with a card.
 */
import { CompileError } from './errors.ts';
import { hasKernel, typesOfAttribute } from './kernels.ts';
import { computeDevice, hostDevice } from './native.ts';
import type { GraphNode } from './protobuf.ts';
import { DTYPE, typeName } from './trace.ts';

export interface Devices {
  /** Where everything computes: full name of a device of TensorFlow, `/job:localhost/replica:0/task:0/device:GPU:0`. */
  readonly compute: string;
  readonly host: string;
}

/**
 * Nodes with their devices: the one that computes; on the host stays what it has no kernel for and what computes with integers
 * alone (shapes, indices, flags).
 * @throws CompileError `PLACEMENT` with the names of all others that it has no kernel for
 */
export function place(nodes: readonly GraphNode[], { compute, host }: Devices = { compute: computeDevice(), host: hostDevice() }): GraphNode[] {
  const type = deviceType(compute);
  const runs = ({ op, attributes }: GraphNode): boolean => op === 'Placeholder' || hasKernel(op, attributes, type);
  const refused = nodes.filter(node => !runs(node) && !isBookkeeping(node));
  if (refused.length > 0) {
    const ops = [...new Set(refused.map(({ op, attributes }) => `${op} (${typesOf(attributes).join(', ')})`))];
    throw new CompileError(
      'PLACEMENT',
      `Expected ops that compute on the ${type}, got ${ops.join(', ')}, for which this TensorFlow has no kernel there. Write the step without it, or run it on the CPU.`,
    );
  }
  return nodes.map(node => ({ ...node, device: runs(node) ? compute : host }));
}

/** `GPU` of `/job:localhost/replica:0/task:0/device:GPU:0`. */
const deviceType = (device: string): string => /device:(\w+):/.exec(device)?.[1] ?? '';

const INTEGERS: ReadonlySet<number> = new Set([DTYPE.int32, DTYPE.bool, DTYPE.uint8]);

/** Whether something has types, and these are integers alone: bookkeeping, which may be on the host. @internal */
export const areIntegers = (types: readonly number[]): boolean => types.length > 0 && types.every(type => INTEGERS.has(type));

const typeNumbers = (attributes: GraphNode['attributes']): number[] => Object.values(attributes).flatMap(typesOfAttribute);
const isBookkeeping = ({ attributes }: GraphNode): boolean => areIntegers(typeNumbers(attributes));
const typesOf = (attributes: GraphNode['attributes']): string[] => typeNumbers(attributes).map(typeName);
