/** Small texts that a command leaves for later ones, in the cache: of this user alone, also where several share the cache. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './cache.ts';

/** Bytes of one text; longer ones are not kept. */
const MOST_BYTES = 1024 * 1024;
/** Texts of one kind; the oldest go. */
const MOST_TEXTS = 100;

const folderOf = (kind: string): string => join(cacheDir(), `${kind}-${process.getuid?.() ?? 'user'}`);

/** A text that this user kept; undefined where there is none, or where others could have written it. */
export function readKept(kind: string, name: string): string | undefined {
  try {
    const folder = folderOf(kind);
    const file = join(folder, name);
    return isOurs(folder) && isOurs(file) && statSync(file).size <= MOST_BYTES ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** Neither a link nor of another user, and writable by this one alone. A folder or a regular file: a pipe would wait for ever. */
function isOurs(path: string): boolean {
  const stats = lstatSync(path);
  return (stats.isDirectory() || stats.isFile()) && (process.getuid === undefined || (stats.uid === process.getuid() && (stats.mode & 0o022) === 0));
}

/** Complete or not at all. Where the cache cannot be written nothing is kept, and nothing is lost. */
export function keep(kind: string, name: string, text: string): void {
  if (Buffer.byteLength(text) > MOST_BYTES || readKept(kind, name) === text) return;
  try {
    const folder = folderOf(kind);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOurs(folder)) return;
    const temporary = join(folder, `${name}.${randomBytes(4).toString('hex')}`);
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, join(folder, name));
    removeOldest(folder);
  } catch {
    // The next command that asks is as slow, or knows as little, as this one.
  }
}

function removeOldest(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= MOST_TEXTS) return;
  const byAge = names.map(name => ({ name, time: lstatSync(join(folder, name)).mtimeMs })).sort((a, b) => a.time - b.time);
  for (const { name } of byAge.slice(0, names.length - MOST_TEXTS)) rmSync(join(folder, name), { force: true });
}
