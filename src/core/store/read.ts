/**
 * Reading what may be absent, torn or damaged, or put there by somebody else: a link is not followed but ends the reading (`UnsafePathError`),
 * and what is no file, or too large for one that this program writes, is damage.
 */
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { z } from 'zod';
import { parseJson } from '../ablation/json.ts';
import { entryBeneath, listBeneath, readBytesBeneath, requireFile, UnsafePathError } from '../disk/beneath.ts';
import { hasCode, StoreError } from './errors.ts';
import { isTemporary } from './names.ts';

/** What stands at a path whose folder has been looked at; undefined when nothing does. @throws UnsafePathError when a link does */
const entryAt = (path: string): Stats | undefined => entryBeneath(dirname(path), basename(path));

/** Undefined when the file is absent. @throws StoreError when it is no file or too large, UnsafePathError when it is a link */
export const readTextIfPresent = (path: string): string | undefined => readBytesIfPresent(path)?.toString('utf8');

/** The same as bytes. @param most as `readTextBeneath` */
export function readBytesIfPresent(path: string, most?: number): Buffer | undefined {
  try {
    return readBytesBeneath(dirname(path), basename(path), most);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw asDamage(error);
  }
}

/** A link is for a person to judge; anything else that is no file is what a damaged disk leaves, too. */
function asDamage(error: unknown): unknown {
  return error instanceof UnsafePathError && error.code !== 'LINK' ? new StoreError('STORE_DAMAGED', error.message, { cause: error }) : error;
}

/** Undefined when the file is absent. @throws StoreError when it is no JSON object */
export function readObject(path: string): Record<string, unknown> | undefined {
  const text = readTextIfPresent(path);
  if (text === undefined) return undefined;
  const value = parseObject(text);
  if (!value) throw new StoreError('STORE_DAMAGED', `${path}: expected a JSON object, got ${text.length === 0 ? 'an empty file' : `'${text.slice(0, 40)}'`}`);
  return value;
}

/** Undefined when the file is absent. @throws StoreError when it does not fit the schema */
export function readParsed<T>(schema: z.ZodType<T>, path: string): T | undefined {
  const value = readObject(path);
  if (value === undefined) return undefined;
  const result = schema.safeParse(value);
  if (!result.success) throw new StoreError('STORE_DAMAGED', `${path}: ${issuesText(result.error)}`);
  return result.data;
}

/** The first few tell enough of what is wrong with a file. */
function issuesText({ issues }: z.ZodError): string {
  return issues
    .slice(0, SHOWN_ISSUES)
    .map(i => `${i.path.join('.')}: ${i.message}`.slice(0, SHOWN_CHARACTERS))
    .join('; ');
}
const SHOWN_ISSUES = 3,
  SHOWN_CHARACTERS = 300;

/**
 * Objects of a JSON-lines file, in order. A last line without newline was torn by a crash and does not count.
 * @throws StoreError naming the line when any other is damaged
 */
export function readLines(path: string): Record<string, unknown>[] {
  const lines = (readTextIfPresent(path) ?? '').split('\n');
  lines.pop(); // text after the last newline: empty, or torn
  return lines.flatMap((line, i) => {
    const value = parseObject(line);
    if (value) return [value];
    throw new StoreError('STORE_DAMAGED', `${path}, line ${i + 1}: expected a JSON object, got '${line.slice(0, 40)}'`);
  });
}

/** As `readLines`, but a line torn in the middle (another writer went on after a crash) is passed over. */
export function readTornLines(path: string): Record<string, unknown>[] {
  return (readTextIfPresent(path) ?? '').split('\n').flatMap(line => {
    const value = parseObject(line);
    return value ? [value] : [];
  });
}

/**
 * The end of a file, read without loading the rest.
 * @param most bytes that are read
 * @param from where they begin at the earliest
 * @throws the system's error, also when the file is absent; StoreError and UnsafePathError as `readTextIfPresent`
 */
export function readEnd(path: string, most: number, from = 0): string {
  requireFileAt(path);
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size - from, most));
    readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

/**
 * When a file was last changed, in milliseconds since 1970 by the clock of the file system; undefined where there is no file. By opening it:
 * then a client of a network file system asks, while otherwise it repeats for up to a minute what it remembers.
 */
export function changeTime(path: string): number | undefined {
  if (entryAt(path)?.isFile() !== true) return undefined;
  try {
    const fd = openSync(path, 'r');
    try {
      return fstatSync(fd).mtimeMs;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined; // gone meanwhile
    throw error;
  }
}

/** As `Files.askAnew`, for who changes nothing: most clients of network file systems ask when a folder is opened. */
export function reopen(folder: string): void {
  try {
    closeSync(openSync(folder, 'r'));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/** Passes when nothing is there. @throws StoreError when something else than a file is, UnsafePathError when a link is */
export function requireFileAt(path: string): void {
  const found = entryAt(path);
  try {
    if (found) requireFile(found, path, Infinity);
  } catch (error) {
    throw asDamage(error);
  }
}

/** Names in a folder, temporaries too, in no order; none where there is no folder. @throws UnsafePathError when it is a link */
export function namesIn(path: string): string[] {
  try {
    return listBeneath(dirname(path), basename(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR') || (error instanceof UnsafePathError && error.code === 'NOT_A_FOLDER')) return [];
    throw error;
  }
}

/** As `namesIn`, sorted and without temporaries. */
export const listFolder = (path: string): string[] =>
  namesIn(path)
    .filter(name => !isTemporary(name))
    .sort();

/** As this program writes a number in a name: `String` gives the name back. */
export const isNumberName = (name: string): boolean => /^(?:0|[1-9]\d{0,14})$/.test(name);

/** Names that are whole numbers (attempts, steps), ascending. */
export function listNumbers(path: string): number[] {
  return listFolder(path)
    .filter(isNumberName)
    .map(Number)
    .sort((a, b) => a - b);
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
