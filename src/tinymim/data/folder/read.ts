/** Images in the files of a folder: their names in one block of memory that threads share, since there may be a million of them. */
import { readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { decodeImage } from '../decode/decode.ts';
import { DecodeError } from '../decode/errors.ts';
import { DataError } from '../errors.ts';
import type { Pixels } from '../resize.ts';

/** Files below a folder. Names are bytes, as some are in no known encoding. */
export interface FileNames {
  /** Paths relative to the folder, one after the other. */
  readonly bytes: Uint8Array;
  /** `[files]`: where each path ends in `bytes`. */
  readonly ends: Uint32Array;
  /** `[files]` bytes of each. */
  readonly sizes: Float64Array;
}

export interface ImageFiles {
  /** An absolute path. */
  readonly folder: string;
  /** What `ablate setup` knows the folder by. */
  readonly name: string;
  readonly names: FileNames;
  /** `[N]`: which of the files each image of a set is. */
  readonly rows: Uint32Array;
}

/** The path of a file, to open it with. */
function pathAt(folder: string, { bytes, ends }: FileNames, row: number): Buffer {
  return Buffer.concat([Buffer.from(`${folder}${sep}`), bytes.subarray(row === 0 ? 0 : ends[row - 1], ends[row])]);
}

/** Of an image of a set, for people. */
export const imagePath = ({ folder, names, rows }: ImageFiles, index: number): string => pathAt(folder, names, rows[index]!).toString();

/** @returns `[H, W, 3]` @throws DataError `DATA_DAMAGED` for what cannot be read, with what to do about it */
export function readImage({ folder, name, names, rows }: ImageFiles, index: number): Pixels {
  const row = rows[index]!,
    path = pathAt(folder, names, row);
  const refuse = (what: string, mend: string, cause?: unknown): never => {
    throw new DataError('DATA_DAMAGED', `${path.toString()}: Expected an image, but ${what}. ${mend}`, { cause });
  };
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (cause) {
    return refuse(`it cannot be read: ${(cause as Error).message}`, `To look at the folder again: npx ablate setup --data ${name}`, cause);
  }
  if (file.length !== names.sizes[row]) {
    return refuse(`it has ${file.length} bytes and had ${names.sizes[row]} when its folder was indexed`, `To index it again: npx ablate setup --data ${name}`);
  }
  try {
    return decodeImage(file);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return refuse(error.message, `To find all such files: npx ablate setup --data ${name} --verify; to leave them out: --leave-out as well`, error);
  }
}
