/** Pure passes over a trace, each of which keeps what it computes (`bfloat16Products`: up to the precision asked for). */
import { DTYPE, typeAttribute, typeOf, type Operation, type Trace, type TensorType, type Value } from './trace.ts';

export type Precision = 'float32' | 'bfloat16';

/** All passes that help, in their order. */
export function rewrite(trace: Trace, precision: Precision): Trace {
  const passes = [dropSameCasts, shareConstants, plainProducts, addBiases, ...(precision === 'bfloat16' ? [bfloat16Products] : []), dropUnused];
  return passes.reduce((rewritten, pass) => pass(rewritten), trace);
}

/** Operations without an effect on outputs and state. */
export function dropUnused(trace: Trace): Trace {
  const needed = new Set<Value>([...Object.values(trace.outputs), ...Object.values(trace.assigned)]);
  const kept = trace.operations.toReversed().filter(({ inputs, outputs }) => {
    const used = outputs.some(value => needed.has(value));
    if (used) inputs.forEach(value => needed.add(value));
    return used;
  });
  return { ...trace, operations: kept.toReversed() };
}

/** Casts from a type to itself, which tfjs executes. */
export function dropSameCasts(trace: Trace): Trace {
  return rewriteEach(trace, operation => {
    if (operation.op !== 'Cast') return [operation];
    const [input] = operation.inputs, [output] = operation.outputs;
    return typeOf(trace, input!).dtype === typeOf(trace, output!).dtype ? { sameAs: input! } : [operation];
  });
}

/** Equal constants, of which tfjs uploads one for each number and shape that it meets, become one. */
export function shareConstants(trace: Trace): Trace {
  const first = new Map<string, Value>();
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

/** `BatchMatMulV2` of two matrices is a `MatMul`, which the runtime fuses with what follows. */
export function plainProducts(trace: Trace): Trace {
  return rewriteEach(trace, operation => {
    const { op, inputs, attributes: { T, adj_x, adj_y } } = operation;
    if (op !== 'BatchMatMulV2' || inputs.some(value => typeOf(trace, value).shape.length !== 2)) return [operation];
    return [{ ...operation, op: 'MatMul', attributes: { T: T!, transpose_a: adj_x!, transpose_b: adj_y! } }];
  });
}

/** A vector added to each row of a product is a `BiasAdd`: the runtime computes both in one pass. */
export function addBiases(trace: Trace): Trace {
  const products = new Set(trace.operations.filter(({ op }) => op === 'MatMul').map(({ outputs }) => outputs[0]!));
  return rewriteEach(trace, operation => {
    const { op, inputs: [product, bias], attributes: { T } } = operation;
    if ((op !== 'Add' && op !== 'AddV2') || !products.has(product!)) return [operation];
    const rows = typeOf(trace, product!), vector = typeOf(trace, bias!);
    if (vector.shape.length !== 1 || vector.shape[0] !== rows.shape[1]) return [operation];
    return [{ ...operation, op: 'BiasAdd', attributes: { T: T!, data_format: { kind: 'string', value: 'NHWC' } } }];
  });
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'BatchMatMulV2']);

/** Mixed precision: products of float32 are computed from operands rounded to bfloat16; everything between them stays float32. */
export function bfloat16Products(trace: Trace): Trace {
  const types = new Map(trace.types);
  const rounded = new Map<Value, Value>();
  let last = Math.max(0, ...types.keys());
  const fresh = (like: Value, dtype: number): Value => {
    last += 1;
    types.set(last, { ...typeOf(trace, like), dtype });
    return last;
  };
  const operations = trace.operations.flatMap((operation): Operation[] => {
    const [output] = operation.outputs;
    if (!PRODUCTS.has(operation.op) || typeOf(trace, output!).dtype !== DTYPE.float32) return [operation];
    const casts = [...new Set(operation.inputs)].filter(value => !rounded.has(value)).map(value => {
      rounded.set(value, fresh(value, DTYPE.bfloat16));
      return cast(value, rounded.get(value)!, DTYPE.float32, DTYPE.bfloat16);
    });
    const product = fresh(output!, DTYPE.bfloat16);
    const attributes = { ...operation.attributes, T: typeAttribute(DTYPE.bfloat16) };
    return [
      ...casts,
      { ...operation, inputs: operation.inputs.map(value => rounded.get(value)!), outputs: [product], attributes },
      cast(product, output!, DTYPE.bfloat16, DTYPE.float32),
    ];
  });
  return { ...trace, operations, types };
}

function cast(from: Value, to: Value, fromType: number, toType: number): Operation {
  return {
    op: 'Cast', inputs: [from], outputs: [to],
    attributes: { SrcT: typeAttribute(fromType), DstT: typeAttribute(toType), Truncate: { kind: 'bool', value: false } },
  };
}

/** One walk in order: `change` gives what stands for an operation, or the value that its only output is the same as. */
function rewriteEach(trace: Trace, change: (operation: Operation) => readonly Operation[] | { readonly sameAs: Value }): Trace {
  const same = new Map<Value, Value>();
  const resolve = (value: Value): Value => same.get(value) ?? value;
  const resolveAll = (values: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolve(value)]));
  const operations = trace.operations.flatMap(operation => {
    const changed = change({ ...operation, inputs: operation.inputs.map(resolve) });
    if (!('sameAs' in changed)) return changed;
    same.set(operation.outputs[0]!, changed.sameAs);
    return [];
  });
  return { ...trace, operations, outputs: resolveAll(trace.outputs), assigned: resolveAll(trace.assigned) };
}
