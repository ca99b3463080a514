/** Functions over one state, compiled together: as one graph, or run op by op. */
import * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import { eagerProgram } from './eager-program.ts';
import { CompileError } from './errors.ts';
import { graphProgram } from './graph-program.ts';
import { modeEnvironment, modeOfProcess, type Mode } from './mode.ts';
import { isNative } from './native.ts';
import type { Precision } from './rewrite.ts';
import type { Leaves, StepFunction } from './step.ts';

/** A function, and inputs of the shapes that it will be run with. */
export interface Compilable {
  readonly fn: StepFunction;
  readonly inputs: Params;
}

export interface ProgramOptions extends Omit<Leaves, 'inputs'> {
  /** Default `graph`. An engine that knows no graphs runs every mode as `eager`, and says so once. */
  readonly mode?: Mode;
  /** Of products; parameters and everything else stay float32. `eager` knows float32 only. */
  readonly precision: Precision;
  /**
   * All that decides what the functions compute, beside mode, precision and the shapes of inputs and tensors, as canonical text.
   * With it, a program of the same signature that was disposed of is used again: its functions are not even called.
   */
  readonly signature?: string;
  /** Told what else would go unnoticed; default: a warning of the process. */
  readonly warn?: (message: string) => void;
}

/** Holds its own copy of the state: tensors given to it stay the caller's. (Frozen ones must stay while it is in use.) */
export interface Program {
  /**
   * Runs a function whose outputs are float32 scalars and reads them back.
   * @throws CompileError `INPUTS` when names, types or shapes are others than those it was compiled for, `OUTPUTS` for other outputs
   */
  run(name: string, inputs: Params): Record<string, number>;
  /** Runs a function and leaves its outputs, of any shape, in the engine; the caller disposes of them. @throws CompileError `INPUTS` as `run` does */
  compute(name: string, inputs: Params): Record<string, tf.Tensor>;
  /** The state as it is now; the caller disposes of the tensors. */
  readState(): Record<string, tf.Tensor>;
  /** Replaces parts of the state. @throws CompileError `STATE` when a name or a shape is not that of the state */
  writeState(state: Params): void;
  dispose(): void;
}

/**
 * Records each function once, without executing anything, and loads the graph of all of them; or uses an idle program again.
 * @throws CompileError when a function cannot be compiled; `ENGINE` when the process cannot run the mode asked for
 */
export function compileProgram(functions: Readonly<Record<string, Compilable>>, options: ProgramOptions): Program {
  const { mode = 'graph', precision, warn } = options;
  if (executedMode(mode) === 'eager') {
    if (precision !== 'float32') {
      throw new CompileError('UNSUPPORTED', `Expected float32 where ops run one by one, got ${precision}. Compile in the mode 'graph', on native TensorFlow.`);
    }
    if (mode !== 'eager') warnOnce(`Expected native TensorFlow for the mode '${mode}', got "${tf.getBackend()}": steps run op by op (mode 'eager'), which is slower and differs in the last digits.`, warn);
    return eagerProgram(functions, options);
  }
  expectProcessOf(mode);
  return graphProgram(functions, { ...options, mode });
}

/** How steps compiled for a mode run on the engine of this process: one that knows no graphs runs every mode as `eager`. */
export const executedMode = (mode: Mode): Mode => (isNative() ? mode : 'eager');

function expectProcessOf(mode: Mode): void {
  const actual = modeOfProcess(process.env);
  if (actual === mode) return;
  const variables = Object.entries(modeEnvironment('hybrid')).map(([name, value]) => `${name}="${value}"`).join(' ');
  throw new CompileError('ENGINE', mode === 'hybrid'
    ? `Expected a process that was started with ${variables} for the mode 'hybrid', got one without.`
    : `Expected a process without XLA's clustering for the mode '${mode}', got TF_XLA_FLAGS="${process.env['TF_XLA_FLAGS'] ?? ''}". Unset it, or compile in the mode 'hybrid'.`);
}

let warned = false;

function warnOnce(message: string, warn: (message: string) => void = text => { process.emitWarning(text); }): void {
  if (!warned) warn(message);
  warned = true;
}
