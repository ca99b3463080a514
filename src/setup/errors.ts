import os from 'node:os';
import path from 'node:path';
import { AblateError } from '../core/ablation/errors.ts';
import { SETUP } from '../installation.ts';

export type SetupErrorCode =
  | 'BAD_DEVICE'
  | 'NO_PLATFORM'
  | 'OLD_GLIBC'
  | 'NO_PYTHON'
  | 'NO_PIP'
  | 'OLD_PIP'
  | 'PIP_FAILED'
  | 'NO_WHEEL'
  | 'BAD_WHEEL'
  | 'UNPACK_FAILED'
  | 'NO_COMPILER'
  | 'COMPILE_FAILED'
  | 'NO_HOME'
  | 'NO_SPACE'
  | 'CACHE_NOT_WRITABLE'
  | 'NOT_WRITABLE'
  | 'ENGINE_DOES_NOT_RUN'
  | 'GPU_NOT_USED'
  | 'NO_PACKAGES';

/** Set-up cannot go on. Says the cause, and the command that mends it; nothing else is tried in its place. */
export class SetupError extends AblateError {
  declare readonly code: SetupErrorCode;
  /** What is wrong. */
  readonly reason: string;
  /** What a person can do, as a command where there is one. */
  readonly mend: string;
  /** @param around a command that does without what is missing */
  constructor(code: SetupErrorCode, reason: string, mend: string, options?: ErrorOptions & { readonly around?: string }) {
    super(code, `${reason}\nTo mend it: ${mend}${options?.around === undefined ? '' : `\nOr without it: ${options.around}`}`, options);
    this.reason = reason;
    this.mend = mend;
  }
}

/** The last `n` lines of a program's output that are not empty, indented. */
export function tail(output: string, n = 12): string {
  return output
    .split('\n')
    .map(line => line.trimEnd())
    .filter(Boolean)
    .slice(-n)
    .map(line => `    ${line}`)
    .join('\n');
}

const FULL = ['ENOSPC', 'EDQUOT'],
  BARRED = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'ENOENT'];

/** What a file system refused, as an error of set-up; any other error as it is. */
export function fileError(error: unknown): unknown {
  const { code = '', message, path: file } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || file === undefined) return error;
  if (FULL.includes(code)) return new SetupError('NO_SPACE', `No space is left to write ${file}: ${message}.`, `free some space there, then run \`${SETUP}\` again`, { cause: error });
  if (!BARRED.includes(code)) return error;
  const temporary = !path.relative(os.tmpdir(), file).startsWith('..');
  return new SetupError(
    'NOT_WRITABLE',
    `Expected to be able to write ${file}, got: ${message}.`,
    temporary ? 'name a folder for temporary files: export TMPDIR=/path/to/folder' : 'run set-up as the owner of that folder, or in a copy of it that you may write to',
    { cause: error },
  );
}
