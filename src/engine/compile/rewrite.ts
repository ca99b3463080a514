/** Pure passes over a trace, each of which keeps what it computes (`bfloat16Products`: up to the precision asked for). */
import { DTYPE, typeAttribute, typeOf, type Operation, type Trace, type TensorType, type Update, type ValueId } from './trace.ts';
import { sumsInOrder } from './whole-sums.ts';

/** Of matrix products. The graph of `tf32` is that of float32: the whole process computes it otherwise (`../tf32.ts`). */
export type Precision = 'float32' | 'tf32' | 'bfloat16';

/** All passes that help, in their order. */
export function rewrite(trace: Trace, precision: Precision): Trace {
  const passes = [fuseAdam, expand, dropSameCasts, directCasts, shareConstants, plainProducts, addBiases, ...(precision === 'bfloat16' ? [splitSums, bfloat16Products] : []), dropUnused, sumsInOrder];
  return passes.reduce((rewritten, pass) => pass(rewritten), trace);
}

/** Name of the composite that `fuseAdam` knows, with the inputs param, grad, m, v, stepSize, epsilon, beta1, beta2 and, with decay, retained. */
export const ADAMW = 'AdamW';

/** Name of the composite of exact GELUs, with the input x: the runtime computes one in one pass with the product and the bias before it. */
export const GELU = 'Gelu';

/** Name of the composite of products that stay float32 whatever the precision (`float32Products`). */
export const FLOAT32_PRODUCTS = 'Float32Products';

/**
 * An update of a parameter and its two moments that are variables becomes `ResourceApplyAdam`, one pass in place of thirteen
 * ops. Its own bias correction is turned off (powers of 0): it is in the rates already.
 */
function fuseAdam(trace: Trace): Trace {
  const nameOf = new Map(Object.entries(trace.variables).map(([name, value]) => [value, name]));
  const reads = countReads(trace);
  const assigned = { ...trace.assigned },
    updates = [...trace.updates];
  const { types, fresh } = moreValues(trace);
  const operations = trace.operations.flatMap((operation): readonly Operation[] => {
    if (operation.op !== ADAMW) return [operation];
    const [param, grad, m, v, stepSize, epsilon, beta1, beta2, retained] = operation.inputs;
    const variables = [param!, m!, v!].map(value => nameOf.get(value));
    const inPlace = variables.every((name, i) => name !== undefined && assigned[name] === operation.outputs[i] && reads.get(operation.outputs[i]!) === 1);
    if (!inPlace) return [operation];
    const names = variables as string[];
    for (const name of names) Reflect.deleteProperty(assigned, name);
    const none = fresh({ dtype: DTYPE.float32, shape: [] });
    const from = retained === undefined ? undefined : fresh(typeOf(trace, param!));
    updates.push({
      op: 'ResourceApplyAdam',
      variables: names,
      inputs: [none, none, stepSize!, beta1!, beta2!, epsilon!, grad!],
      attributes: { T: typeAttribute(DTYPE.float32) },
      ...(from !== undefined && { from }),
    });
    return [
      constant(none, { dtype: DTYPE.float32, shape: [] }, new Uint8Array(4)),
      ...(from === undefined ? [] : [{ op: 'Mul', inputs: [param!, retained!], outputs: [from], attributes: { T: typeAttribute(DTYPE.float32) } }]),
    ];
  });
  return { ...trace, operations, assigned, updates, types };
}

/** How often each value is read, by operations or as a result. */
function countReads({ operations, assigned, outputs }: Trace): Map<ValueId, number> {
  const reads = new Map<ValueId, number>();
  const read = (value: ValueId): void => {
    reads.set(value, (reads.get(value) ?? 0) + 1);
  };
  for (const { inputs } of operations) inputs.forEach(read);
  for (const value of [...Object.values(assigned), ...Object.values(outputs)]) read(value);
  return reads;
}

/** The types of a trace, to which `fresh` adds values. */
function moreValues(trace: Trace): { types: Map<ValueId, TensorType>; fresh: (type: TensorType) => ValueId } {
  const types = new Map(trace.types);
  let last = Math.max(0, ...types.keys());
  return {
    types,
    fresh: type => {
      types.set(++last, type);
      return last;
    },
  };
}

const constant = (value: ValueId, { dtype, shape }: TensorType, bytes: Uint8Array): Operation => ({
  op: 'Const',
  inputs: [],
  outputs: [value],
  attributes: { dtype: typeAttribute(dtype), value: { kind: 'tensor', value: { dtype, shape, bytes } } },
});

