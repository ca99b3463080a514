/** What can be compiled: a step as a pure function of tensors, and its record. */
import * as tf from '../tf.ts';
import { disposeReplaced, type Params } from '../weights.ts';
import { CompileError } from './errors.ts';
import { record, valueOf, type Recording } from './record.ts';
import { DTYPE, typeOf, type Trace, type TensorType, type Value } from './trace.ts';

export interface StepResult {
  /** New values of the state. What is not in it, or is the tensor that was given, stays as it is. */
  readonly state: Params;
  /** What is read after each step, e.g. the losses: float32 scalars. */
  readonly outputs: Params;
}

/** A step: pure, from tensors to tensors. It may read frozen tensors that it closes over. */
export type StepFunction = (state: Params, inputs: Params) => StepResult;

/** Tensors that a step may read. */
export interface Leaves {
  /** What the step changes. */
  readonly state: Params;
  /** What it closes over and what never changes, by a name for each: a frozen teacher. */
  readonly frozen: Params;
  readonly inputs: Params;
}

export const stateVariable = (name: string): string => `state/${name}`;
export const frozenVariable = (name: string): string => `frozen/${name}`;

/**
 * Runs a step once and gives its record; the state stays as it was, and what the step computed is disposed of.
 * @throws CompileError when the step cannot be repeated as it ran, or what it returns does not fit
 */
export function traceStep(fn: StepFunction, { state, frozen, inputs }: Leaves): Trace {
  const variables = { ...valuesOf(state, stateVariable), ...valuesOf(frozen, frozenVariable) };
  const given = valuesOf(inputs, name => name);
  const leaves = leavesOf({ ...variables, ...given }, [state, frozen, inputs].flatMap(record => Object.values(record)));
  let recorded: Recording<Pick<Trace, 'outputs' | 'assigned'>> | undefined;
  tf.tidy(() => {
    recorded = record(leaves, () => {
      const { state: next, outputs } = fn(state, inputs);
      const values = { outputs: valuesOf(outputs, name => name), assigned: valuesOf(next, stateVariable) };
      disposeReplaced(outputs, { ...state, ...frozen, ...inputs }); // a step may have kept them beyond its tidies
      return values;
    });
  });
  const { result: { outputs, assigned }, ...recording } = recorded!;
  const trace: Trace = { ...recording, inputs: given, variables, outputs, assigned: changed(assigned, variables), updates: [] };
  checkState(trace);
  checkOutputs(trace);
  return trace;
}

function valuesOf(tensors: Params, rename: (name: string) => string): Record<string, Value> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), valueOf(tensor)]));
}

/** Each leaf must be a tensor of its own: two names for one would become one in the record. */
function leavesOf(values: Readonly<Record<string, Value>>, tensors: readonly tf.Tensor[]): Map<Value, TensorType> {
  const leaves = new Map<Value, TensorType>();
  Object.entries(values).forEach(([name, value], i) => {
    if (leaves.has(value)) throw new CompileError('INPUTS', `Expected each input and variable to be a tensor of its own, got '${name}' that shares its values with another. Upload it again.`);
    leaves.set(value, tensorType(tensors[i]!));
  });
  return leaves;
}

function tensorType({ dtype, shape }: tf.Tensor): TensorType {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw new CompileError('UNSUPPORTED', `Expected tensors of float32, int32 or bool, got ${dtype}.`);
  }
  return { dtype: DTYPE[dtype], shape: [...shape] };
}

function changed(assigned: Readonly<Record<string, Value>>, variables: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(assigned).filter(([name, value]) => variables[name] !== value));
}

/** The new state must fit into the variables of the old one. */
function checkState(trace: Trace): void {
  for (const [name, value] of Object.entries(trace.assigned)) {
    const before = trace.variables[name];
    if (before === undefined) {
      throw new CompileError('STATE', `Expected a new state of the names that the step was given, got '${name}', too.`);
    }
    if (!sameType(typeOf(trace, before), typeOf(trace, value))) {
      throw new CompileError('STATE', `Expected '${name}' to stay ${describe(typeOf(trace, before))}, got ${describe(typeOf(trace, value))}.`);
    }
  }
}

function checkOutputs(trace: Trace): void {
  if (Object.keys(trace.outputs).length === 0) {
    throw new CompileError('OUTPUTS', 'Expected at least one output, got none. A graph runs for what is fetched from it: return a loss.');
  }
  for (const [name, value] of Object.entries(trace.outputs)) {
    const type = typeOf(trace, value);
    if (!sameType(type, { dtype: DTYPE.float32, shape: [] })) {
      throw new CompileError('OUTPUTS', `Expected the output '${name}' to be a float32 scalar, got ${describe(type)}. Reduce it in the step; what is larger belongs into the state.`);
    }
  }
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && tf.util.arraysEqual([...a.shape], [...b.shape]);
}

export function describe({ dtype, shape }: TensorType): string {
  const name = Object.entries(DTYPE).find(([, number]) => number === dtype)?.[0] ?? `type ${dtype}`;
  return `${name} [${shape.join(', ')}]`;
}
