/** What can be compiled: a step as a pure function of tensors, and its record. */
import * as tf from '../tf.ts';
import { disposeReplaced, type Params } from '../formats/weights.ts';
import { checkState, type Types } from './checks.ts';
import { CompileError } from './errors.ts';
import { record, valueOf, type Recording } from './record.ts';
import { typesOfValues, type Trace, type ValueId } from './trace.ts';

interface StepResult {
  /** New values of the state. What is not in it, or is the tensor that was given, stays as it is. */
  readonly state: Params;
  /** What the step gives back, e.g. its losses. */
  readonly outputs: Params;
}

/** A step: pure, from tensors to tensors. */
export type StepFunction = (state: Params, inputs: Params) => StepResult;

/** Types of what a step is given. */
export interface Leaves {
  /** What it may change. */
  readonly state: Types;
  /** What never changes, given to it among its inputs. */
  readonly frozen?: Types | undefined;
  readonly inputs: Types;
}

/** Names of the variables of a trace. */
export const stateVariable = (name: string): string => `state/${name}`;
export const frozenVariable = (name: string): string => `frozen/${name}`;
const input = (name: string): string => name;

/**
 * Runs a step once on tensors that have types alone, and gives its record.
 * @throws CompileError when the step cannot be repeated as it ran, or what it returns does not fit
 */
export function traceStep(fn: StepFunction, { state, frozen = {}, inputs }: Leaves): Trace {
  const variables = { ...renamed(state, stateVariable), ...renamed(frozen, frozenVariable) };
  const recordStep = (): Recording<Record<'outputs' | 'next' | 'before', Record<string, ValueId>>> =>
    record({ ...variables, ...inputs }, tensors => {
      const before = part(tensors, state, stateVariable);
      const { state: next, outputs } = fn(before, { ...part(tensors, frozen, frozenVariable), ...part(tensors, inputs, input) });
      const values = { outputs: valuesOf(outputs), next: renamed(valuesOf(next), stateVariable), before: renamed(valuesOf(before), stateVariable) };
      for (const kept of [outputs, next]) disposeReplaced(kept, { ...tensors, ...before }); // a step may have kept them beyond its tidies
      return values;
    });
  let recorded: ReturnType<typeof recordStep> | undefined;
  tf.tidy(() => {
    recorded = recordStep();
  });
  const {
    result: { outputs, next, before },
    leaves,
    operations,
    types,
  } = recorded!;
  const trace: Trace = { operations, types, inputs: part(leaves, inputs, input), variables: part(leaves, variables, input), outputs, assigned: changed(next, before), updates: [] };
  checkState(variables, typesOfValues(trace, next));
  checkOutputs(trace);
  return trace;
}

/** What stands under the names of `like`. */
const part = <T>(all: Readonly<Record<string, T>>, like: object, rename: (name: string) => string): Record<string, T> => Object.fromEntries(Object.keys(like).map(name => [name, all[rename(name)]!]));

const renamed = <T>(values: Readonly<Record<string, T>>, rename: (name: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]));

const valuesOf = (tensors: Params): Record<string, ValueId> => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, valueOf(tensor)]));

const changed = (next: Readonly<Record<string, ValueId>>, before: Readonly<Record<string, ValueId>>): Record<string, ValueId> =>
  Object.fromEntries(Object.entries(next).filter(([name, value]) => before[name] !== value));

function checkOutputs({ outputs }: Trace): void {
  if (Object.keys(outputs).length === 0) {
    throw new CompileError('OUTPUTS', 'Expected at least one output, got none. A graph runs for what is fetched from it: return a loss.');
  }
}
