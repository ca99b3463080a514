/**
 * Functions and variables in the TensorFlow context that tfjs itself computes in: outputs of functions are ordinary tensors, and
 * nothing passes through the memory of the host. `functions.cc` adds to the binding what this needs.
 */
import * as tf from '../tf.ts';
import { tensorType } from './checks.ts';
import { CompileError } from './errors.ts';
import { computeDevice, nativeBackend, type BindingAttribute, type NativeBackend } from './native.ts';
import { place } from './placement.ts';
import { graphDef, type GraphNode } from './protobuf.ts';
import type { TensorType } from './trace.ts';

/** A graph that becomes a function: nodes to feed (placeholders) and to fetch, each in the order of the arguments and results. */
export interface FunctionGraph {
  readonly nodes: readonly GraphNode[];
  readonly feeds: readonly string[];
  readonly fetches: readonly string[];
}

export interface DefinedFunction {
  readonly name: string;
  readonly results: number;
}

/** A tensor that functions read and change in place. */
export interface Variable {
  readonly type: TensorType;
  /** The caller's. */
  read(): tf.Tensor;
  /** @param value stays the caller's */
  write(value: tf.Tensor): void;
  /** Its handle, as an argument of a function. */
  readonly id: number;
  dispose(): void;
}

let defined = 0;

/** @throws CompileError `UNSUPPORTED` for a graph that TensorFlow refuses, `PLACEMENT` for ops that the device does not have */
export function define({ nodes, feeds, fetches }: FunctionGraph): DefinedFunction {
  const { binding } = nativeBackend(),
    placed = place(nodes),
    name = `step_${defined++}`;
  try {
    binding.defineFunction(name, Buffer.from(graphDef(placed)), feeds, fetches);
  } catch (cause) {
    throw new CompileError('UNSUPPORTED', `Expected a graph that TensorFlow takes, got: ${(cause as Error).message}`, { cause });
  }
  return { name, results: fetches.length };
}

/**
 * Without a ConfigProto on the call, functions are run without Grappler: nothing is fused, and last digits differ. This one says
 * `allow_soft_placement: false`: an op stays where it was placed.
 */
const CONFIG = '\x38\x00';

/** @returns the caller's */
export function call({ name, results }: DefinedFunction, args: readonly (tf.Tensor | Variable)[]): tf.Tensor[] {
  const backend = nativeBackend();
  const ids = args.map(argument => (argument instanceof tf.Tensor ? backend.getInputTensorIds([argument])[0]! : argument.id));
  const attributes = [{ name: 'config_proto', type: backend.binding.TF_ATTR_STRING, value: CONFIG }];
  return backend.binding.executeOp(name, attributes, ids, results).map(result => backend.createOutputTensor(result));
}

/** Frees it; variables and results that it made stay. */
export function remove({ name }: DefinedFunction): void {
  nativeBackend().binding.removeFunction(name);
}

/** TensorFlow's name for a variable that lives as long as its handle (`core/framework/resource_handle.cc`). */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** A variable on the device, with a copy of `value`. */
export function variable(value: tf.Tensor): Variable {
  const backend = nativeBackend(),
    { binding } = backend;
  const held = tensorType(value),
    type: BindingAttribute = { name: 'dtype', type: binding.TF_ATTR_TYPE, value: held.dtype };
  const text = (name: string, text: string): BindingAttribute => ({ name, type: binding.TF_ATTR_STRING, value: text });
  const [handle] = onDevice(backend, 'VarHandleOp', [type, { name: 'shape', type: binding.TF_ATTR_SHAPE, value: held.shape }, text('shared_name', ANONYMOUS), text('container', '')], [], 1);
  const { id } = handle!;
  const write = (next: tf.Tensor): void => {
    // An uploaded tensor may be memory of JavaScript, which a variable must not keep.
    const [copy] = onDevice(backend, 'DeepCopy', [{ ...type, name: 'T' }], backend.getInputTensorIds([next]), 1);
    try {
      onDevice(backend, 'AssignVariableOp', [type], [id, copy!.id], 0);
    } finally {
      binding.deleteTensor(copy!.id);
    }
  };
  try {
    write(value);
  } catch (error) {
    binding.deleteTensor(id);
    throw error;
  }
  return {
    id,
    type: held,
    read: () => backend.createOutputTensor(onDevice(backend, 'ReadVariableOp', [type], [id], 1)[0]!),
    write,
    dispose: () => {
      binding.deleteTensor(id);
    },
  };
}

function onDevice({ binding }: NativeBackend, ...op: Parameters<NativeBackend['binding']['executeOp']>): ReturnType<NativeBackend['binding']['executeOp']> {
  binding.placeCalls(computeDevice());
  try {
    return binding.executeOp(...op);
  } finally {
    binding.placeCalls('');
  }
}