/** Composites that no pass has made use of become the ops that they stand for, which know where they come from. */
function expand(trace: Trace): Trace {
  const open = (operation: Operation): readonly Operation[] => operation.body?.flatMap(inner => open({ ...inner, within: operation })) ?? [operation];
  return { ...trace, operations: trace.operations.flatMap(open) };
}

const valuesOfUpdate = ({ inputs, from }: Update): readonly ValueId[] => [...inputs, ...(from === undefined ? [] : [from])];

/** Operations without an effect on outputs and state. @internal */
export function dropUnused(trace: Trace): Trace {
  const needed = new Set<ValueId>([...Object.values(trace.outputs), ...Object.values(trace.assigned), ...trace.updates.flatMap(valuesOfUpdate)]);
  const kept = trace.operations.toReversed().filter(({ inputs, outputs }) => {
    const used = outputs.some(value => needed.has(value));
    if (used) inputs.forEach(value => needed.add(value));
    return used;
  });
  return { ...trace, operations: kept.toReversed() };
}

/** Casts from a type to itself, which tfjs executes. @internal */
export function dropSameCasts(trace: Trace): Trace {
  return rewriteEach(trace, operation => {
    if (operation.op !== 'Cast') return [operation];
    const [input] = operation.inputs,
      [output] = operation.outputs;
    return typeOf(trace, input!).dtype === typeOf(trace, output!).dtype ? { sameAs: input! } : [operation];
  });
}

/** Bytes that are widened to integers and then cast on are cast at once. @internal */
export function directCasts(trace: Trace): Trace {
  const widened = new Map<ValueId, ValueId>();
  return rewriteEach(trace, operation => {
    const [input] = operation.inputs;
    if (operation.op !== 'Cast') return [operation];
    if (typeOf(trace, input!).dtype === DTYPE.uint8) widened.set(operation.outputs[0]!, input!);
    const bytes = widened.get(input!);
    return bytes === undefined ? [operation] : [{ ...operation, inputs: [bytes], attributes: { ...operation.attributes, SrcT: typeAttribute(DTYPE.uint8) } }];
  });
}

/** Equal constants, of which tfjs uploads one for each number and shape that it meets, become one. @internal */
export function shareConstants(trace: Trace): Trace {
  const first = new Map<string, ValueId>();
  return rewriteEach(trace, operation => {
    if (operation.op !== 'Const') return [operation];
    const { value } = operation.attributes['value'] as { value: TensorType & { bytes: Uint8Array } };
    const key = `${value.dtype} ${value.shape.join()} ${Buffer.from(value.bytes).toString('latin1')}`;
    const known = first.get(key);
    if (known !== undefined) return { sameAs: known };
    first.set(key, operation.outputs[0]!);
    return [operation];
  });
}

/** `BatchMatMulV2` of two matrices is a `MatMul`, which the runtime fuses with what follows. @internal */
export function plainProducts(trace: Trace): Trace {
  return rewriteEach(trace, operation => {
    const {
      op,
      inputs,
      attributes: { T, adj_x, adj_y },
    } = operation;
    if (op !== 'BatchMatMulV2' || inputs.some(value => typeOf(trace, value).shape.length !== 2)) return [operation];
    return [{ ...operation, op: 'MatMul', attributes: { T: T!, transpose_a: adj_x!, transpose_b: adj_y! } }];
  });
}

/** A vector added to each row of a product is a `BiasAdd`: the runtime computes both in one pass. @internal */
export function addBiases(trace: Trace): Trace {
  const products = new Set(trace.operations.filter(({ op }) => op === 'MatMul').map(({ outputs }) => outputs[0]!));
  return rewriteEach(trace, operation => {
    const {
      op,
      inputs: [product, bias],
      attributes: { T },
    } = operation;
    if (op !== 'Add' || !products.has(product!)) return [operation];
    const rows = typeOf(trace, product!),
      vector = typeOf(trace, bias!);
    if (vector.shape.length !== 1 || vector.shape[0] !== rows.shape[1]) return [operation];
    return [{ ...operation, op: 'BiasAdd', attributes: { T: T!, data_format: { kind: 'string', value: 'NHWC' } } }];
  });
}

/** Of a sum that no thread shares with another, on any processor that was tried. */
const MOST_ROWS = 1024;
/** Elements of a result that is added up for next to nothing: weights of networks 128 channels wide. */
const SMALL = 2 ** 16;

