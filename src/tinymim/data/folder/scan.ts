/**
 * What a folder of class folders holds, as torchvision's `ImageFolder` finds it: classes in the order of their names, below each all files
 * with the suffix of an image, in nested folders and behind links, too. Source: pytorch/vision, torchvision/datasets/folder.py, `make_dataset`.
 * Hidden files and folders are left out, which torchvision takes for images and classes.
 */
import { constants, type Dirent } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { sep } from 'node:path';
import { decodeImage, HEAD, isWhole, notAnImage, sizeProblem } from '../decode/decode.ts';
import { DecodeError } from '../decode/errors.ts';
import { DataError } from '../errors.ts';
import { hasFiles, readable } from './splits.ts';

interface FoundFile {
  /** Below the folder of its class, as Latin-1: each character is a byte of the name. */
  readonly name: string;
  readonly bytes: number;
  /** Why it is no image that can be read, as far as its first and last bytes tell. */
  readonly problem?: string;
}

/** What was found below one folder of a class. */
export interface FoundClass {
  /** Folder of the split, and of the class below it, as Latin-1. */
  readonly split: string;
  readonly name: string;
  readonly files: readonly FoundFile[];
  /** Files that nobody takes for an image: without such a suffix, or hidden. */
  readonly others: readonly string[];
  /** All folders of it, with when they changed last (ms): files come and go with that. */
  readonly folders: readonly (readonly [path: string, changed: number])[];
}

const SUFFIX = /\.(?:jpe?g|png|ppm|bmp|pgm|tiff?|webp)$/i;
const isHidden = (name: string): boolean => name.startsWith('.');

/** Files that are looked at at once: a disk of a network answers late, but to many. */
const AT_ONCE = 32;

/** Bytes of a path, from and to text that keeps each of them. */
export const toPath = (latin1: string): Buffer => Buffer.from(latin1, 'latin1');
export const toText = (latin1: string): string => toPath(latin1).toString('utf8');

/**
 * The classes of a split, sorted, and its folder with when it changed last.
 * @throws DataError `DATA_MISSING` where there are none
 */
export async function classFolders(root: string, split: string): Promise<{ names: string[]; folder: FoundClass['folders'][number] }> {
  const path = `${toLatin1(root)}${sep}${split}`;
  const { mtimeMs } = await readable(toText(path), stat(toPath(path)));
  const names = (await entries(path)).filter(({ isFolder, name }) => isFolder && !isHidden(name)).map(({ name }) => name);
  if (names.length === 0) throw new DataError('DATA_MISSING', `Expected a folder for each class in ${toText(path)}, got ${(await hasFiles(path)) ? 'files alone' : 'none'}.`);
  return { names, folder: [path, mtimeMs] };
}

export const toLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Sorted by the bytes of their names; a link counts as what it leads to. */
async function entries(path: string): Promise<Entry[]> {
  const found = await readable(toText(path), readdir(toPath(path), { withFileTypes: true, encoding: 'buffer' }));
  const resolved = await Promise.all(
    found.map(async entry => ({ name: (entry.name as unknown as Buffer).toString('latin1'), isFolder: entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(path, entry))) })),
  );
  return resolved.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

async function leadsToFolder(path: string, entry: Dirent<Buffer>): Promise<boolean> {
  const target = await stat(Buffer.concat([toPath(`${path}${sep}`), entry.name])).catch(() => undefined);
  return target?.isDirectory() === true;
}

/** @throws DataError `DATA_INVALID` for folders that contain themselves by a link */
export async function scanClass(root: string, split: string, name: string): Promise<FoundClass> {
  const top = `${toLatin1(root)}${sep}${split}${sep}${name}`;
  const paths: string[] = [],
    others: string[] = [],
    folders: [string, number][] = [];
  const walk = async (below: string, above: readonly string[]): Promise<void> => {
    const path = `${top}${below}`;
    const real = await readable(toText(path), realpath(toPath(path), 'latin1'));
    if (above.includes(real)) throw new DataError('DATA_INVALID', `Expected ${toText(path)} to hold images, got a link to a folder that it is in. Remove the link.`);
    folders.push([path, (await stat(toPath(path))).mtimeMs]);
    const inside: string[] = [];
    for (const entry of await entries(path)) {
      const inner = `${below}${sep}${entry.name}`;
      if (isHidden(entry.name)) others.push(inner.slice(1));
      else if (entry.isFolder) inside.push(inner);
      else (SUFFIX.test(entry.name) ? paths : others).push(inner.slice(1));
    }
    for (const inner of inside) await walk(inner, [...above, real]);
  };
  await walk('', []);
  const files: FoundFile[] = [];
  for (let i = 0; i < paths.length; i += AT_ONCE) files.push(...(await Promise.all(paths.slice(i, i + AT_ONCE).map(path => lookAt(top, path)))));
  return { split, name, files, others, folders };
}

async function lookAt(top: string, name: string): Promise<FoundFile> {
  try {
    // A pipe would wait for ever for its other end.
    const file = await open(toPath(`${top}${sep}${name}`), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      const bytes = stats.isFile() ? stats.size : 0;
      const problem = stats.isFile() ? await problemOf(file, bytes) : 'it is no file';
      return { name, bytes, ...(problem !== undefined && { problem }) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { name, bytes: 0, problem: unreadable(error as NodeJS.ErrnoException) };
  }
}

/** A photograph of more pixels than an image may have is larger than this: so much of it is read as has its size, behind a camera's notes. */
const LARGE = 2 ** 21,
  LONG_HEAD = 2 ** 17;

/** Of a file whose ends do not tell that it is whole, all is read: to be cut off is the commonest damage, and must not end a training. */
async function problemOf(file: FileHandle, bytes: number): Promise<string | undefined> {
  const take = async (at: number, count = HEAD): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await file.read(new Uint8Array(count), 0, count, at);
    return buffer.subarray(0, bytesRead);
  };
  const head = await take(0, bytes > LARGE ? LONG_HEAD : HEAD);
  const problem = notAnImage(head, bytes) ?? sizeProblem(head);
  if (problem !== undefined || isWhole(head, await take(Math.max(bytes - HEAD, 0)), bytes)) return problem;
  return problemIn(await file.readFile());
}

/** Why the bytes of a file are no image, or undefined. */
export function problemIn(content: Uint8Array): string | undefined {
  try {
    decodeImage(content);
    return undefined;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.message;
  }
}

/** What a system says of a file that it does not give, as a clause about the file. */
export function unreadable({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'it is a link to nothing';
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read by this user';
    default:
      return `it cannot be read (${message})`;
  }
}
