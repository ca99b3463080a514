/** A program whose functions are functions of TensorFlow, over variables of its own. */
import { createHash } from 'node:crypto';
import { makeAll } from '../make-all.ts';
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { checkInputs, checkScalars, checkState, typesOf, typesText, type Types } from './checks.ts';
import { unknownFunction } from './eager-program.ts';
import { emitFunction, type EmittedFunction } from './emit.ts';
import { CompileError } from './errors.ts';
import type { Frozen } from './frozen.ts';
import { call, define, remove, variable, type DefinedFunction, type Variable } from './functions.ts';
import type { Mode } from './mode.ts';
import type { Compilable, Program, ProgramOptions } from './program.ts';
import { rewrite } from './rewrite.ts';
import { readScalars } from './scalars.ts';
import { createShared } from './shared.ts';
import { frozenVariable, stateVariable, traceStep } from './step.ts';
import { typesOfValues } from './trace.ts';

type GraphOptions = ProgramOptions & { readonly mode: Mode };

/** A function of TensorFlow, and what there is to know about it. It holds no values. */
interface Compiled extends Pick<EmittedFunction, 'inputs' | 'outputs'> {
  /** Variables that it uses; of frozen weights, their own name beside it. */
  readonly variables: readonly (readonly [variable: string, frozen: string | undefined])[];
  readonly defined: DefinedFunction;
  readonly inputTypes: Types;
  readonly outputTypes: Types;
}

type CompiledFunctions = Readonly<Record<string, Compiled>>;

function removeAll(compiled: CompiledFunctions): void {
  for (const { defined } of Object.values(compiled)) remove(defined);
}

const shared = createShared<CompiledFunctions>({ most: 32, drop: removeAll });

export function graphProgram(functions: Readonly<Record<string, Compilable>>, options: GraphOptions): Program {
  const key = keyOf(functions, options);
  const compiled = key === undefined ? compile(functions, options) : shared.take(key, () => compile(functions, options));
  const types = typesOf(options.state);
  const letGo = (): void => {
    if (key === undefined) removeAll(compiled);
    else shared.release(key);
  };
  const variables = variablesFor(options.state, letGo);
  const state = Object.fromEntries(Object.entries(variables).map(([name, held]) => [stateVariable(name), held]));
  let open = true;

  const compute = (name: string, inputs: Params, frozen: Frozen = {}): Record<string, tf.Tensor> => {
    const called = compiled[name];
    if (called === undefined) throw unknownFunction(name, Object.keys(functions));
    if (!open) throw new CompileError('ENGINE', 'Expected a program in use, got one that was disposed of.');
    checkInputs(called.inputTypes, inputs);
    const handles = called.variables.map(([variable, frozenName]) => (frozenName === undefined ? state[variable]! : expectFrozen(frozen, frozenName)));
    const results = call(called.defined, [...called.inputs.map(input => inputs[input]!), ...handles]);
    return Object.fromEntries(called.outputs.map((output, i) => [output, results[i]!]));
  };
  return {
    run: (name, inputs) => {
      checkScalars(compiled[name]?.outputTypes ?? {});
      return readScalars(compute(name, inputs));
    },
    compute,
    readState: () => makeAll(variables, held => held.read()),
    writeState: next => {
      checkState(types, typesOf(next));
      for (const [name, value] of Object.entries(next)) variables[name]!.write(value);
    },
    dispose: () => {
      if (!open) return;
      open = false;
      for (const held of Object.values(variables)) held.dispose();
      letGo();
    },
  };
}

function variablesFor(state: Params, failed: () => void): Record<string, Variable> {
  try {
    return makeAll(state, variable);
  } catch (error) {
    failed();
    throw error;
  }
}

function expectFrozen(frozen: Frozen, name: string): Variable {
  const held = frozen[name];
  if (held === undefined) throw new CompileError('INPUTS', `Expected the frozen weights that the function was compiled for, got no '${name}'.`);
  return held;
}

/** Everything that decides the functions; undefined where nobody said what they compute. */
function keyOf(functions: Readonly<Record<string, Compilable>>, { signature, mode, precision, state }: GraphOptions): string | undefined {
  if (signature === undefined) return undefined;
  const inputs = Object.entries(functions)
    .map(([name, { inputs, frozen = {} }]) => [name, typesText(inputs), typesText(frozen)])
    .sort();
  const decisive = [signature, mode, precision, inputs, typesText(typesOf(state))];
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

function compile(functions: Readonly<Record<string, Compilable>>, { state, precision }: GraphOptions): CompiledFunctions {
  const compiled: Record<string, Compiled> = {};
  try {
    for (const [name, { fn, inputs, frozen }] of Object.entries(functions)) {
      const trace = rewrite(traceStep(fn, { state: typesOf(state), frozen, inputs }), precision);
      const emitted = emitFunction(trace);
      const frozenNames = new Map(Object.keys(frozen ?? {}).map(own => [frozenVariable(own), own]));
      const variables = emitted.variables.map(variable => [variable, frozenNames.get(variable)] as const);
      compiled[name] = { inputs: emitted.inputs, outputs: emitted.outputs, variables, defined: define(emitted), inputTypes: inputs, outputTypes: typesOfValues(trace, trace.outputs) };
    }
    return compiled;
  } catch (error) {
    removeAll(compiled);
    throw error;
  }
}
