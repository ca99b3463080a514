/** One hash of several files: of their contents, and of where they stand to each other. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** 128 bits in hexadecimal. */
const HASH_LENGTH = 32;

/**
 * @param from folder that their places are relative to
 * @param more JSON that counts beside them
 * @throws the system's error for a file that cannot be read
 */
export function hashOfFiles(files: readonly string[], from: string, more?: unknown): string {
  const parts = files.map(file => [relative(from, file), sha256(contentsOf(file))] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(more === undefined ? parts : [parts, more])).slice(0, HASH_LENGTH);
}

const sha256 = (contents: Buffer | string): string => createHash('sha256').update(contents).digest('hex');

const CARRIAGE_RETURN = 0x0d;

/** Lines end as git gives them to a system; a file with a zero byte is no text. */
function contentsOf(file: string): Buffer {
  const bytes = readFileSync(file);
  if (bytes.includes(0) || !bytes.includes(CARRIAGE_RETURN)) return bytes;
  return Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}
