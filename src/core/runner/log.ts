import { readEnd } from '../store/read.ts';

const TAIL_BYTES = 16_384;

/** Last lines of a log, read without loading the rest; empty when there is none, or none that can be read: the failure it belongs to is told all the same. */
export function logTail(path: string, lines = 20): string {
  try {
    return readEnd(path, TAIL_BYTES).trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
