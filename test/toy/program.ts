/** The real program on the toy study. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { command as runCommand } from './commands.ts';
import { temporaryFolder } from './sweep.ts';

const ABLATE = fileURLToPath(new URL('../../src/cli/ablate.mjs', import.meta.url));

/** Variables of every call: a cache that nobody else writes to, and no look for GPUs or for what could provide an engine. */
export const toyEnvironment = { TINYMIM_CACHE: temporaryFolder('cache'), TINYMIM_DEVICE: 'cpu', ENGINE: 'native' };

/** As words of a command line. */
export const toyCommand = (declarations: string | undefined, command: string, ...args: readonly string[]): string[] => [
  command,
  ...args,
  ...(declarations === undefined ? [] : ['--experiments', fileURLToPath(new URL(declarations, import.meta.url))]),
];

/** One command line after the other, in a process that stays. @param declarations folder beside this file; undefined for commands that take none */
export const ablate = (declarations: string | undefined, command: string, ...args: readonly string[]) => ablateWith({}, declarations, command, ...args);

/** @param more variables beside those of this process */
export const ablateWith = (more: Readonly<Record<string, string>>, declarations: string | undefined, command: string, ...args: readonly string[]) =>
  runCommand(toyCommand(declarations, command, ...args), { env: { ...toyEnvironment, ...more } });

/** Program and arguments of a command line, for a test that starts it by other means. */
export const ablateLine = (declarations: string | undefined, command: string, ...args: readonly string[]): string[] => [process.execPath, ABLATE, ...toyCommand(declarations, command, ...args)];

/** In a process of its own. @param more variables beside those of this process */
export const startAblate = (more: Readonly<Record<string, string>>, declarations: string | undefined, command: string, ...args: readonly string[]) =>
  execa(process.execPath, [ABLATE, ...toyCommand(declarations, command, ...args)], { reject: false, all: true, env: { ...toyEnvironment, ...more } });
