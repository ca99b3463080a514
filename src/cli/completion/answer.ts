/**
 * `ablate complete -- <words>`: what the scripts for the shells ask. Prints the kind of answer, then a line for each word with what it
 * means behind a tab.
 */
import { knownCommands } from './commands.ts';
import { completions } from './words.ts';

/** @returns the exit code */
export async function answer(args: readonly string[]): Promise<number> {
  const program = await knownCommands(async () => (await import('../program.ts')).createProgram());
  const { kind, values } = await completions(program, args[0] === '--' ? args.slice(1) : args);
  process.stdout.write(`${[kind, ...values.map(({ word, help }) => `${word}\t${help}`)].join('\n')}\n`);
  return 0;
}
