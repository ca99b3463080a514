/** A step that is compiled for each shape of inputs that it meets, with one state throughout. */
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { typesOf, typesText } from './checks.ts';
import { compileProgram } from './compile-program.ts';
import type { Program, ProgramOptions } from './program.ts';
import type { StepFunction } from './step.ts';

/** `state`: before the first step; its tensors stay the caller's. */
export type StepOptions = Pick<ProgramOptions, 'state' | 'mode' | 'signature' | 'warn'> & Partial<Pick<ProgramOptions, 'precision'>>;

export interface CompiledStep {
  /** Makes a step and returns its outputs. `inputs` stay the caller's; numbers that change from step to step are scalars among them. */
  run(inputs: Params): Record<string, number>;
  /** The same for outputs of any shape, which stay in the engine; the caller disposes of them. */
  compute(inputs: Params): Record<string, tf.Tensor>;
  /** The state as it is now; the caller disposes of the tensors. */
  readState(): Record<string, tf.Tensor>;
  /** Replaces parts of the state; the tensors stay the caller's. */
  writeState(state: Params): void;
  dispose(): void;
}

/**
 * `fn` as a step with a state. It is recorded at its first run with inputs of new shapes; numbers of JavaScript that it reads
 * are part of the graph from then on.
 * @throws CompileError by `run`, when the function cannot be recorded
 */
export function compileStep(fn: StepFunction, { state: initial, precision = 'float32', ...options }: StepOptions): CompiledStep {
  const programs = new Map<string, Program>();
  let current: Program | undefined;
  let state = copies(initial); // until there is a program to hold it
  const keep = (next: Record<string, tf.Tensor>): void => {
    tf.dispose(state);
    state = next;
  };

  /** The state moves to the program that runs next. */
  const programFor = (inputs: Params): Program => {
    const types = typesOf(inputs),
      shapes = typesText(types),
      known = programs.get(shapes);
    if (known !== undefined && known === current) return known;
    if (current) keep(current.readState());
    const program = known ?? compileProgram({ step: { fn, inputs: types } }, { state, precision, ...options });
    if (known) known.writeState(state);
    programs.set(shapes, program);
    keep({});
    current = program;
    return program;
  };
  return {
    run: inputs => programFor(inputs).run('step', inputs),
    compute: inputs => programFor(inputs).compute('step', inputs),
    readState: () => current?.readState() ?? copies(state),
    writeState: values => {
      if (current) current.writeState(values);
      else keep({ ...copies({ ...state, ...values }) });
    },
    dispose: () => {
      keep({});
      for (const program of programs.values()) program.dispose();
    },
  };
}

const copies = (tensors: Params): Record<string, tf.Tensor> => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.clone()]));
