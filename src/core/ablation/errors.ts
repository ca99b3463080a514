/** Errors with a stable `code`, so that callers and tests can tell them apart without reading messages. */
export class AblateError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Bad input of a person: a declaration, a flag, a selector. Ends the command with exit code 2. */
export class UsageError extends AblateError {}

/** A stage was asked to stop and has written its checkpoint. Neither done nor failed. */
export class Interrupted extends AblateError {
  constructor(message = 'Stopped on request; the next run continues from the last checkpoint.') {
    super('INTERRUPTED', message);
  }
}

/** A stage failed in a way that trying again cannot mend (bad recipe, missing data, non-finite loss). */
export class PermanentError extends AblateError {}

/** Whether trying again cannot mend a failure. Errors of code that knows nothing of these classes say so themselves: `permanent: true`. */
export const isPermanent = (error: unknown): boolean => error instanceof PermanentError || error instanceof UsageError || (error instanceof Error && 'permanent' in error && error.permanent === true);
