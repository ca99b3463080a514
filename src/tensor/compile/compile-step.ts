/** A step that is recorded once and then run as one TensorFlow graph, or run op by op: the same function either way. */
import * as tf from '../tf.ts';
import { disposeReplaced, type Params } from '../weights.ts';
import { compileProgram, type Program } from './program.ts';
import type { Precision } from './rewrite.ts';
import type { StepFunction } from './step.ts';

/** `eager`: op by op through tfjs, the reference. `graph`: as one TensorFlow graph. */
export type Mode = 'eager' | 'graph';

export interface StepOptions {
  /** State before the first step; its tensors stay the caller's. */
  readonly state: Params;
  /** Tensors that the function closes over and that never change, by a name for each. */
  readonly frozen?: Params;
  readonly mode: Mode;
  /** Of products in `graph` mode; parameters and everything else stay float32. Default `float32`. */
  readonly precision?: Precision;
}

export interface CompiledStep {
  /** Makes a step and returns its outputs. `inputs` stay the caller's; numbers that change from step to step are scalars among them. */
  run(inputs: Params): Record<string, number>;
  /** The state as it is now; the caller disposes of the tensors. */
  readState(): Record<string, tf.Tensor>;
  /** Replaces parts of the state; the tensors stay the caller's. */
  writeState(state: Params): void;
  dispose(): void;
}

/**
 * `fn` as a step with a state. In `graph` mode it is recorded at its first run with inputs of new shapes, which costs one step
 * op by op; numbers of JavaScript that it reads are part of the graph from then on.
 * @throws CompileError by `run`, when the function cannot be recorded
 */
export function compileStep(fn: StepFunction, options: StepOptions): CompiledStep {
  return options.mode === 'eager' ? eagerStep(fn, options.state) : graphStep(fn, options);
}

function eagerStep(fn: StepFunction, initial: Params): CompiledStep {
  let state = copies(initial);
  const replace = (next: Params): void => {
    disposeReplaced(state, next);
    state = { ...next };
  };
  return {
    run: inputs => {
      const { next, outputs } = tf.tidy(() => {
        const { state: changed, outputs } = fn(state, inputs);
        return { next: { ...state, ...changed }, outputs: { ...outputs } };
      });
      replace(next);
      const values = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, value.dataSync()[0]!]));
      disposeReplaced(outputs, { ...state, ...inputs });
      return values;
    },
    readState: () => copies(state),
    writeState: values => { replace({ ...state, ...copies(values) }); },
    dispose: () => { tf.dispose(state); },
  };
}

function graphStep(fn: StepFunction, { state: initial, frozen = {}, precision = 'float32' }: StepOptions): CompiledStep {
  const programs = new Map<string, Program>();
  let current: Program | undefined;
  let state = copies(initial); // until there is a program to hold it
  const keep = (next: Record<string, tf.Tensor>): void => {
    tf.dispose(state);
    state = next;
  };

  /** The state moves to the program that runs next. */
  const programFor = (inputs: Params): Program => {
    const known = programs.get(signatureOf(inputs));
    if (known !== undefined && known === current) return known;
    if (current) keep(current.readState());
    const program = known ?? compileProgram({ step: { fn, inputs } }, { state, frozen, precision });
    if (known) known.writeState(state);
    programs.set(signatureOf(inputs), program);
    keep({});
    current = program;
    return program;
  };
  return {
    run: inputs => programFor(inputs).run('step', inputs),
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

const copies = (tensors: Params): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensor.clone()]));

/** What a graph is compiled for. */
function signatureOf(inputs: Params): string {
  return Object.entries(inputs).map(([name, { dtype, shape }]) => `${name}: ${dtype} [${shape.join(', ')}]`).sort().join('; ');
}
