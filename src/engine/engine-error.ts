export type EngineErrorCode = 'ENGINE_UNAVAILABLE' | 'ENGINE_DEVICE' | 'ENGINE_OPTIONS';

/** The engine cannot be loaded as asked for. There is no fallback: another engine would give other numbers. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** Trying again in the same process cannot mend it. */
  readonly permanent = true;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineError';
    this.code = code;
  }
}
