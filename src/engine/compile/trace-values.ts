/** What passes over a trace need of its values: who reads them, new ones, and the ops that make them. */
import { DTYPE, typeAttribute, type Operation, type TensorType, type Trace, type Update, type ValueId } from './trace.ts';

/** How often each value is read, by operations or as a result. */
export function countReads({ operations, assigned, outputs }: Trace): Map<ValueId, number> {
  const reads = new Map<ValueId, number>();
  const read = (value: ValueId): void => {
    reads.set(value, (reads.get(value) ?? 0) + 1);
  };
  for (const { inputs } of operations) inputs.forEach(read);
  for (const value of [...Object.values(assigned), ...Object.values(outputs)]) read(value);
  return reads;
}

/** What an update reads, beside its variables. */
export const valuesOfUpdate = ({ inputs, from }: Update): readonly ValueId[] => [...inputs, ...(from === undefined ? [] : [from])];

/** The types of a trace, to which `fresh` adds values. */
export function moreValues(trace: Trace): { types: Map<ValueId, TensorType>; fresh: (type: TensorType) => ValueId } {
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

export const constant = (value: ValueId, { dtype, shape }: TensorType, bytes: Uint8Array): Operation => ({
  op: 'Const',
  inputs: [],
  outputs: [value],
  attributes: { dtype: typeAttribute(dtype), value: { kind: 'tensor', value: { dtype, shape, bytes } } },
});

const integers = (value: ValueId, numbers: readonly number[]): Operation => constant(value, { dtype: DTYPE.int32, shape: [numbers.length] }, new Uint8Array(Int32Array.from(numbers).buffer));

/** A value in another shape: the constant of the shape, and the `Reshape`. */
export function reshape(value: ValueId, type: TensorType, fresh: (type: TensorType) => ValueId): readonly [Operation, Operation] {
  const shape = fresh({ dtype: DTYPE.int32, shape: [type.shape.length] });
  return [integers(shape, type.shape), { op: 'Reshape', inputs: [value, shape], outputs: [fresh(type)], attributes: { T: typeAttribute(type.dtype), Tshape: typeAttribute(DTYPE.int32) } }];
}

/** A sum along one axis of float32. @returns the constant of the axis, and the `Sum` */
export function sumAlong(value: ValueId, axis: number, sum: ValueId, fresh: (type: TensorType) => ValueId): readonly [Operation, Operation] {
  const axes = fresh({ dtype: DTYPE.int32, shape: [1] });
  return [
    integers(axes, [axis]),
    { op: 'Sum', inputs: [value, axes], outputs: [sum], attributes: { T: typeAttribute(DTYPE.float32), Tidx: typeAttribute(DTYPE.int32), keep_dims: { kind: 'bool', value: false } } },
  ];
}
