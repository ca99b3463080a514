/**
 * Sums of all elements in an order that does not depend on the number of threads. TensorFlow cuts a sum of a large tensor to
 * one number into as many pieces as it has threads, so a loss would differ in its last digit from one number to another.
 * Sums along an axis it does not cut.
 */
import { DTYPE, typeAttribute, typeOf, type Operation, type TensorType, type Trace, type ValueId } from './trace.ts';

/** TensorFlow takes one thread for fewer elements than some 250,000. */
const LARGE = 2 ** 17;

/**
 * A large sum or mean becomes the sum of the sums of its halves: what one thread computes, bit for bit, where 32 divides the number of
 * elements. Where 2 does not, there are as many parts as the smallest divisor says.
 */
export function sumsInOrder(trace: Trace): Trace {
  const types = new Map(trace.types);
  let last = Math.max(0, ...types.keys());
  const fresh = (type: TensorType): ValueId => {
    types.set(++last, type);
    return last;
  };
  const operations = trace.operations.flatMap((operation): readonly Operation[] => {
    const { op, inputs, outputs } = operation;
    if (op !== 'Sum' && op !== 'Mean') return [operation];
    const { dtype, shape } = typeOf(trace, inputs[0]!);
    const elements = shape.reduce((a, b) => a * b, 1);
    const parts = smallestDivisor(elements);
    if (dtype !== DTYPE.float32 || typeOf(trace, outputs[0]!).shape.length > 0 || elements < LARGE || parts === elements) return [operation];
    const sizes = fresh({ dtype: DTYPE.int32, shape: [2] }),
      rows = fresh({ dtype, shape: [parts, elements / parts] }),
      sums = fresh({ dtype, shape: [parts] }),
      [alongRows, alongSums] = [fresh({ dtype: DTYPE.int32, shape: [1] }), fresh({ dtype: DTYPE.int32, shape: [1] })];
    const total = op === 'Sum' ? outputs[0]! : fresh({ dtype, shape: [] });
    const [result, ...before] = [
      constant(sizes, DTYPE.int32, Int32Array.of(parts, elements / parts), [2]),
      { op: 'Reshape', inputs: [inputs[0]!, sizes], outputs: [rows], attributes: { T: typeAttribute(dtype), Tshape: typeAttribute(DTYPE.int32) } },
      constant(alongRows, DTYPE.int32, Int32Array.of(1), [1]),
      sumAlong(rows, alongRows, sums),
      constant(alongSums, DTYPE.int32, Int32Array.of(0), [1]),
      sumAlong(sums, alongSums, total),
      ...(op === 'Sum' ? [] : divided(total, fresh({ dtype, shape: [] }), elements, outputs[0]!)),
    ].reverse();
    return [...before.reverse().map(operation => ({ ...operation, prepares: true as const })), result!];
  });
  return { ...trace, operations, types };
}

const sumAlong = (values: ValueId, axes: ValueId, sums: ValueId): Operation => ({
  op: 'Sum',
  inputs: [values, axes],
  outputs: [sums],
  attributes: { T: typeAttribute(DTYPE.float32), Tidx: typeAttribute(DTYPE.int32), keep_dims: { kind: 'bool', value: false } },
});

const divided = (total: ValueId, divisor: ValueId, by: number, quotient: ValueId): readonly Operation[] => [
  constant(divisor, DTYPE.float32, Float32Array.of(by), []),
  // A `RealDiv` by a constant Grappler turns into a product with its reciprocal, which rounds twice.
  { op: 'DivNoNan', inputs: [total, divisor], outputs: [quotient], attributes: { T: typeAttribute(DTYPE.float32) } },
];

function constant(value: ValueId, dtype: number, data: Int32Array | Float32Array, shape: readonly number[]): Operation {
  const bytes = new Uint8Array(data.buffer);
  return { op: 'Const', inputs: [], outputs: [value], attributes: { dtype: typeAttribute(dtype), value: { kind: 'tensor', value: { dtype, shape, bytes } } } };
}

/** At least 2; of a prime itself. */
function smallestDivisor(n: number): number {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return d;
  return Math.max(2, n);
}
