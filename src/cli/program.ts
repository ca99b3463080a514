/** All commands of `ablate`. Each is a file of its own. */
import { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { registerClean } from './clean.ts';
import { registerCompletion } from './completion.ts';
import { registerDiff } from './diff.ts';
import { registerDoctor } from './doctor.ts';
import { registerExplain } from './explain.ts';
import { registerInit } from './init.ts';
import { registerLogs } from './logs.ts';
import { registerPlan } from './plan.ts';
import { registerQuery } from './query.ts';
import { registerReport } from './report.ts';
import { registerSetup } from './setup.ts';
import { registerStatus } from './status.ts';
import { registerSweep } from './sweep.ts';

/** The definitions: parsing and help. What a command does begins with its action. */
export function createProgram(): Command {
  const program = new Command('ablate')
    .description('Ablation experiments of TinyMIM: plan them, run them, and report them beside the published numbers.')
    .version(manifest.version, '--version', 'print the version')
    .showHelpAfterError('(ablate --help shows the commands)')
    .exitOverride();
  registerInit(program);
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
  registerCompletion(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}
