/**
 * Ops of TensorFlow that compute from their inputs and attributes alone, as tfjs-node executes them, each with the types of its
 * outputs: a step is recorded without executing anything. Only these may stand in a compiled step. What has a state, draws
 * numbers or talks to the world would be run in another order, or not at all.
 */
import * as tf from '../tf.ts';
import { DTYPE, type Attributes, type DataTypeNumber, type TensorType } from './trace.ts';

/** An op as it is about to be executed. */
export interface Call {
  readonly inputs: readonly TensorType[];
  readonly attributes: Attributes;
  /** How many outputs are expected. */
  readonly outputs: number;
  /** Values of an int32 input that the types depend on, e.g. a shape: the recording knows them if they came from the host. @throws CompileError otherwise */
  readonly integers: (input: number) => readonly number[];
}

type Rule = (call: Call) => TensorType | readonly TensorType[];

/** Types of the outputs of an op, as TensorFlow's shape functions give them; undefined for an op that is not known. */
export function outputTypes(op: string, call: Call): readonly TensorType[] | undefined {
  const types = RULES.get(op)?.(call);
  return types === undefined || Array.isArray(types) ? (types as readonly TensorType[] | undefined) : [types as TensorType];
}

const likeFirst: Rule = ({ inputs: [first] }) => first!;
const broadcast: Rule = ({ inputs: [a, b] }) => ({ dtype: a!.dtype, shape: tf.broadcast_util.assertAndGetBroadcastShape([...a!.shape], [...b!.shape]) });
const comparison: Rule = call => ({ ...(broadcast(call) as TensorType), dtype: DTYPE.bool });

const reduction: Rule = ({ inputs: [x], attributes, integers }) => {
  const axes = new Set(integers(1).map(axis => fromStart(axis, x!.shape.length)));
  const keep = attributes['keep_dims']?.value === true;
  return { dtype: x!.dtype, shape: x!.shape.flatMap((size, axis) => (axes.has(axis) ? (keep ? [1] : []) : [size])) };
};

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  // element by element
  ...['Abs', 'AddN', 'Erf', 'Exp', 'Floor', 'Log', 'LogicalNot', 'Neg', 'OnesLike', 'Relu', 'Round', 'Rsqrt', 'Sigmoid', 'Sign', 'Softmax', 'Sqrt', 'Square', 'Tanh', 'ZerosLike'].map(
    op => [op, likeFirst] as const,
  ),
  ...['Add', 'FloorDiv', 'Maximum', 'Minimum', 'Mul', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub'].map(op => [op, broadcast] as const),
  ...['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'NotEqual'].map(op => [op, comparison] as const),
  ['Cast', ({ inputs: [x], attributes }) => ({ dtype: typeIn(attributes, 'DstT'), shape: x!.shape })],
  ['Select', ({ inputs: [, x] }) => x!],
  // reductions
  ...['Max', 'Mean', 'Min', 'Prod', 'Sum'].map(op => [op, reduction] as const),
  ['ArgMax', ({ inputs: [x], attributes, integers }) => ({ dtype: typeIn(attributes, 'output_type'), shape: x!.shape.toSpliced(fromStart(integers(1)[0]!, x!.shape.length), 1) })],
  // products
  [
    'BatchMatMulV2',
    ({ inputs: [a, b], attributes: { adj_x, adj_y } }) => ({
      dtype: a!.dtype,
      shape: [
        ...tf.broadcast_util.assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2)),
        a!.shape.at(adj_x?.value === true ? -1 : -2)!,
        b!.shape.at(adj_y?.value === true ? -2 : -1)!,
      ],
    }),
  ],
  // shapes and places
  ['Reshape', ({ inputs: [x], integers }) => ({ dtype: x!.dtype, shape: tf.util.inferFromImplicitShape([...integers(1)], sizeOf(x!)) })],
  ['ExpandDims', ({ inputs: [x], integers }) => ({ dtype: x!.dtype, shape: x!.shape.toSpliced(fromStart(integers(1)[0]!, x!.shape.length + 1), 0, 1) })],
  ['Transpose', ({ inputs: [x], integers }) => ({ dtype: x!.dtype, shape: integers(1).map(axis => x!.shape[axis]!) })],
  ['ReverseV2', likeFirst],
  [
    'Slice',
    ({ inputs: [x], integers }) => {
      const begin = integers(1);
      return { dtype: x!.dtype, shape: integers(2).map((size, axis) => (size === -1 ? x!.shape[axis]! - begin[axis]! : size)) };
    },
  ],
  [
    'SplitV',
    ({ inputs: [x], integers }) => {
      const axis = fromStart(integers(2)[0]!, x!.shape.length);
      return integers(1).map(size => ({ dtype: x!.dtype, shape: x!.shape.with(axis, size) }));
    },
  ],
  [
    'ConcatV2',
    ({ inputs, integers }) => {
      const parts = inputs.slice(0, -1),
        [first] = parts,
        axis = fromStart(integers(parts.length)[0]!, first!.shape.length);
      return {
        dtype: first!.dtype,
        shape: first!.shape.with(
          axis,
          parts.reduce((sum, { shape }) => sum + shape[axis]!, 0),
        ),
      };
    },
  ],
  ['Pack', ({ inputs, attributes }) => ({ dtype: inputs[0]!.dtype, shape: inputs[0]!.shape.toSpliced(fromStart(numberIn(attributes, 'axis'), inputs[0]!.shape.length + 1), 0, inputs.length) })],
  [
    'Unpack',
    ({ inputs: [x], attributes, outputs }) => Array.from({ length: outputs }, () => ({ dtype: x!.dtype, shape: x!.shape.toSpliced(fromStart(numberIn(attributes, 'axis'), x!.shape.length), 1) })),
  ],
  [
    'PadV2',
    ({ inputs: [x], integers }) => {
      const paddings = integers(1);
      return { dtype: x!.dtype, shape: x!.shape.map((size, axis) => size + paddings[2 * axis]! + paddings[2 * axis + 1]!) };
    },
  ],
  ['Tile', ({ inputs: [x], integers }) => ({ dtype: x!.dtype, shape: integers(1).map((times, axis) => x!.shape[axis]! * times) })],
  ['Fill', ({ inputs: [, value], integers }) => ({ dtype: value!.dtype, shape: integers(0) })],
  ['OneHot', ({ inputs: [indices, , on], integers }) => ({ dtype: on!.dtype, shape: [...indices!.shape, integers(1)[0]!] })],
  [
    'GatherV2',
    ({ inputs: [x, indices], attributes, integers }) => {
      const batchDims = numberIn(attributes, 'batch_dims');
      return { dtype: x!.dtype, shape: x!.shape.toSpliced(fromStart(integers(2)[0]!, x!.shape.length), 1, ...indices!.shape.slice(batchDims)) };
    },
  ],
  ['UnsortedSegmentSum', ({ inputs: [x, segments], integers }) => ({ dtype: x!.dtype, shape: [integers(2)[0]!, ...x!.shape.slice(segments!.shape.length)] })],
]);

/** Names of all ops that are known. @internal */
export const KNOWN_OPS: readonly string[] = [...RULES.keys()];

const fromStart = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
const sizeOf = ({ shape }: TensorType): number => shape.reduce((a, b) => a * b, 1);
const numberIn = (attributes: Attributes, name: string): number => attributes[name]?.value as number;
const typeIn = (attributes: Attributes, name: string): DataTypeNumber => numberIn(attributes, name);
