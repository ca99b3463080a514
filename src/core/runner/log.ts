import { readEnd } from '../store/read.ts';
import { harmless } from '../text/clean.ts';

const TAIL_BYTES = 16_384;

/** Last lines of a log, for a terminal, read without loading the rest; empty when there is none, or none that can be read: the failure it belongs to is told all the same. */
export function logTail(path: string, lines = 20): string {
  try {
    return harmless(readEnd(path, TAIL_BYTES)).trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
