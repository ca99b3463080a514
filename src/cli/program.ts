/** All commands of `ablate`. Each is a file of its own. */
import { Command } from '@commander-js/extra-typings';
import manifest from '../../package.json' with { type: 'json' };
import { note, print } from './terminal/output.ts';
import { columns } from './terminal/text.ts';

const EXIT_CODES = `
Exit codes: 0 all done; 1 something failed, is left, is missing or differs; 2 bad use; 128 + n asked to leave by signal n (130: Ctrl-C), or
141: its reader left before the end.`;

const helpWidth = (): number => (process.stdout.isTTY ? columns() : 80);

type Register = (program: Command) => void;

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, () => Promise<Register>> = new Map([
  ['init', async () => (await import('./commands/init.ts')).registerInit],
  ['plan', async () => (await import('./commands/plan.ts')).registerPlan],
  ['sweep', async () => (await import('./commands/sweep.ts')).registerSweep],
  ['worker', async () => (await import('./commands/worker.ts')).registerWorker],
  ['status', async () => (await import('./commands/status.ts')).registerStatus],
  ['explain', async () => (await import('./commands/explain.ts')).registerExplain],
  ['logs', async () => (await import('./commands/logs.ts')).registerLogs],
  ['query', async () => (await import('./commands/query.ts')).registerQuery],
  ['diff', async () => (await import('./commands/diff.ts')).registerDiff],
  ['report', async () => (await import('./commands/report.ts')).registerReport],
  ['adopt', async () => (await import('./commands/adopt.ts')).registerAdopt],
  ['export', async () => (await import('./commands/export.ts')).registerExport],
  ['clean', async () => (await import('./commands/clean.ts')).registerClean],
  ['import', async () => (await import('./commands/import.ts')).registerImport],
  ['setup', async () => (await import('./commands/setup.ts')).registerSetup],
  ['doctor', async () => (await import('./commands/doctor.ts')).registerDoctor],
  ['completion', async () => (await import('./commands/completion.ts')).registerCompletion],
]);

/**
 * The definitions: parsing and help. What a command does begins with its action.
 * @param called the first word of a command line: a command's own name loads that command alone, which begins in two thirds of the time
 */
export async function createProgram(called?: string): Promise<Command> {
  const program = new Command('ablate')
    .description('Ablation experiments of TinyMIM: plan them, run them, and report them beside the published numbers.')
    .version(manifest.version, '--version', 'print the version')
    .showHelpAfterError('(ablate --help shows the commands)')
    .addHelpText('after', EXIT_CODES)
    .configureOutput({ writeOut: print, writeErr: note, getOutHelpWidth: helpWidth, getErrHelpWidth: helpWidth })
    .exitOverride();
  program.option('--debug', 'show the stack of an error (as ABLATE_DEBUG=1 does)');
  const one = COMMANDS.get(called ?? '');
  const registers = await Promise.all((one ? [one] : [...COMMANDS.values()]).map(load => load()));
  for (const register of registers) register(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}
