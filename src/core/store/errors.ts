import { AblateError } from '../ablation/errors.ts';
import { folderBytes } from './size.ts';

/** The store cannot be used as asked. `code`: `STORE_MISSING`, `NOT_A_STORE`, `STORE_NEWER`, `STORE_READ_ONLY`, `STORE_FULL`, `STORE_UNFIT`, `STORE_DAMAGED`, `STORE_CONFLICT`. */
export class StoreError extends AblateError {}

const OTHER_KIND: readonly [string, string] = ['STORE_DAMAGED', 'A file stands where a folder should, or a folder where a file should; move it away and run again.'];

const MENDING: Readonly<Record<string, readonly [code: string, what: string]>> = {
  ENOSPC: ['STORE_FULL', 'The disk is full; free some space (ablate clean shows what no arm needs) and run again.'],
  EDQUOT: ['STORE_FULL', 'The disk quota is used up; free some space and run again.'],
  EACCES: ['STORE_READ_ONLY', 'This user may not write there; mend the permissions or choose another --store.'],
  EPERM: ['STORE_READ_ONLY', 'This user may not write there; mend the permissions or choose another --store.'],
  ENOTDIR: OTHER_KIND,
  EISDIR: OTHER_KIND,
  EEXIST: OTHER_KIND,
  EROFS: ['STORE_READ_ONLY', 'That file system is read-only; choose another --store.'],
};

/**
 * The system's error in words of a person, when it is one they can mend; else the error itself.
 * @param bytes how many were to be written
 * @param atLeast whether there may be more of them, as when a folder was not filled to its end
 */
export function mendable(error: unknown, path: string, bytes?: number, atLeast = false): unknown {
  const known = isSystemError(error) ? MENDING[error.code] : undefined;
  if (!known) return error;
  const what = bytes === undefined ? path : `${atLeast ? 'at least ' : ''}${bytes} bytes to ${path}`;
  return new StoreError(known[0], `Could not write ${what}. ${known[1]}`, { cause: error });
}

/**
 * As `mendable`, for an error of code that wrote into `folder` by itself: only a full or read-only disk, since whatever
 * else such code may not do need not have to do with the folder.
 */
export function noRoom(error: unknown, folder: string): unknown {
  return hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS') ? mendable(error, folder, folderBytes(folder), true) : error;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return isSystemError(error) && codes.includes(error.code);
}

/** What is read, or undefined where the store is damaged: for readers to whom a damaged file says as little as none. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}
