/** Runs a command line: errors and exit codes. */
import { CommanderError } from 'commander';
import pc from 'picocolors';
import { AblateError, UsageError } from '../core/ablation/errors.ts';

/** 0: all done; 1: some stage failed; 2: bad use. A command sets 1 itself by `process.exitCode`. */
const BAD_USE = 2;

/** Runs one command line (without `node` and the script) and returns its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  process.stdout.once('error', leaveWithReader);
  try {
    // Asked at every press of Tab, so without the weight of all commands.
    if (argv[0] === 'complete') return await (await import('./completion/answer.ts')).answer(argv.slice(1), async () => (await import('./program.ts')).createProgram());
    const { createProgram } = await import('./program.ts');
    await (await createProgram(argv[0])).parseAsync([...argv], { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USE;
    if (error instanceof AblateError) {
      process.stderr.write(`${pc.red('error')} ${error.message}\n`);
      return error instanceof UsageError ? BAD_USE : 1;
    }
    throw error;
  }
}

/** `ablate query ... | head` reads a part and closes the pipe: that is no failure. */
function leaveWithReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}
