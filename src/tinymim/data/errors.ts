export type DataErrorCode = 'DATA_MISSING' | 'DATA_DAMAGED' | 'DATA_FETCH' | 'DATA_INVALID' | 'LOADER_THREAD' | 'LOADER_CLOSED';

/** Images that cannot be had, or not as asked for. The message says how to mend it. */
export class DataError extends Error {
  readonly code: DataErrorCode;
  /** Whether trying again cannot mend it: a thread that failed may work the next time. */
  readonly permanent: boolean;
  constructor(code: DataErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DataError';
    this.code = code;
    this.permanent = code.startsWith('DATA_');
  }
}
