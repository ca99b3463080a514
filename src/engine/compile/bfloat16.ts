/** Passes over a trace whose products are of bfloat16: mixed precision, in which everything but products stays float32. */
import { DTYPE, typeAttribute, typeOf, type Operation, type Trace, type ValueId } from './trace.ts';
import { countReads, moreValues, reshape, sumAlong, valuesOfUpdate } from './trace-values.ts';

/** Name of the composite of exact GELUs, with the input x: the runtime computes one in one pass with the product and the bias before it. */
export const GELU = 'Gelu';

/** Name of the composite of products that stay float32 whatever the precision (`float32Products`). */
export const FLOAT32_PRODUCTS = 'Float32Products';

/** Of a sum that no thread shares with another, on any processor that was tried. */
const MOST_ROWS = 1024;
/** Elements of a result that is added up for next to nothing: weights of networks 128 channels wide. */
const SMALL = 2 ** 16;

/**
 * The gradient of a weight is a sum over all tokens. oneDNN divides long sums of bfloat16 among its threads, so that last digits
 * depend on their number: a small one is added up in float32, from sums over fewer tokens. Of large ones the parts would cost
 * a third of the product.
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
    const products = fresh({ ...result, shape: [parts, ...result.shape] });
    return [
      ...divided.flat(),
      {
        op: 'BatchMatMulV2',
        inputs: divided.map(([, { outputs }]) => outputs[0]!),
        outputs: [products],
        attributes: { T: T!, adj_x: { kind: 'bool', value: true }, adj_y: { kind: 'bool', value: false } },
      },
      ...sumAlong(products, 0, output!, fresh),
    ];
  });
  return { ...trace, operations, types };
}

/** The least number of equal parts of at most `MOST_ROWS`; 1 for rows that have no divisor of use. */
function partsOf(rows: number): number {
  for (let parts = Math.ceil(rows / MOST_ROWS); parts <= (8 * rows) / MOST_ROWS; parts++) if (rows % parts === 0) return parts;
  return 1;
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'BatchMatMulV2']);

/** They move elements: rounding before them is rounding after them, of half the bytes. */
const MOVES: ReadonlySet<string> = new Set(['Reshape', 'SplitV', 'Transpose']);

/**
 * Mixed precision: products of float32 are computed from operands rounded to bfloat16, but for those whose results are compared
 * (`float32Products`); everything between them stays float32. The runtime computes a bias, and an exact GELU after it, in one pass with
 * the product: so where nothing but products reads what they give, it is rounded after them, once. Where it is read as it is, the bias is
 * added in float32: rounding the sum would cost digits of the product.
 * A product of a product reads it as it is.
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
