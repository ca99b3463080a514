/**
 * Runs tensor code once and writes down every op that it would execute. The only module that touches the engine's binding: each
 * kernel of tfjs-node goes through its `executeOp`, each upload through its `createTensor`, and ids of tensors are never used
 * twice, so that the ids alone are the data flow; gradients and optimizer are ops like all others. Nothing is computed: the
 * kernels get ids of tensors that do not exist, with the types that they would have.
 */
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { refusingStreams } from '../random/rng.ts';
import { CompileError } from './errors.ts';
import { nativeBackend, type Binding, type BindingAttribute, type BindingTensor } from './native.ts';
import { outputTypes } from './ops.ts';
import { DTYPE, typeAttribute, type Attribute, type Attributes, type Operation, type TensorType, type ValueId } from './trace.ts';

export interface Recording<T> {
  readonly result: T;
  /** The leaves, by name. */
  readonly leaves: Readonly<Record<string, ValueId>>;
  readonly operations: readonly Operation[];
  /** Of the leaves, and of everything that was computed. */
  readonly types: ReadonlyMap<ValueId, TensorType>;
}

/** The number of a tensor in the trace. Within a recording it records an upload where the tensor is still on the host. */
export function valueOf(tensor: tf.Tensor): ValueId {
  return nativeBackend().getInputTensorIds([tensor])[0]!;
}

let recording: Recorder | undefined;

/**
 * Computes something that TensorFlow may have a fused op for. Within a recording, what it executes is kept together, under a
 * name that a pass of `rewrite.ts` knows; elsewhere it is just computed.
 * @param inputs everything that it reads, in the order that the pass expects
 */
export function composite<T extends readonly tf.Tensor[]>(name: string, inputs: readonly tf.Tensor[], compute: () => T): T {
  if (!recording) return compute();
  const recorder = recording,
    values = inputs.map(valueOf);
  return recorder.grouped(name, values, compute);
}

/**
 * Records `run`. The tensors that it is given and those that it makes have types but no values; they are of no use afterwards.
 * @param leaves types of what it is given, by name; bytes are given to it as int32
 * @throws CompileError when it does what cannot be repeated: reads a value, draws a random number, reads a tensor that is no
 *   leaf, or executes an op that is not known to be pure
 */
export function record<T>(leaves: Readonly<Record<string, TensorType>>, run: (tensors: Params) => T): Recording<T> {
  const backend = nativeBackend(),
    engine = tf.engine();
  const recorder = new Recorder(backend.binding);
  const move = backend.move.bind(backend);
  const undo = [
    replace(backend, 'binding', recorder.binding()),
    replace(backend, 'move', (dataId, values, shape, dtype, refCount) => {
      recorder.hostValues(values);
      move(dataId, values, shape, dtype, refCount);
    }),
    replace(backend, 'readSync', dataId => {
      recorder.kernelRead();
      return new Int32Array(tf.util.sizeFromShape(backend.tensorMap.get(dataId)!.shape));
    }),
    replace(engine, 'readSync', () => recorder.refuse(valueRead('The step'))),
    replace(engine, 'read', () => recorder.refuse(valueRead('The step'))),
    replace(Math, 'random', () => recorder.refuse(randomDraw('Math.random (or a random op of tfjs)'))),
  ];
  const outer = recording;
  recording = recorder;
  try {
    const given = Object.entries(leaves).map(([name, type]) => [name, recorder.leaf(type)] as const);
    const tensors = Object.fromEntries(given.map(([name, { value, type }]) => [name, backend.createOutputTensor({ id: value, dtype: type.dtype, shape: [...type.shape] })]));
    const result = refusingStreams(
      purpose => recorder.refuse(randomDraw(`stream '${purpose}'`)),
      () => run(tensors),
    );
    return { result, leaves: Object.fromEntries(given.map(([name, { leaf }]) => [name, leaf])), ...recorder.finish() };
  } finally {
    recording = outer;
    for (const restore of undo.reverse()) restore();
  }
}

