/**
 * `ablate complete -- <words>`: what the scripts for the shells ask. Prints the kind of answer, then a line for each word with what it
 * means behind a tab.
 */
import type { Command } from '@commander-js/extra-typings';
import { knownCommands } from './commands.ts';
import { completions } from './words.ts';
import { print } from '../terminal/output.ts';

/** @param define all commands, where they are not known from an earlier call. @returns the exit code */
export async function answer(args: readonly string[], define: () => Promise<Command>): Promise<number> {
  const program = await knownCommands(define);
  const { kind, values } = completions(program, args[0] === '--' ? args.slice(1) : args);
  print(`${[kind, ...values.map(({ word, help }) => `${word}\t${help}`)].join('\n')}\n`);
  return 0;
}
