/**
 * Reading and writing what lies below a folder that somebody else may have filled: a store that was copied, reports that came with a pull
 * request. No link inside it is followed (the folder itself may be reached through one), and only regular files of a sensible size are read.
 * Looked at first and used after: who changes the folder meanwhile is not kept out (`.github/SECURITY.md`).
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { UsageError } from '../ablation/errors.ts';

/** Something below a root is not what it must be. `code`: `LINK`, `OUTSIDE`, `NOT_A_FILE`, `NOT_A_FOLDER`, `TOO_LARGE`. */
export class UnsafePathError extends UsageError {}

/** Bytes of the largest text that is read whole, unless a caller knows better: what a JavaScript string holds is not much more. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * The path of something below a root, whether it is there or not.
 * @param parts relative to the root
 * @throws UnsafePathError where a link is on the way, or where they lead out of the root
 */
export function beneath(root: string, ...parts: readonly string[]): string {
  entryBeneath(root, ...parts);
  return join(root, ...parts);
}

/** What stands there, without following a link; undefined when nothing does. @throws UnsafePathError as `beneath` */
export function entryBeneath(root: string, ...parts: readonly string[]): Stats | undefined {
  const relative = normalize(join(...parts));
  if (isAbsolute(relative) || relative === '..' || relative.startsWith(`..${sep}`)) throw new UnsafePathError('OUTSIDE', `Expected a path within ${root}, got ${relative}`);
  let path = root;
  let stats: Stats | undefined;
  for (const name of relative.split(sep)) {
    path = join(path, name);
    stats = lstatIfThere(path);
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) throw new UnsafePathError('LINK', `${path}: expected a file or folder of its own, got a symbolic link; links within ${root} are not followed. Remove it.`);
  }
  return stats;
}

/** What stands at a path, be it a link; undefined when nothing does. */
export function lstatIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The text of a file; undefined when it is not there. @throws UnsafePathError as `beneath`, and for what is no regular file or larger than `most` bytes */
export const readTextBeneath = (root: string, path: string, most?: number): string | undefined => readBytesBeneath(root, path, most)?.toString('utf8');

/** The same as bytes. */
export function readBytesBeneath(root: string, path: string, most = MOST_BYTES): Buffer | undefined {
  const stats = entryBeneath(root, path);
  if (stats === undefined) return undefined;
  requireFile(stats, join(root, path), most);
  return readFileSync(join(root, path));
}

/** @throws UnsafePathError when a path is no regular file (a pipe would wait for ever) or holds more than `most` bytes */
export function requireFile(stats: Stats, path: string, most = MOST_BYTES): void {
  if (!stats.isFile()) throw new UnsafePathError('NOT_A_FILE', `${path}: expected a file, got ${kindText(stats)}`);
  if (stats.size > most) throw new UnsafePathError('TOO_LARGE', `${path}: expected at most ${most} bytes, got ${stats.size}`);
}

function kindText(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isFile()) return 'a file';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** Names in a folder, in no order; none when it is not there. @throws UnsafePathError as `beneath`, and when it is no folder */
export function listBeneath(root: string, path: string): string[] {
  const stats = entryBeneath(root, path);
  if (stats === undefined) return [];
  if (!stats.isDirectory()) throw new UnsafePathError('NOT_A_FOLDER', `${join(root, path)}: expected a folder, got ${kindText(stats)}`);
  return readdirSync(join(root, path));
}

/** Writes a file, whole or not at all, and makes the folders it needs. @throws UnsafePathError as `beneath`, and when something else than a file has its name */
export function writeBeneath(root: string, path: string, content: string | Uint8Array): void {
  const stats = entryBeneath(root, path);
  if (stats !== undefined) requireFile(stats, join(root, path), Infinity);
  const target = join(root, path);
  requireFolders(root, dirname(path));
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  mkdirSync(dirname(target), { recursive: true });
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A file in the place of a folder would bar what is to be made in it. */
function requireFolders(root: string, path: string): void {
  const stats = entryBeneath(root, path);
  if (stats !== undefined && !stats.isDirectory()) throw new UnsafePathError('NOT_A_FOLDER', `${join(root, path)}: expected a folder, got ${kindText(stats)}`);
  if (stats === undefined && dirname(path) !== path) requireFolders(root, dirname(path));
}

/** Removes a file. @throws UnsafePathError as `beneath`, and when it is no file */
export function removeBeneath(root: string, path: string): void {
  const stats = entryBeneath(root, path);
  if (stats === undefined) return;
  requireFile(stats, join(root, path), Infinity);
  rmSync(join(root, path));
}
