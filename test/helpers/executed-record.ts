/** What the engine executes and what a recording says of it, in one form, so that they can be compared. */
import { nativeBackend, type Binding } from '../../src/engine/compile/native.ts';
import { record, valueOf, type Recording } from '../../src/engine/compile/record.ts';
import type { Attribute, TensorType, ValueId } from '../../src/engine/compile/trace.ts';
import { tensorType } from '../../src/engine/compile/checks.ts';
import * as tf from '../../src/engine/tf.ts';
import { withStandIns } from './stand-ins.ts';

/**
 * An op with its attributes as plain values. A constant is what it holds, in its readers' inputs (when it is uploaded does not
 * matter); other tensors are numbered in the order in which they appear.
 */
export interface Executed {
  readonly op: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly inputs: readonly Source[];
  readonly outputs: readonly (TensorType & { readonly number: Source })[];
}

type Source = number | string;

/** Runs `f` in the engine. @param leaves tensors that it may read */
export function executedOps(leaves: readonly tf.Tensor[], f: () => unknown): Executed[] {
  const backend = nativeBackend(),
    real = backend.binding,
    ops: Executed[] = [];
  const sources = new Sources(leaves.map(valueOf));
  const executeOp: Binding['executeOp'] = (op, attributes, inputs, count) => {
    const outputs = real.executeOp(op, attributes, inputs, count);
    ops.push({
      op,
      attributes: Object.fromEntries(attributes.map(({ name, type, value }) => [name, type === real.TF_ATTR_BOOL ? Boolean(value) : value])),
      inputs: inputs.map(id => sources.of(id)),
      outputs: outputs.map(({ id, dtype, shape }) => ({ number: sources.of(id), dtype, shape })),
    });
    return outputs;
  };
  const createTensor: Binding['createTensor'] = (shape, dtype, values) => {
    const id = real.createTensor(shape, dtype, values);
    if (!ArrayBuffer.isView(values)) throw new TypeError('Expected numbers, got strings.');
    sources.constant(id, { dtype, shape }, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return id;
  };
  backend.binding = Object.assign(copyOf(real), { executeOp, createTensor });
  try {
    tf.tidy(() => void f());
  } finally {
    backend.binding = real;
  }
  return ops;
}

/** Its native properties are not enumerable. */
const copyOf = (binding: Binding): Binding => Object.fromEntries(Object.entries(Object.getOwnPropertyDescriptors(binding)).map(([name, { value }]) => [name, value as unknown])) as unknown as Binding;

/** Records `f`. */
export function recordedOps(leaves: readonly tf.Tensor[], f: () => unknown): Executed[] {
  const leafTypes = Object.fromEntries(leaves.map((leaf, i) => [String(i), tensorType(leaf)]));
  let recording: Recording<unknown> | undefined;
  tf.tidy(() => {
    recording = record(leafTypes, given => {
      withStandIns(new Map(leaves.map((leaf, i) => [leaf, given[String(i)]!])), f);
    });
  });
  const { operations, types, leaves: values } = recording!;
  const sources = new Sources(leaves.map((_, i) => values[String(i)]!));
  return operations
    .flatMap(operation => operation.body ?? [operation])
    .flatMap(({ op, attributes, inputs, outputs }) => {
      if (op === 'Const') {
        const { bytes, ...type } = attributes['value']!.value as TensorType & { bytes: Uint8Array };
        sources.constant(outputs[0]!, type, bytes);
        return [];
      }
      return [
        {
          op,
          attributes: Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, plain(attribute)])),
          inputs: inputs.map(id => sources.of(id)),
          outputs: outputs.map(value => ({ number: sources.of(value), ...types.get(value)! })),
        },
      ];
    });
}

const plain = (attribute: Attribute): unknown => (attribute.kind === 'list' ? attribute.value.map(plain) : attribute.value);

class Sources {
  readonly #known: Map<ValueId, Source>;
  #next: number;

  constructor(leaves: readonly ValueId[]) {
    this.#next = leaves.length;
    this.#known = new Map(leaves.map((leaf, i) => [leaf, i]));
  }

  of(value: ValueId): Source {
    const source = this.#known.get(value) ?? this.#next++;
    this.#known.set(value, source);
    return source;
  }

  constant(value: ValueId, { dtype, shape }: TensorType, bytes: Uint8Array): void {
    this.#known.set(value, `${dtype} [${shape.join()}] ${Buffer.from(bytes).toString('hex')}`);
  }
}
