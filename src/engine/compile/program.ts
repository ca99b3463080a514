/** What a program is: functions over one state, compiled together. */
import type * as tf from '../tf.ts';
import type { Params } from '../formats/weights.ts';
import type { Types } from './checks.ts';
import type { Frozen } from './frozen.ts';
import type { Mode } from './mode.ts';
import type { Precision } from './rewrite.ts';
import type { StepFunction } from './step.ts';

/** A function, and the types of the inputs that it will be run with. */
export interface Compilable {
  readonly fn: StepFunction;
  readonly inputs: Types;
  /** Types of frozen weights, which it is given among its inputs. */
  readonly frozen?: Types;
}

export interface ProgramOptions {
  /** What the functions may change, at the start; copied. */
  readonly state: Params;
  /** Default `graph`. An engine that knows no graphs runs every mode as `eager`, and says so once. */
  readonly mode?: Mode;
  /** Of products; parameters and everything else stay float32. `eager` knows float32 only. */
  readonly precision: Precision;
  /**
   * All that decides what the functions compute, beside mode, precision and the shapes of inputs and tensors, as canonical text.
   * With it, programs of one signature share what was compiled: the functions are called for the first of them only.
   */
  readonly signature?: string;
  /** Told what else would go unnoticed; default: a warning of the process. */
  readonly warn?: (message: string) => void;
}

/** Holds its own copy of the state: tensors given to it stay the caller's. */
export interface Program {
  /**
   * Runs a function whose outputs are float32 scalars and reads them back.
   * @throws CompileError `INPUTS` when names, types or shapes are others than those it was compiled for, `OUTPUTS` for other outputs
   */
  run(name: string, inputs: Params): Record<string, number>;
  /**
   * Runs a function and leaves its outputs, of any shape, in the engine; the caller disposes of them.
   * @param frozen the weights that it was compiled to read
   * @throws CompileError `INPUTS` as `run` does
   */
  compute(name: string, inputs: Params, frozen?: Frozen): Record<string, tf.Tensor>;
  /** The state as it is now; the caller disposes of the tensors. */
  readState(): Record<string, tf.Tensor>;
  /** Replaces parts of the state. @throws CompileError `STATE` when a name or a shape is not that of the state */
  writeState(state: Params): void;
  dispose(): void;
}