/**
 * The gradient of a weight is a sum over all tokens. oneDNN divides long sums of bfloat16 among its threads, so that last digits
 * depend on their number: a small one is added up in float32, from sums over fewer tokens. Of large ones the parts would cost
 * a third of the product.
 * @internal
 */
export function splitSums(trace: Trace): Trace {
  const { types, fresh } = moreValues(trace);
  const operations = trace.operations.flatMap((operation): readonly Operation[] => {
    const {
      op,
      inputs,
      outputs: [output],
      attributes: { T, transpose_a, transpose_b },
    } = operation;
    if (op !== 'MatMul' || transpose_a?.value !== true || transpose_b?.value === true) return [operation];
    const [rows] = typeOf(trace, inputs[0]!).shape,
      result = typeOf(trace, output!);
    const parts = partsOf(rows!);
    if (parts === 1 || result.shape[0]! * result.shape[1]! > SMALL) return [operation];
    const divided = inputs.map(input => {
      const { dtype, shape } = typeOf(trace, input),
        next = [parts, rows! / parts, shape[1]!];
      return reshape(input, { dtype, shape: next }, fresh);
    });
    const products = fresh({ ...result, shape: [parts, ...result.shape] }),
      axis = fresh({ dtype: DTYPE.int32, shape: [1] });
    return [
      ...divided.flat(),
      {
        op: 'BatchMatMulV2',
        inputs: divided.map(([, { outputs }]) => outputs[0]!),
        outputs: [products],
        attributes: { T: T!, adj_x: { kind: 'bool', value: true }, adj_y: { kind: 'bool', value: false } },
      },
      integers(axis, [0]),
      { op: 'Sum', inputs: [products, axis], outputs: [output!], attributes: { T: T!, Tidx: typeAttribute(DTYPE.int32), keep_dims: { kind: 'bool', value: false } } },
    ];
  });
  return { ...trace, operations, types };
}

/** The least number of equal parts of at most `MOST_ROWS`; 1 for rows that have no divisor of use. */
function partsOf(rows: number): number {
  for (let parts = Math.ceil(rows / MOST_ROWS); parts <= (8 * rows) / MOST_ROWS; parts++) if (rows % parts === 0) return parts;
  return 1;
}

function reshape(value: ValueId, type: TensorType, fresh: (type: TensorType) => ValueId): readonly [Operation, Operation] {
  const shape = fresh({ dtype: DTYPE.int32, shape: [type.shape.length] });
  return [integers(shape, type.shape), { op: 'Reshape', inputs: [value, shape], outputs: [fresh(type)], attributes: { T: typeAttribute(type.dtype), Tshape: typeAttribute(DTYPE.int32) } }];
}

const integers = (value: ValueId, numbers: readonly number[]): Operation => constant(value, { dtype: DTYPE.int32, shape: [numbers.length] }, new Uint8Array(Int32Array.from(numbers).buffer));

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'BatchMatMulV2']);

/** They move elements: rounding before them is rounding after them, of half the bytes. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'SplitV', 'Transpose']);

/**
 * Mixed precision: products of float32 are computed from operands rounded to bfloat16, but for those whose results are compared
 * (`float32Products`); everything between them stays float32. The runtime computes a bias, and an exact GELU after it, in one pass with
 * the product: so where nothing but products reads what they give, it is rounded after them, once. Where it is read as it is, the bias is
 * added in float32: rounding the sum would cost digits of the product.
 * A product of a product reads it as it is.
 * @internal
 */
export function bfloat16Products(trace: Trace): Trace {
  const { types, fresh: freshValue } = moreValues(trace);
  const rounded = new Map<ValueId, ValueId>();
  const moves = new Map(trace.operations.filter(({ op }) => MOVES.has(op)).flatMap(move => move.outputs.map(output => [output, move] as const)));
  const computed = roundedOperations(trace);
  const fresh = (like: ValueId): ValueId => {
    const value = freshValue({ ...typeOf(trace, like), dtype: DTYPE.bfloat16 });
    rounded.set(like, value);
    return value;
  };
  /** What has to be computed for a value to be there in bfloat16. */
  const round = (value: ValueId): readonly Operation[] => {
    if (rounded.has(value)) return [];
    const move = moves.get(value);
    if (move === undefined) return [cast(value, fresh(value), DTYPE.float32, DTYPE.bfloat16)];
    const [source, ...how] = move.inputs;
    const before = round(source!);
    return [
      ...before,
      {
        ...move,
        inputs: [rounded.get(source!)!, ...how],
        outputs: move.outputs.map(fresh),
        attributes: { ...move.attributes, T: typeAttribute(DTYPE.bfloat16) },
      },
    ];
  };
  const operations = trace.operations.flatMap((operation): Operation[] => {
    if (!computed.has(operation)) return [operation];
    const {
      inputs,
      attributes,
      outputs: [output],
    } = operation;
    const before = inputs.flatMap(round);
    const result = fresh(output!);
    return [
      ...before,
      { ...operation, inputs: inputs.map(value => rounded.get(value)!), outputs: [result], attributes: { ...attributes, T: typeAttribute(DTYPE.bfloat16) } },
      cast(result, output!, DTYPE.bfloat16, DTYPE.float32),
    ];
  });
  return { ...trace, operations, types };
}

