/**
 * The index of a folder in the cache: which files it has, so that nobody lists a million of them twice. A line with the length and the
 * SHA-256 of the next one, which is JSON; then the names of all images, where each ends, and their sizes, with a sum in the JSON.
 */
import { createHash, type BinaryLike } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import type { FileNames } from './read.ts';
import { toPath, type FoundClass } from './scan.ts';
import type { Roles } from './splits.ts';

const count = z.int().min(0);
const problem = z.strictObject({ path: z.string(), why: z.string() });
const split = z.strictObject({
  folder: z.string(),
  /** Images of each class, in the order of `classes`. */
  images: z.array(count),
});

const header = z.strictObject({
  format: z.literal(2),
  folder: z.string(),
  /** As text; sorted by their bytes. */
  classes: z.array(z.string()),
  train: split.exactOptional(),
  validation: split.exactOptional(),
  test: split.exactOptional(),
  /** Of a folder without splits: its test sets. */
  sets: z.record(z.string(), split).exactOptional(),
  fingerprint: z.string(),
  /** Images that cannot be read, as far as is known. */
  problems: z.array(problem),
  /** Those of them that the index was told to leave out. */
  leftOut: z.array(problem),
  /** Files that nobody takes for images: how many, and some of them. */
  others: z.strictObject({ count, some: z.array(z.string()) }),
  /** All folders, as Latin-1, with when they changed last (ms). */
  folders: z.array(z.tuple([z.string(), z.number()])),
  /** SHA-256 over the contents of all images, if all of them were read. */
  contents: z.string().nullable(),
  /** SHA-256 of names, ends and sizes. */
  filesSha256: z.string(),
});

export type IndexHeader = z.infer<typeof header>;
/** In the order of their files in an index. */
const SPLITS = ['train', 'validation', 'test'] as const;

/** What a folder has, by name, in the order of their files in an index. */
export const partsOf = (head: Pick<IndexHeader, 'train' | 'validation' | 'test' | 'sets'>): (readonly [name: string, part: z.infer<typeof split>])[] => [
  ...SPLITS.flatMap(name => (head[name] ? [[name, head[name]] as const] : [])),
  ...Object.entries(head.sets ?? {}),
];

/** Folders by the names of the parts, in that order. */
export const partFolders = (roles: Roles): (readonly [name: string, folder: string])[] =>
  'sets' in roles ? Object.entries(roles.sets) : SPLITS.flatMap(name => (roles[name] === undefined ? [] : [[name, roles[name]] as const]));

export interface FolderIndex extends IndexHeader {
  /** Of all images: those of `train`, then of `validation` and `test`; of each split class after class, sorted. */
  readonly names: FileNames;
}

const TOO_LONG = 2 ** 31;

/** What reading all images of a folder told. */
export interface Verified {
  /** Beyond what their first and last bytes tell: by path below the folder, as Latin-1. */
  readonly problems: ReadonlyMap<string, string>;
  /** SHA-256 over the contents of all images. */
  readonly contents: string;
}

/** What there is to make an index of. */
export interface Listing {
  readonly folder: string;
  readonly roles: Roles;
  readonly classes: readonly string[];
  /** Of the splits, as `FoundClass` has those of classes. */
  readonly folders: FoundClass['folders'];
  /** All classes of all splits, in the order of the index. */
  readonly found: readonly FoundClass[];
  /** Images that cannot be read. */
  readonly leaveOut: boolean;
  readonly verified?: Verified | undefined;
}

export function makeIndex({ folder, roles, classes, folders, found, leaveOut, verified }: Listing): FolderIndex {
  const problems: z.infer<typeof problem>[] = [],
    paths: Buffer[] = [],
    sizes: number[] = [];
  const hash = createHash('sha256');
  const parts = Object.fromEntries(
    partFolders(roles).map(([role, name]) => {
      const images = found
        .filter(({ split }) => split === name)
        .map(({ name: className, files }) => {
          const kept = files.filter(file => {
            const path = `${name}/${className}/${file.name}`;
            const why = file.problem ?? verified?.problems.get(path);
            if (why !== undefined) {
              problems.push({ path: toPath(path).toString('utf8'), why });
              if (leaveOut) hash.update(`left out\0${role}\0`).update(toPath(`${className}\0${file.name.replaceAll('\\', '/')}\n`));
            }
            return why === undefined || !leaveOut;
          });
          for (const file of kept) {
            hash
              .update(`${role}\0`)
              .update(toPath(`${className}\0${file.name.replaceAll('\\', '/')}`))
              .update(`\0${file.bytes}\n`);
            paths.push(toPath(`${name}/${className}/${file.name}`));
            sizes.push(file.bytes);
          }
          return kept.length;
        });
      return [role, { folder: name, images }];
    }),
  );
  const leftOut = leaveOut ? problems : [];
  const others = found.flatMap(({ split, name, others: names }) => names.map(other => toPath(`${split}/${name}/${other}`).toString('utf8')));
  const names = packNames(paths, sizes);
  return {
    format: 2,
    folder,
    classes: [...classes],
    ...('sets' in roles ? { sets: parts } : parts),
    fingerprint: hash.digest('hex'),
    problems: leaveOut ? [] : problems,
    leftOut,
    others: { count: others.length, some: others.slice(0, 10) },
    folders: [...folders, ...found.flatMap(one => one.folders)].map(([path, changed]) => [path, changed]),
    contents: verified?.contents ?? null,
    filesSha256: sha256(...blocks(names)),
    names,
  };
}

