export type DataErrorCode = 'DATA_MISSING' | 'DATA_DAMAGED' | 'DATA_FETCH' | 'DATA_INVALID' | 'LOADER_THREAD' | 'LOADER_CLOSED';

/** Images that cannot be had, or not as asked for. The message says how to mend it. */
export class DataError extends Error {
  readonly code: DataErrorCode;
  constructor(code: DataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataError';
    this.code = code;
  }
}
