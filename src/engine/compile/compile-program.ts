/** Functions over one state, compiled together: as functions of TensorFlow, or run op by op. */
import * as tf from '../tf.ts';
import { eagerProgram } from './eager-program.ts';
import { CompileError } from './errors.ts';
import { graphProgram } from './graph-program.ts';
import { modeEnvironment, modeOfProcess, type Mode } from './mode.ts';
import { executedMode } from './native.ts';
import type { Compilable, Program, ProgramOptions } from './program.ts';

/**
 * Records each function once, without executing or uploading anything, and defines it in TensorFlow; or shares what was compiled.
 * @throws CompileError when a function cannot be compiled; `ENGINE` when the process cannot run the mode asked for
 */
export function compileProgram(functions: Readonly<Record<string, Compilable>>, options: ProgramOptions): Program {
  const { mode = 'graph', precision, warn } = options;
  if (executedMode(mode) === 'eager') {
    if (precision !== 'float32') {
      throw new CompileError('UNSUPPORTED', `Expected float32 where ops run one by one, got ${precision}. Compile in the mode 'graph', on native TensorFlow.`);
    }
    if (mode !== 'eager')
      warnOnce(`Expected native TensorFlow for the mode '${mode}', got "${tf.getBackend()}": steps run op by op (mode 'eager'), which is slower and differs in the last digits.`, warn);
    return eagerProgram(functions, options);
  }
  expectProcessOf(mode);
  return graphProgram(functions, { ...options, mode });
}

function expectProcessOf(mode: Mode): void {
  const actual = modeOfProcess(process.env);
  if (actual === mode) return;
  const variables = Object.entries(modeEnvironment('hybrid'))
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ');
  throw new CompileError(
    'ENGINE',
    mode === 'hybrid'
      ? `Expected a process that was started with ${variables} for the mode 'hybrid', got one without.`
      : `Expected a process without XLA's clustering for the mode '${mode}', got TF_XLA_FLAGS="${process.env['TF_XLA_FLAGS'] ?? ''}". Unset it, or compile in the mode 'hybrid'.`,
  );
}

let warned = false;

function warnOnce(
  message: string,
  warn: (message: string) => void = text => {
    process.emitWarning(text);
  },
): void {
  if (!warned) warn(message);
  warned = true;
}
