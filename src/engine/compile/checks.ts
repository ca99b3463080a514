/** Types of tensors, and what a program says when one does not fit. */
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { isByteTensor } from './bytes.ts';
import { CompileError } from './errors.ts';
import { DTYPE, typeName, type TensorType } from './trace.ts';

export type Types = Readonly<Record<string, TensorType>>;

/** @throws CompileError `UNSUPPORTED` for complex numbers and strings */
export function tensorType(tensor: tf.Tensor): TensorType {
  const { dtype, shape } = tensor;
  if (isByteTensor(tensor)) return { dtype: DTYPE.uint8, shape: [...shape] };
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new CompileError('UNSUPPORTED', `Expected tensors of float32, int32 or bool, got ${dtype}.`);
  }
  return { dtype: DTYPE[dtype], shape: [...shape] };
}

export const typesOf = (tensors: Params): Types => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorType(tensor)]));

function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && tf.util.arraysEqual([...a.shape], [...b.shape]);
}

/** E.g. `float32 [2, 3]`. */
const typeText = ({ dtype, shape }: TensorType): string => `${typeName(dtype)} [${shape.join(', ')}]`;

/** One text for equal names and types, in any order. */
export function typesText(types: Types): string {
  return Object.entries(types)
    .map(([name, type]) => `${name}: ${typeText(type)}`)
    .sort()
    .join('; ');
}

/** @throws CompileError `INPUTS` unless there is an input of each name and type, and no other */
export function checkInputs(expected: Types, inputs: Params): void {
  const names = Object.keys(expected);
  const unknown = Object.keys(inputs).find(name => !(name in expected));
  if (unknown !== undefined) throw new CompileError('INPUTS', `Expected the inputs ${names.join(', ')}, got '${unknown}', too.`);
  for (const [name, type] of Object.entries(expected)) {
    const input = inputs[name];
    if (input === undefined) throw new CompileError('INPUTS', `Expected the inputs ${names.join(', ')}, got no '${name}'.`);
    if (!sameType(type, tensorType(input))) {
      throw new CompileError('INPUTS', `Expected '${name}' to be ${typeText(type)}, got ${typeText(tensorType(input))}. Compile the step for these inputs.`);
    }
  }
}

/** @throws CompileError `STATE` unless each new value fits into a variable of its name */
export function checkState(expected: Types, next: Types): void {
  for (const [name, type] of Object.entries(next)) {
    const before = expected[name];
    if (before === undefined) throw new CompileError('STATE', `Expected a new state of the names that the step was given, got '${name}', too.`);
    if (!sameType(before, type)) throw new CompileError('STATE', `Expected '${name}' to stay ${typeText(before)}, got ${typeText(type)}.`);
  }
}

/** @throws CompileError `OUTPUTS` unless all can be read as numbers */
export function checkScalars(outputs: Types): void {
  for (const [name, type] of Object.entries(outputs)) {
    if (type.dtype !== DTYPE.float32 || type.shape.length > 0) {
      throw new CompileError('OUTPUTS', `Expected the output '${name}' to be a float32 scalar, got ${typeText(type)}. Reduce it in the step, or compute it as a tensor.`);
    }
  }
}
