import { AblateError } from '../ablation/errors.ts';

export type SetupErrorCode =
  | 'BAD_DEVICE' | 'NO_PLATFORM' | 'OLD_GLIBC' | 'NO_PYTHON' | 'NO_PIP' | 'PIP_FAILED' | 'BAD_WHEEL' | 'UNPACK_FAILED'
  | 'NO_COMPILER' | 'COMPILE_FAILED' | 'NO_SPACE' | 'CACHE_NOT_WRITABLE' | 'ENGINE_DOES_NOT_RUN' | 'NO_PACKAGES';

/** Set-up cannot go on. Says the cause, and the command that mends it; nothing else is tried in its place. */
export class SetupError extends AblateError {
  /** What a person can do, as a command where there is one. */
  readonly mend: string;
  constructor(code: SetupErrorCode, cause: string, mend: string, options?: ErrorOptions) {
    super(code, `${cause}\nTo mend it: ${mend}`, options);
    this.mend = mend;
  }
}

/** The last `n` lines of a program's output that are not empty, indented. */
export function tail(output: string, n = 12): string {
  return output.split('\n').map(line => line.trimEnd()).filter(Boolean).slice(-n).map(line => `    ${line}`).join('\n');
}