const valueRead = (who: string): CompileError =>
  new CompileError(
    'VALUE_READ',
    `Expected a step that leaves all values in the engine. ${who} reads one (dataSync, data, arraySync or array), which would be that of its first run for ever. Return it as an output, or compute with tensors.`,
  );

const randomDraw = (what: string): CompileError =>
  new CompileError('RANDOM_DRAW', `Expected a step without random draws. It draws from ${what}, and would see the same numbers for ever. Draw before the step and hand the numbers in as an input.`);

/** The kernel that reads an input, its indices, to check it, and computes from the tensor itself. Zeros pass. */
const CHECKS_ITS_INPUT = 'GatherV2';

class Recorder {
  readonly #real: Binding;
  #operations: Operation[] = [];
  readonly #types = new Map<ValueId, TensorType>();
  /** Bytes of uploads. */
  readonly #constants = new Map<ValueId, Uint8Array>();
  /** Values that came to the engine during the recording. */
  readonly #uploads = new WeakSet<object>();
  /** The last id given away: below those that the binding deletes. */
  #lastId = -1;
  #readByKernel = false;
  #refused: CompileError | undefined;

  constructor(real: Binding) {
    this.#real = real;
  }

  /** A leaf, and the value that the step is given of it. */
  leaf(type: TensorType): { leaf: ValueId; value: ValueId; type: TensorType } {
    const leaf = this.#newValue(type);
    if (type.dtype !== DTYPE.uint8) return { leaf, value: leaf, type };
    const wide = { ...type, dtype: DTYPE.int32 },
      value = this.#newValue(wide);
    this.#operations.push({
      op: 'Cast',
      inputs: [leaf],
      outputs: [value],
      attributes: { SrcT: typeAttribute(DTYPE.uint8), DstT: typeAttribute(DTYPE.int32), Truncate: { kind: 'bool', value: false } },
    });
    return { leaf, value, type: wide };
  }

  /** The binding with two functions of its own. Its properties are copied one by one: a prototype would not reach the native ones. */
  binding(): Binding {
    const real = this.#real as unknown as Readonly<Record<string, unknown>>;
    const copy = Object.fromEntries(Object.getOwnPropertyNames(real).map(name => [name, real[name]])) as unknown as Binding;
    return Object.assign(copy, {
      executeOp: (...args: Parameters<Binding['executeOp']>) => this.#executeOp(...args),
      createTensor: (...args: Parameters<Binding['createTensor']>) => this.#createTensor(...args),
    });
  }

  grouped<T extends readonly tf.Tensor[]>(name: string, inputs: readonly ValueId[], compute: () => T): T {
    const before = this.#operations,
      body: Operation[] = [];
    this.#operations = body;
    try {
      const result = compute();
      before.push({ op: name, inputs, outputs: result.map(valueOf), attributes: {}, body });
      return result;
    } finally {
      this.#operations = before;
    }
  }

  hostValues(values: tf.backend_util.BackendValues | null): void {
    if (values !== null) this.#uploads.add(values);
  }

  kernelRead(): void {
    this.#readByKernel = true;
  }

  /** Remembers the error, in case the code under record catches it (or never awaits it). */
  refuse(error: CompileError): never {
    this.#refused ??= error;
    throw error;
  }

  finish(): Omit<Recording<unknown>, 'result' | 'leaves'> {
    if (this.#refused) throw this.#refused;
    if (this.#readByKernel) throw valueRead('A kernel');
    return { operations: this.#operations, types: this.#types };
  }

  #executeOp(op: string, attributes: readonly BindingAttribute[], inputs: readonly number[], count: number): BindingTensor[] {
    if (this.#readByKernel && op !== CHECKS_ITS_INPUT) this.refuse(valueRead(`A kernel before ${op}`));
    this.#readByKernel = false;
    inputs.forEach((id, i) => {
      if (!this.#types.has(id)) this.refuse(captured(op, i));
    });
    const recorded = this.#attributes(op, attributes);
    const types = outputTypes(op, { inputs: inputs.map(id => this.#types.get(id)!), attributes: recorded, outputs: count, integers: i => this.#integers(op, i, inputs[i]!) });
    if (types === undefined) {
      this.refuse(new CompileError('UNKNOWN_OP', `Expected ops that are known to compute from their inputs alone, got ${op}. If it does, add it to src/engine/compile/ops.ts.`));
    }
    const outputs = types.map(type => ({ id: this.#newValue(type), dtype: type.dtype, shape: [...type.shape] }));
    this.#operations.push({ op, inputs: [...inputs], outputs: outputs.map(({ id }) => id), attributes: recorded });
    return outputs;
  }

  #newValue(type: TensorType): ValueId {
    this.#lastId -= 1;
    this.#types.set(this.#lastId, type);
    return this.#lastId;
  }

  /** Kernels upload shapes, axes and the like: the engine computes with them, the host has them. */
  #integers(op: string, input: number, id: ValueId): readonly number[] {
    const bytes = this.#types.get(id)?.dtype === DTYPE.int32 ? this.#constants.get(id) : undefined;
    if (bytes === undefined) {
      this.refuse(
        new CompileError('UNSUPPORTED', `Expected input ${input} of ${op}, which decides a shape, to be integers from the host, got a computed tensor. Shapes cannot change from step to step.`),
      );
    }
    return [...new Int32Array(bytes.buffer)];
  }

  #createTensor(shape: readonly number[], dtype: number, values: tf.backend_util.TypedArray | readonly Uint8Array[]): number {
    if (!ArrayBuffer.isView(values)) this.refuse(new CompileError('UNSUPPORTED', 'Expected a step without tensors of strings, got one.'));
    // Made before the step: refused as captured where an op reads it, and of use afterwards.
    if (!this.#uploads.has(values)) return this.#real.createTensor(shape, dtype, values);
    const type = { dtype, shape: [...shape] };
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const id = this.#newValue(type);
    this.#constants.set(id, bytes);
    this.#operations.push({
      op: 'Const',
      inputs: [],
      outputs: [id],
      attributes: { dtype: typeAttribute(dtype), value: { kind: 'tensor', value: { ...type, bytes } } },
    });
    return id;
  }

  #attributes(op: string, attributes: readonly BindingAttribute[]): Attributes {
    return Object.fromEntries(attributes.map(attribute => [attribute.name, this.#attribute(op, attribute)]));
  }

  #attribute(op: string, { name, type, value }: BindingAttribute): Attribute {
    const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = this.#real;
    if (type === TF_ATTR_SHAPE) return { kind: 'shape', value: value as readonly number[] };
    if (Array.isArray(value)) {
      return { kind: 'list', value: (value as readonly unknown[]).map(element => this.#attribute(op, { name, type, value: element })) };
    }
    switch (type) {
      case TF_ATTR_STRING:
        return { kind: 'string', value: value as string };
      case TF_ATTR_INT:
        return { kind: 'int', value: value as number };
      case TF_ATTR_FLOAT:
        return { kind: 'float', value: value as number };
      case TF_ATTR_BOOL:
        return { kind: 'bool', value: Boolean(value) };
      case TF_ATTR_TYPE:
        return { kind: 'type', value: value as number };
      default:
        return this.refuse(new CompileError('UNSUPPORTED', `Expected an attribute of a known type, got type ${type} in '${name}' of ${op}.`));
    }
  }
}

function captured(op: string, input: number): CompileError {
  return new CompileError(
    'CAPTURED_TENSOR',
    `Expected ${op} to read what the step was given or has computed, got a tensor from outside as its input ${input}. ` + 'Hand it in as an input, or as a frozen weight if it never changes.',
  );
}

/** Sets a property, and returns what sets it back: one that was inherited is inherited again. */
function replace<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): () => void {
  const own = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(target, key, own);
    else Reflect.deleteProperty(target, key);
  };
}
