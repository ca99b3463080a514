/** The command `ablate`: parsing, help and exit codes. Each command is a file of its own. */
import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { AblateError, UsageError } from '../ablation/errors.ts';
import { registerClean } from './clean.ts';
import { registerDiff } from './diff.ts';
import { registerDoctor } from './doctor.ts';
import { registerExplain } from './explain.ts';
import { registerLogs } from './logs.ts';
import { registerPlan } from './plan.ts';
import { registerQuery } from './query.ts';
import { registerReport } from './report.ts';
import { registerSetup } from './setup.ts';
import { registerStatus } from './status.ts';
import { registerSweep } from './sweep.ts';

/** 0: all done; 1: some stage failed; 2: bad use. A command sets 1 itself by `process.exitCode`. */
const BAD_USE = 2;

function createProgram(): Command {
  const program = new Command('ablate')
    .description('Ablation experiments of TinyMIM: plan them, run them, and report them beside the published numbers.')
    .showHelpAfterError('(ablate --help shows the commands)')
    .exitOverride();
  registerPlan(program);
  registerSweep(program);
  registerStatus(program);
  registerExplain(program);
  registerLogs(program);
  registerQuery(program);
  registerDiff(program);
  registerReport(program);
  registerClean(program);
  registerSetup(program);
  registerDoctor(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Runs one command line (without `node` and the script) and returns its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  process.stdout.once('error', leaveWithReader);
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
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
