export type ModelErrorCode = 'CONFIG' | 'PARAMETER_MISSING' | 'PARAMETER_SHAPE' | 'PARAMETER_VALUE' | 'FEATURE' | 'INPUT';

/** A model cannot be built or run as described. The message says what was expected and how to mend it. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;
  /** Trying again cannot mend it. */
  readonly permanent = true;
  constructor(code: ModelErrorCode, message: string) {
    super(message);
    this.name = 'ModelError';
    this.code = code;
  }
}
