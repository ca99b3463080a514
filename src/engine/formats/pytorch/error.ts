export type CheckpointErrorCode = 'TRUNCATED' | 'DAMAGED' | 'NOT_A_CHECKPOINT' | 'UNSUPPORTED' | 'REFUSED' | 'BAD_TENSOR' | 'NO_TENSORS';

/** A PyTorch file that is damaged, holds what is not read here, or asks to run something. */
export class CheckpointError extends Error {
  readonly code: CheckpointErrorCode;
  constructor(code: CheckpointErrorCode, message: string) {
    super(message);
    this.name = 'CheckpointError';
    this.code = code;
  }
}

/** @param source the file, for the message */
export function refuse(code: CheckpointErrorCode, source: string, expected: string, got: string): never {
  throw new CheckpointError(code, `${source}: Expected ${expected}, got ${shortened(got)}.`);
}

/** What stands in a damaged file can be long, and no text. */
const SHOWN = 200;
const shortened = (text: string): string => (text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}...`).replaceAll(/[^\x20-\x7E]/g, '?');
