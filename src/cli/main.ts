/** Runs a command line: errors and exit codes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CommanderError } from 'commander';
import { UsageError } from '../core/ablation/errors.ts';
import { readDebug, tellError } from './terminal/faults.ts';
import { isOutputLost, openOutput } from './terminal/output.ts';

/**
 * 0: all done; 1: something failed, is left, is missing or differs, or output was lost; 2: bad use; 128 and the number of a signal: it was
 * asked to leave by it. A command sets its own by `process.exitCode`.
 */
const FAILED = 1;
const BAD_USE = 2;

/** Runs one command line (without `node` and the script) and returns its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  openOutput();
  readDebug(argv);
  process.off('uncaughtException', leaveWithError).on('uncaughtException', leaveWithError);
  const code = await exitCodeOf(argv);
  await nextTurn(); // an error of the last words is known by then
  return code === 0 && isOutputLost() ? FAILED : code;
}

async function exitCodeOf(argv: readonly string[]): Promise<number> {
  try {
    // Asked at every press of Tab, so without the weight of all commands.
    if (argv[0] === 'complete') return await (await import('./completion/answer.ts')).answer(argv.slice(1), async () => (await import('./program.ts')).createProgram());
    const { createProgram } = await import('./program.ts');
    await (await createProgram(argv[0])).parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USE;
    tellError(error);
    return error instanceof UsageError ? BAD_USE : FAILED;
  }
}

/** Of what nobody waits for. Workers notice that their runner is gone, write checkpoints and leave. */
function leaveWithError(error: unknown): never {
  tellError(error);
  process.exit(FAILED);
}
