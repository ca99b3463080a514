/** A program that is one TensorFlow graph, in a session of its own. */
import { createHash } from 'node:crypto';
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { checkInputs, checkScalars, checkState, typesOf, typesText, type Types } from './checks.ts';
import { readScalars, unknownFunction } from './eager-program.ts';
import { emitGraph, type Graph } from './emit.ts';
import { CompileError } from './errors.ts';
import type { Mode } from './mode.ts';
import { createPool } from './pool.ts';
import type { Compilable, Program, ProgramOptions } from './program.ts';
import { rewrite } from './rewrite.ts';
import { openSession, type Session } from './session.ts';
import { frozenVariable, stateVariable, traceStep } from './step.ts';
import { typesOfValues, type Trace } from './trace.ts';

type GraphOptions = ProgramOptions & { readonly mode: Mode };

/** A loaded graph and what there is to know about it; its variables belong to the program that uses it. */
interface Compiled {
  readonly session: Session;
  readonly graph: Graph;
  /** Types of state and of frozen tensors in use, by the names of their variables. */
  readonly variables: Types;
  readonly functions: Readonly<Record<string, { readonly inputs: Types; readonly outputs: Types }>>;
}

/** Programs that nobody uses. Their variables are freed: what stays is the graph, so that a number is bound enough. */
const idle = createPool<Compiled>({
  most: 32,
  drop: ({ session }) => {
    session.dispose();
  },
});

export function graphProgram(functions: Readonly<Record<string, Compilable>>, options: GraphOptions): Program {
  const { state, frozen } = options;
  const key = keyOf(functions, options);
  const compiled = (key === undefined ? undefined : idle.take(key)) ?? compile(functions, options);
  const { session, graph, variables } = compiled;
  const given = { ...renamed(state, stateVariable), ...renamed(frozen, frozenVariable) };
  write(compiled, Object.fromEntries(Object.keys(variables).map(name => [name, given[name]!])));
  const stateNames = Object.keys(state);
  let open = true;

  const compute = (name: string, inputs: Params): Record<string, tf.Tensor> => {
    const types = compiled.functions[name],
      signature = graph.functions[name];
    if (types === undefined || signature === undefined) throw unknownFunction(name, Object.keys(functions));
    if (!open) throw new CompileError('ENGINE', 'Expected a program in use, got one that was disposed of.');
    checkInputs(types.inputs, inputs);
    const feeds = Object.fromEntries(Object.entries(signature.feeds).map(([input, node]) => [node, inputs[input]!]));
    const outputs = session.run(feeds, Object.values(signature.fetches));
    return Object.fromEntries(Object.keys(signature.fetches).map((output, i) => [output, outputs[i]!]));
  };
  return {
    run: (name, inputs) => {
      checkScalars(compiled.functions[name]?.outputs ?? {});
      return readScalars(compute(name, inputs));
    },
    compute,
    readState: () => {
      const tensors = session.run(
        {},
        stateNames.map(name => graph.read[stateVariable(name)]!),
      );
      return Object.fromEntries(stateNames.map((name, i) => [name, tensors[i]!]));
    },
    writeState: next => {
      const named = renamed(next, stateVariable);
      checkState(variables, typesOf(named));
      write(compiled, named);
    },
    dispose: () => {
      if (!open) return;
      open = false;
      if (key === undefined) session.dispose();
      else {
        if (graph.free !== undefined) tf.dispose(session.run({}, [graph.free]));
        idle.keep(key, compiled);
      }
    },
  };
}

/** Everything that decides the graph; undefined where nobody said what the functions compute. */
function keyOf(functions: Readonly<Record<string, Compilable>>, { signature, mode, precision, state, frozen }: GraphOptions): string | undefined {
  if (signature === undefined) return undefined;
  const inputs = Object.entries(functions)
    .map(([name, { inputs }]) => [name, typesText(typesOf(inputs))])
    .sort();
  const decisive = [signature, mode, precision, inputs, typesText(typesOf(state)), typesText(typesOf(frozen))];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

function compile(functions: Readonly<Record<string, Compilable>>, { state, frozen, precision }: GraphOptions): Compiled {
  const traces = Object.fromEntries(Object.entries(functions).map(([name, { fn, inputs }]) => [name, rewrite(traceStep(fn, { state, frozen, inputs }), precision)]));
  const variables = typesOf({ ...renamed(state, stateVariable), ...renamed(usedFrozen(frozen, Object.values(traces)), frozenVariable) });
  const graph = emitGraph(variables, traces);
  return {
    session: openSession(graph.nodes),
    graph,
    variables,
    functions: Object.fromEntries(Object.entries(traces).map(([name, trace]) => [name, { inputs: typesOfValues(trace, trace.inputs), outputs: typesOfValues(trace, trace.outputs) }])),
  };
}

const renamed = (tensors: Params, rename: (name: string) => string): Record<string, tf.Tensor> => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));

/** A teacher that is tapped early has blocks that no function reads. */
function usedFrozen(frozen: Params, traces: readonly Trace[]): Params {
  const read = new Set(
    traces.flatMap(({ operations, variables }) => {
      const values = new Set(operations.flatMap(({ inputs }) => inputs));
      return Object.keys(variables).filter(name => values.has(variables[name]!));
    }),
  );
  return Object.fromEntries(Object.entries(frozen).filter(([name]) => read.has(frozenVariable(name))));
}

function write({ session, graph }: Compiled, values: Params): void {
  const places = Object.entries(values).map(([name, tensor]) => ({ ...graph.write[name]!, tensor }));
  if (places.length === 0) return;
  tf.dispose(
    session.run(
      Object.fromEntries(places.map(({ feed, tensor }) => [feed, tensor])),
      places.map(({ fetch }) => fetch),
    ),
  );
}
