/**
 * Sums of all elements in an order that does not depend on the number of threads. TensorFlow cuts a sum of a large tensor to
 * one number into as many pieces as it has threads, so a loss would differ in its last digit from one number to another.
 * Sums along an axis it does not cut.
 */
import { DTYPE, typeAttribute, typeOf, type Operation, type Trace, type ValueId } from './trace.ts';
import { constant, moreValues, reshape, sumAlong } from './trace-values.ts';

/** TensorFlow takes one thread for fewer elements than some 250,000. */
const LARGE = 2 ** 17;

/**
 * A large sum or mean becomes the sum of the sums of its halves: what one thread computes, bit for bit, where 32 divides the number of
 * elements. Where 2 does not, there are as many parts as the smallest divisor says.
 */
export function sumsInOrder(trace: Trace): Trace {
  const { types, fresh } = moreValues(trace);
  const operations = trace.operations.flatMap((operation): readonly Operation[] => {
    const { op, inputs, outputs } = operation;
    if (op !== 'Sum' && op !== 'Mean') return [operation];
    const { dtype, shape } = typeOf(trace, inputs[0]!);
    const elements = shape.reduce((a, b) => a * b, 1);
    const parts = smallestDivisor(elements);
    if (dtype !== DTYPE.float32 || typeOf(trace, outputs[0]!).shape.length > 0 || elements < LARGE || parts === elements) return [operation];
    const sums = fresh({ dtype, shape: [parts] }),
      total = op === 'Sum' ? outputs[0]! : fresh({ dtype, shape: [] });
    const rows = reshape(inputs[0]!, { dtype, shape: [parts, elements / parts] }, fresh);
    const [result, ...before] = [
      ...rows,
      ...sumAlong(rows[1].outputs[0]!, 1, sums, fresh),
      ...sumAlong(sums, 0, total, fresh),
      ...(op === 'Sum' ? [] : divided(total, fresh({ dtype, shape: [] }), elements, outputs[0]!)),
    ].reverse();
    return [...before.reverse().map(operation => ({ ...operation, prepares: true as const })), result!];
  });
  return { ...trace, operations, types };
}

const divided = (total: ValueId, divisor: ValueId, by: number, quotient: ValueId): readonly Operation[] => [
  constant(divisor, { dtype: DTYPE.float32, shape: [] }, new Uint8Array(Float32Array.of(by).buffer)),
  // A `RealDiv` by a constant Grappler turns into a product with its reciprocal, which rounds twice.
  { op: 'DivNoNan', inputs: [total, divisor], outputs: [quotient], attributes: { T: typeAttribute(DTYPE.float32) } },
];

/** At least 2; of a prime itself. */
function smallestDivisor(n: number): number {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return d;
  return Math.max(2, n);
}
