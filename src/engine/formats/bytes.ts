/** Bytes that are read piece by piece, so that a file of weights is never in memory as a whole beside its tensors. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

export interface ByteSource {
  /** For messages: the path of a file. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** A copy of its own, from the start of a buffer. @throws Error when fewer bytes are there */
  readonly read: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
}

export const bytesInMemory = (bytes: Uint8Array, name: string): ByteSource => ({
  name,
  size: bytes.byteLength,
  read: (offset, length) => Uint8Array.from(bytes.subarray(offset, offset + length)),
});

/** Opens a file for the time of `use`. @throws Error for what is no file, as for one that cannot be read */
export function withFile<T>(path: string, use: (source: ByteSource) => T): T {
  // A pipe would be waited for before it could be looked at.
  if (!statSync(path).isFile()) throw new Error(`${path}: Expected a file, got something else.`);
  const file = openSync(path, 'r');
  try {
    return use({ name: path, size: fstatSync(file).size, read: (offset, length) => readFully(file, path, offset, length) });
  } finally {
    closeSync(file);
  }
}

/** What one call reads at most: the system's own limit is 2 GiB. */
const PIECE = 2 ** 28;

function readFully(file: number, path: string, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const read = readSync(file, bytes, done, Math.min(PIECE, length - done), offset + done);
    if (read === 0) throw new Error(`${path}: Expected ${length} bytes at ${offset}, got ${done}: the file became shorter while it was read.`);
    done += read;
  }
  return bytes;
}
