/** What the engine executes and what a recording says of it, in one form, so that they can be compared. */
import { nativeBackend, type Binding } from '../../src/tensor/compile/native.ts';
import { record, valueOf } from '../../src/tensor/compile/record.ts';
import type { Attribute, Operation, TensorType, Value } from '../../src/tensor/compile/trace.ts';
import { tensorType } from '../../src/tensor/compile/checks.ts';
import * as tf from '../../src/tensor/tf.ts';

/** An op with its attributes as plain values, and tensors numbered in the order in which they appear. */
export interface Executed {
  readonly op: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly number[];
  readonly outputs: readonly (TensorType & { readonly number: number })[];
}

/** Runs `f` in the engine. @param leaves tensors that it may read */
export function executedOps(leaves: readonly tf.Tensor[], f: () => unknown): Executed[] {
  const backend = nativeBackend(), real = backend.binding, ops: Executed[] = [];
  const numbers = numbering(leaves);
  const executeOp: Binding['executeOp'] = (op, attributes, inputs, count) => {
    const outputs = real.executeOp(op, attributes, inputs, count);
    ops.push({
      op, attributes: Object.fromEntries(attributes.map(({ name, type, value }) => [name, type === real.TF_ATTR_BOOL ? Boolean(value) : value])), inputs: inputs.map(numbers),
      outputs: outputs.map(({ id, dtype, shape }) => ({ number: numbers(id), dtype, shape })),
    });
    return outputs;
  };
  const createTensor: Binding['createTensor'] = (shape, dtype, values) => {
    const id = real.createTensor(shape, dtype, values);
    ops.push({ op: 'Const', attributes: { dtype, value: { dtype, shape, bytes: bytesOf(values) } }, inputs: [], outputs: [{ number: numbers(id), dtype, shape: [...shape] }] });
    return id;
  };
  backend.binding = Object.assign(Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(real)).map(([name, { value }]) => [name, value as unknown])), { executeOp, createTensor }) as unknown as Binding;
  try {
    tf.tidy(() => void f());
  } finally {
    backend.binding = real;
  }
  return ops;
}

/** Records `f`. */
export function recordedOps(leaves: readonly tf.Tensor[], f: () => unknown): Executed[] {
  const types = new Map(leaves.map(leaf => [valueOf(leaf), tensorType(leaf)]));
  let recorded: Executed[] = [];
  tf.tidy(() => {
    const { operations, types: all } = record(types, () => void f());
    recorded = normalised(operations, all, leaves);
  });
  return recorded;
}

export function normalised(operations: readonly Operation[], types: ReadonlyMap<Value, TensorType>, leaves: readonly tf.Tensor[]): Executed[] {
  const numbers = numbering(leaves);
  return operations.flatMap(operation => operation.body ?? [operation]).map(({ op, attributes, inputs, outputs }) => ({
    op, attributes: Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, plain(attribute)])), inputs: inputs.map(numbers),
    outputs: outputs.map(value => ({ number: numbers(value), ...types.get(value)! })),
  }));
}

function numbering(leaves: readonly tf.Tensor[]): (value: Value) => number {
  const numbers = new Map(leaves.map((leaf, i) => [valueOf(leaf), i]));
  return value => {
    const known = numbers.get(value) ?? numbers.size;
    numbers.set(value, known);
    return known;
  };
}

const plain = (attribute: Attribute): unknown => (attribute.kind === 'list' ? attribute.value.map(plain) : attribute.value);

function bytesOf(values: tf.backend_util.TypedArray | readonly Uint8Array[]): Uint8Array {
  if (!ArrayBuffer.isView(values)) throw new TypeError('Expected numbers, got strings.');
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}
