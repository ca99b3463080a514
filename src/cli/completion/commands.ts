/** The commands and options of the program as data: what completion needs of commander's definitions, and no other list of them. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Argument, CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { keep, readKept } from '../../setup/kept.ts';

export interface CommandWords {
  readonly name: string;
  readonly help: string;
  readonly options: readonly OptionWords[];
  readonly operands: readonly (Placeholder & { readonly variadic: boolean })[];
  /** Those that the help shows. */
  readonly commands: readonly CommandWords[];
}

/** Where a value stands: `<folder>`. */
export interface Placeholder {
  /** What stands in the help in place of the value, which says what kind of value it is. */
  readonly placeholder: string;
  readonly choices?: readonly string[];
}

export interface OptionWords {
  readonly flag: string;
  readonly help: string;
  /** Absent: the option takes no value. */
  readonly value?: Placeholder;
}

/** @internal */
export function commandWords(command: CommandUnknownOpts): CommandWords {
  const help = command.createHelp();
  return {
    name: command.name(),
    help: firstLine(command.description()),
    options: help.visibleOptions(command).flatMap(option => (option.long == null ? [] : [optionWords(option, option.long)])),
    operands: command.registeredArguments.map(argument => ({ ...place(argument.name(), argument), variadic: argument.variadic })),
    commands: help.visibleCommands(command).map(commandWords),
  };
}

const optionWords = (option: Option, flag: string): OptionWords => ({
  flag,
  help: firstLine(option.description),
  ...(option.required && { value: place(/<(.+?)(?:\.\.\.)?>/.exec(option.flags)?.[1] ?? '', option) }),
});

const place = (placeholder: string, { argChoices }: Option | Argument): Placeholder => ({ placeholder, ...(argChoices !== undefined && { choices: argChoices }) });

const firstLine = (text: string): string => text.split('\n')[0]!;

/**
 * To define all commands, most of the program is loaded: too slow for every press of Tab. So the words are kept in the cache, for these
 * very sources.
 */
export async function knownCommands(define: () => Promise<CommandUnknownOpts>): Promise<CommandWords> {
  const name = `${stateOfSources()}.json`;
  const known = readKept('completion', name);
  if (known !== undefined) return JSON.parse(known) as CommandWords; // written as a whole
  const words = commandWords(await define());
  keep('completion', name, JSON.stringify(words));
  return words;
}

const SOURCES = fileURLToPath(new URL('..', import.meta.url));

/** Changes with every change of a file in which commands are defined. */
function stateOfSources(): string {
  const state = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .sort()
    .map(name => {
      const { size, mtimeMs } = statSync(join(SOURCES, name));
      return [name, size, mtimeMs];
    });
  return createHash('sha256')
    .update(JSON.stringify([SOURCES, state]))
    .digest('hex')
    .slice(0, 16);
}
