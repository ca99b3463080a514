/** Functions over one state, compiled into one graph. */
import * as tf from '../tf.ts';
import type { Params } from '../weights.ts';
import { emitGraph, type Graph } from './emit.ts';
import { CompileError } from './errors.ts';
import { rewrite, type Precision } from './rewrite.ts';
import { openSession, type Session } from './session.ts';
import { describe, frozenVariable, sameType, stateVariable, traceStep, type Leaves, type StepFunction } from './step.ts';
import { DTYPE, typeOf, type TensorType, type Trace } from './trace.ts';

/** A function, and inputs of the shapes that it will be run with. */
export interface Compilable {
  readonly fn: StepFunction;
  readonly inputs: Params;
}

export interface ProgramOptions extends Omit<Leaves, 'inputs'> {
  readonly precision: Precision;
}

/** Holds its own copy of the state: tensors given to it stay the caller's. */
export interface Program {
  /** Runs a function and returns its outputs. @throws CompileError `INPUTS` when names, types or shapes are others than those it was compiled for */
  run(name: string, inputs: Params): Record<string, number>;
  /** The state as it is now; the caller disposes of the tensors. */
  readState(): Record<string, tf.Tensor>;
  /** Replaces parts of the state. @throws CompileError `STATE` when a name or a shape is not that of the state */
  writeState(state: Params): void;
  dispose(): void;
}

/**
 * Runs each function once to record it (its results are dropped) and loads the graph of all of them.
 * @throws CompileError when a function cannot be compiled
 */
export function compileProgram(functions: Readonly<Record<string, Compilable>>, { state, frozen, precision }: ProgramOptions): Program {
  const traces = Object.fromEntries(Object.entries(functions).map(([name, { fn, inputs }]) =>
    [name, rewrite(traceStep(fn, { state, frozen, inputs }), precision)]));
  const frozenInUse = usedFrozen(frozen, Object.values(traces));
  const initial = { ...renamed(state, stateVariable), ...renamed(frozenInUse, frozenVariable) };
  const types = typesOf(initial);
  const graph = emitGraph(types, traces);
  const session = openSession(graph.nodes);
  write(session, graph, initial);
  const stateNames = Object.keys(state);
  return {
    run: (name, inputs) => {
      const trace = traces[name], signature = graph.functions[name];
      if (trace === undefined || signature === undefined) throw new CompileError('INPUTS', `Expected one of ${Object.keys(traces).join(', ')}, got '${name}'.`);
      checkInputs(trace, inputs);
      const feeds = Object.fromEntries(Object.entries(signature.feeds).map(([input, node]) => [node, inputs[input]!]));
      return readScalars(Object.keys(signature.fetches), session.run(feeds, Object.values(signature.fetches)));
    },
    readState: () => {
      const tensors = session.run({}, stateNames.map(name => graph.read[stateVariable(name)]!));
      return Object.fromEntries(stateNames.map((name, i) => [name, tensors[i]!]));
    },
    writeState: next => {
      const named = renamed(next, stateVariable);
      checkState(types, named);
      write(session, graph, named);
    },
    dispose: () => { session.dispose(); },
  };
}

const renamed = (tensors: Params, rename: (name: string) => string): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));

const typesOf = (tensors: Params): Record<string, TensorType> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorType(tensor)]));

const tensorType = ({ dtype, shape }: tf.Tensor): TensorType => ({ dtype: DTYPE[dtype as keyof typeof DTYPE], shape });

/** A teacher that is tapped early has blocks that no function reads. */
function usedFrozen(frozen: Params, traces: readonly Trace[]): Params {
  const read = new Set(traces.flatMap(({ operations, variables }) => {
    const values = new Set(operations.flatMap(({ inputs }) => inputs));
    return Object.keys(variables).filter(name => values.has(variables[name]!));
  }));
  return Object.fromEntries(Object.entries(frozen).filter(([name]) => read.has(frozenVariable(name))));
}

function write(session: Session, graph: Graph, values: Params): void {
  const places = Object.entries(values).map(([name, tensor]) => ({ ...graph.write[name]!, tensor }));
  if (places.length === 0) return;
  tf.dispose(session.run(Object.fromEntries(places.map(({ feed, tensor }) => [feed, tensor])), places.map(({ fetch }) => fetch)));
}

function readScalars(names: readonly string[], tensors: readonly tf.Tensor[]): Record<string, number> {
  const values = Object.fromEntries(names.map((name, i) => [name, tensors[i]!.dataSync()[0]!]));
  tf.dispose([...tensors]);
  return values;
}

function checkInputs(trace: Trace, inputs: Params): void {
  const names = Object.keys(trace.inputs);
  const unknown = Object.keys(inputs).find(name => !names.includes(name));
  if (unknown !== undefined) throw new CompileError('INPUTS', `Expected the inputs ${names.join(', ')}, got '${unknown}', too.`);
  for (const name of names) {
    const expected = typeOf(trace, trace.inputs[name]!), input = inputs[name];
    if (input === undefined) throw new CompileError('INPUTS', `Expected the inputs ${names.join(', ')}, got no '${name}'.`);
    if (!sameType(expected, tensorType(input))) {
      throw new CompileError('INPUTS', `Expected '${name}' to be ${describe(expected)}, got ${describe(tensorType(input))}. Compile the step for these inputs.`);
    }
  }
}

function checkState(types: Readonly<Record<string, TensorType>>, next: Params): void {
  for (const [name, tensor] of Object.entries(next)) {
    const type = types[name];
    if (type === undefined) throw new CompileError('STATE', `Expected values of the state's own variables, got '${name}', too.`);
    if (!sameType(type, tensorType(tensor))) throw new CompileError('STATE', `Expected '${name}' to stay ${describe(type)}, got ${describe(tensorType(tensor))}.`);
  }
}
