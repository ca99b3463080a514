export type SafetensorsErrorCode =
  | 'TRUNCATED'
  | 'HEADER_TOO_LARGE'
  | 'NOT_UTF8'
  | 'INVALID_JSON'
  | 'DUPLICATE_KEY'
  | 'INVALID_METADATA'
  | 'INVALID_NAME'
  | 'INVALID_ENTRY'
  | 'UNKNOWN_DTYPE'
  | 'DTYPE_MISMATCH'
  | 'INVALID_SHAPE'
  | 'INVALID_OFFSETS'
  | 'SIZE_MISMATCH'
  | 'OVERLAP'
  | 'HOLE'
  | 'TRAILING_DATA';

/** A file that breaks the safetensors format, or tensors that it cannot hold, or of another element type than is asked for. */
export class SafetensorsError extends Error {
  readonly code: SafetensorsErrorCode;
  constructor(code: SafetensorsErrorCode, message: string) {
    super(message);
    this.name = 'SafetensorsError';
    this.code = code;
  }
}

export function fail(code: SafetensorsErrorCode, source: string, expected: string, got: string): never {
  throw new SafetensorsError(code, `${source}: Expected ${shortened(expected)}, got ${shortened(got)}.`);
}

/** Parts of a damaged header can be as long as the header. */
const SHOWN = 200;
const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`);
