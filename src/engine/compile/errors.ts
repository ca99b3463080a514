export type CompileErrorCode = 'ENGINE' | 'VALUE_READ' | 'RANDOM_DRAW' | 'CAPTURED_TENSOR' | 'UNKNOWN_OP' | 'UNSUPPORTED' | 'STATE' | 'INPUTS' | 'OUTPUTS' | 'PLACEMENT';

/** A step cannot be compiled, or not be run as it was compiled. The message says what was expected and how to mend it. */
export class CompileError extends Error {
  readonly code: CompileErrorCode;
  constructor(code: CompileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CompileError';
    this.code = code;
  }
}
