/** What can be compiled: a step as a pure function of tensors, and its record. */
import * as tf from '../tf.ts';
import { disposeReplaced, type Params } from '../formats/weights.ts';
import { checkState, tensorType } from './checks.ts';
import { CompileError } from './errors.ts';
import { record, valueOf, type Recording } from './record.ts';
import { typesOfValues, type Trace, type TensorType, type ValueId } from './trace.ts';

interface StepResult {
  /** New values of the state. What is not in it, or is the tensor that was given, stays as it is. */
  readonly state: Params;
  /** What the step gives back, e.g. its losses. */
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
  const leaves = leavesOf(
    { ...variables, ...given },
    [state, frozen, inputs].flatMap(record => Object.values(record)),
  );
  let recorded: Recording<Pick<Trace, 'outputs' | 'assigned'>> | undefined;
  tf.tidy(() => {
    recorded = record(leaves, () => {
      const { state: next, outputs } = fn(state, inputs);
      const values = { outputs: valuesOf(outputs, name => name), assigned: valuesOf(next, stateVariable) };
      disposeReplaced(outputs, { ...state, ...frozen, ...inputs }); // a step may have kept them beyond its tidies
      return values;
    });
  });
  const {
    result: { outputs, assigned },
    ...recording
  } = recorded!;
  const trace: Trace = { ...recording, inputs: given, variables, outputs, assigned: changed(assigned, variables), updates: [] };
  checkState(typesOfValues(trace, trace.variables), typesOfValues(trace, assigned));
  checkOutputs(trace);
  return trace;
}

function valuesOf(tensors: Params, rename: (name: string) => string): Record<string, ValueId> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), valueOf(tensor)]));
}

/** Each leaf must be a tensor of its own: two names for one would become one in the record. */
function leavesOf(values: Readonly<Record<string, ValueId>>, tensors: readonly tf.Tensor[]): Map<ValueId, TensorType> {
  const leaves = new Map<ValueId, TensorType>();
  Object.entries(values).forEach(([name, value], i) => {
    if (leaves.has(value)) throw new CompileError('INPUTS', `Expected each input and variable to be a tensor of its own, got '${name}' that shares its values with another. Upload it again.`);
    leaves.set(value, tensorType(tensors[i]!));
  });
  return leaves;
}

function changed(assigned: Readonly<Record<string, ValueId>>, variables: Readonly<Record<string, ValueId>>): Record<string, ValueId> {
  return Object.fromEntries(Object.entries(assigned).filter(([name, value]) => variables[name] !== value));
}

function checkOutputs({ outputs }: Trace): void {
  if (Object.keys(outputs).length === 0) {
    throw new CompileError('OUTPUTS', 'Expected at least one output, got none. A graph runs for what is fetched from it: return a loss.');
  }
}
