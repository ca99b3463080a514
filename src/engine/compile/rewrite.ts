/** Pure passes over a trace, each of which keeps what it computes (`bfloat16Products`: up to the precision asked for). */
import { bfloat16Products, splitSums } from './bfloat16.ts';
import { DTYPE, typeAttribute, typeOf, type Operation, type Trace, type TensorType, type ValueId } from './trace.ts';
import { constant, countReads, moreValues, valuesOfUpdate } from './trace-values.ts';
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

/** Composites that no pass has made use of become the ops that they stand for, which know where they come from. */
function expand(trace: Trace): Trace {
  const open = (operation: Operation): readonly Operation[] => operation.body?.flatMap(inner => open({ ...inner, within: operation })) ?? [operation];
  return { ...trace, operations: trace.operations.flatMap(open) };
}

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