/** Paths one after the other, and where each ends. */
function packNames(paths: readonly Buffer[], sizes: readonly number[]): FileNames {
  let bytes = 0;
  const ends = paths.map(path => (bytes += path.length));
  if (bytes > TOO_LONG) throw new DataError('DATA_INVALID', `Expected the names of all images to have at most ${TOO_LONG} bytes, got ${bytes}.`);
  return { bytes: shared(Uint8Array, Buffer.concat(paths)), ends: shared(Uint32Array, ends), sizes: shared(Float64Array, sizes) };
}

function shared<A extends Uint8Array | Uint32Array | Float64Array>(type: { new (buffer: SharedArrayBuffer): A; BYTES_PER_ELEMENT: number }, values: ArrayLike<number>): A {
  const array = new type(new SharedArrayBuffer(values.length * type.BYTES_PER_ELEMENT));
  array.set(values);
  return array;
}

function sha256(...parts: readonly BinaryLike[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

const blocks = ({ bytes, ends, sizes }: FileNames): Buffer[] => [bytes, ends, sizes].map(array => Buffer.from(array.buffer, array.byteOffset, array.byteLength));

/** It appears complete or not at all. */
export function writeIndex(path: string, { names, ...head }: FolderIndex): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const json = Buffer.from(`${JSON.stringify(head)}\n`);
  try {
    writeFileSync(temporary, Buffer.concat([Buffer.from(`${json.length} ${sha256(json)}\n`), json, ...blocks(names)]));
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Undefined where there is none, or one that is damaged or of another version: it is made again. */
export function readIndex(path: string): FolderIndex | undefined {
  return reading(path, file => {
    const found = readHead(file);
    const { head, end } = found;
    const files = partsOf(head)
      .flatMap(([, { images }]) => images)
      .reduce((a, b) => a + b, 0);
    const bytes = fstatSync(file).size - end;
    const nameBytes = bytes - files * (Uint32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT);
    const block = (length: number, from: number): SharedArrayBuffer => {
      const buffer = new SharedArrayBuffer(length);
      readSync(file, new Uint8Array(buffer), 0, length, from);
      return buffer;
    };
    const names: FileNames = {
      bytes: new Uint8Array(block(nameBytes, end)),
      ends: new Uint32Array(block(4 * files, end + nameBytes)),
      sizes: new Float64Array(block(8 * files, end + nameBytes + 4 * files)),
    };
    return sha256(...blocks(names)) === head.filesSha256 ? { ...head, names } : undefined;
  });
}

/** The same without names. */
export const readIndexHeader = (path: string): IndexHeader | undefined => reading(path, file => readHead(file).head);

/** Whatever is wrong with a file is as if there were none. */
function reading<T>(path: string, read: (file: number) => T): T | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return read(file);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const FIRST_LINE = /^(\d{1,10}) ([0-9a-f]{64})\n/;

/** @throws where it is damaged or of another version */
function readHead(file: number): { head: IndexHeader; end: number } {
  const first = Buffer.alloc(80);
  readSync(file, first, 0, first.length, 0);
  const [line, length, sum] = FIRST_LINE.exec(first.toString('latin1')) as unknown as [string, string, string];
  const json = Buffer.alloc(Math.min(Number(length), fstatSync(file).size));
  readSync(file, json, 0, json.length, line.length);
  if (sha256(json) !== sum) throw new Error('Expected the sum of the header, got another');
  return { head: header.parse(JSON.parse(json.toString('utf8'))), end: line.length + json.length };
}