/** Operations that are computed in bfloat16: products, and what the runtime computes in one pass with them. */
function roundedOperations(trace: Trace): ReadonlySet<Operation> {
  const products = trace.operations.filter(({ op, outputs, within }) => PRODUCTS.has(op) && within?.op !== FLOAT32_PRODUCTS && typeOf(trace, outputs[0]!).dtype === DTYPE.float32);
  const values = new Set(products.map(({ outputs }) => outputs[0]!));
  const biases = trace.operations.filter(({ op, inputs }) => op === 'BiasAdd' && values.has(inputs[0]!));
  const gelus = fusedGelus(trace, new Set(biases.map(({ outputs }) => outputs[0]!)));
  const exact = readUnrounded(trace, new Set([...products, ...gelus]));
  return new Set([...products, ...biases.filter(({ outputs }) => !exact.has(outputs[0]!)), ...gelus]);
}

/** Values that something reads as they are: more than these operations, which round what they read, and what moves elements for them. */
function readUnrounded({ operations, assigned, updates, outputs }: Trace, rounding: ReadonlySet<Operation>): ReadonlySet<ValueId> {
  const exact = new Set([...Object.values(assigned), ...Object.values(outputs), ...updates.flatMap(valuesOfUpdate)]);
  for (const operation of operations.toReversed()) {
    const moves = MOVES.has(operation.op) && !operation.outputs.some(output => exact.has(output));
    if (!moves && !rounding.has(operation)) for (const input of operation.inputs) exact.add(input);
  }
  return exact;
}

/** Operations of the GELUs of these values of which nothing but the result is read. A gradient reads more of them. */
function fusedGelus(trace: Trace, of: ReadonlySet<ValueId>): Operation[] {
  const gelus = new Map<Operation, Operation[]>();
  for (const operation of trace.operations) if (operation.within?.op === GELU && operation.op !== 'Const') gelus.set(operation.within, [...(gelus.get(operation.within) ?? []), operation]);
  const reads = countReads(trace);
  return [...gelus.values()].flatMap(gelu => {
    const [x] = gelu[0]!.inputs;
    const own = gelu.flatMap(({ inputs }) => inputs);
    const inner = [x!, ...gelu.slice(0, -1).map(({ outputs }) => outputs[0]!)];
    const alone = inner.every(value => reads.get(value) === own.filter(input => input === value).length);
    return alone && of.has(x!) ? gelu : [];
  });
}

function cast(from: ValueId, to: ValueId, fromType: number, toType: number): Operation {
  return {
    op: 'Cast',
    inputs: [from],
    outputs: [to],
    attributes: { SrcT: typeAttribute(fromType), DstT: typeAttribute(toType), Truncate: { kind: 'bool', value: false } },
  };
}

/** One walk in order: `change` gives what stands for an operation, or the value that its only output is the same as. */
function rewriteEach(trace: Trace, change: (operation: Operation) => readonly Operation[] | { readonly sameAs: ValueId }): Trace {
  const same = new Map<ValueId, ValueId>();
  const resolve = (value: ValueId): ValueId => same.get(value) ?? value;
  const resolveAll = (values: Readonly<Record<string, ValueId>>): Record<string, ValueId> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolve(value)]));
  const operations = trace.operations.flatMap(operation => {
    const changed = change({ ...operation, inputs: operation.inputs.map(resolve) });
    if (!('sameAs' in changed)) return changed;
    same.set(operation.outputs[0]!, changed.sameAs);
    return [];
  });
  const updates = trace.updates.map(update => ({
    ...update,
    inputs: update.inputs.map(resolve),
    ...(update.from !== undefined && { from: resolve(update.from) }),
  }));
  return { ...trace, operations, updates, outputs: resolveAll(trace.outputs), assigned: resolveAll(trace.assigned) };
}
