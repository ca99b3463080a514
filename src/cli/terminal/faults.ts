/** How an error is told: in one line, for a person; with its stack for who asks for it by `--debug` or `ABLATE_DEBUG=1`. */
import { inspect } from 'node:util';
import { AblateError } from '../../core/ablation/errors.ts';
import { oneLine } from '../../core/text/clean.ts';
import { pc } from './colours.ts';
import { note } from './output.ts';

let stacks = false;

/** @param argv a command line without `node` and the script; a word behind `--` is no option */
export function readDebug(argv: readonly string[], { ABLATE_DEBUG = '' }: NodeJS.ProcessEnv = process.env): void {
  const end = argv.indexOf('--');
  stacks = (end < 0 ? argv : argv.slice(0, end)).includes('--debug') || !['', '0'].includes(ABLATE_DEBUG);
}

/** Tells an error on standard error. */
export function tellError(error: unknown): void {
  const text = error instanceof AblateError ? error.message : `${messageOf(error)} (unexpected; --debug shows where)`;
  note(`${pc.red('error')} ${text}\n${stacks ? `${inspect(error)}\n` : ''}`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  return oneLine(error.message) || error.name;
}

const FRAME = /^\s*at .*(?::\d+:\d+\)?|\(native\)|<anonymous>\)?|\(index \d+\))$/;

/** The end of a log as a person reads it: the log itself has the stacks. */
export const withoutFrames = (log: string): string =>
  stacks
    ? log
    : log
        .split('\n')
        .filter(line => !FRAME.test(line))
        .join('\n');
