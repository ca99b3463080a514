/**
 * The index of a folder in the cache: which files it has, so that nobody lists a million of them twice. One line of JSON, then the names of
 * all images, where each ends, and their sizes.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import type { FileNames } from './read.ts';
import type { FoundClass } from './scan.ts';
import { toPath } from './scan.ts';
import type { Roles } from './splits.ts';

const count = z.int().min(0);
const problem = z.strictObject({ path: z.string(), why: z.string() });
const split = z.strictObject({
  folder: z.string(),
  /** Images of each class, in the order of `classes`. */
  images: z.array(count),
});

const header = z.strictObject({
  format: z.literal(1),
  folder: z.string(),
  /** As text; sorted by their bytes. */
  classes: z.array(z.string()),
  train: split,
  validation: split.exactOptional(),
  test: split,
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
});

export type IndexHeader = z.infer<typeof header>;
type SplitName = 'train' | 'validation' | 'test';

/** In the order of their files in an index. */
export const SPLITS = ['train', 'validation', 'test'] as const;

export interface FolderIndex extends IndexHeader {
  /** Of all images: those of `train`, then of `validation` and `test`; of each split class after class, sorted. */
  readonly names: FileNames;
}

const TOO_LONG = 2 ** 31;

/**
 * @param found all classes of all splits, in the order of the index
 * @param problems beyond those that the files' first bytes tell, by path below the folder
 */
export function makeIndex(folder: string, roles: Roles, classes: readonly string[], found: readonly FoundClass[], leaveOut: boolean, more: ReadonlyMap<string, string> = new Map()): FolderIndex {
  const problems: z.infer<typeof problem>[] = [],
    paths: Buffer[] = [],
    sizes: number[] = [];
  const hash = createHash('sha256');
  const parts = Object.fromEntries(
    SPLITS.flatMap(role => {
      const name = roles[role];
      if (name === undefined) return [];
      const images = found
        .filter(({ split }) => split === name)
        .map(({ name: className, files }) => {
          const kept = files.filter(file => {
            const path = `${name}/${className}/${file.name}`;
            const why = file.problem ?? more.get(path);
            if (why !== undefined) problems.push({ path: toPath(path).toString('utf8'), why });
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
      return [[role, { folder: name, images }] as const];
    }),
  ) as Pick<IndexHeader, SplitName>;
  const leftOut = leaveOut ? problems : [];
  for (const { path, why } of leftOut) hash.update(`left out\0${path}\0${why}\n`);
  const others = found.flatMap(({ split, name, others: names }) => names.map(other => toPath(`${split}/${name}/${other}`).toString('utf8')));
  const bytes = paths.reduce((sum, path) => sum + path.length, 0);
  if (bytes > TOO_LONG) throw new DataError('DATA_INVALID', `Expected the names of all images to have at most ${TOO_LONG} bytes, got ${bytes}.`);
  const ends: number[] = [];
  paths.reduce((sum, path) => (ends.push(sum + path.length), sum + path.length), 0);
  return {
    format: 1,
    folder,
    classes: [...classes],
    ...parts,
    fingerprint: hash.digest('hex'),
    problems: leaveOut ? [] : problems,
    leftOut,
    others: { count: others.length, some: others.slice(0, 10) },
    folders: found.flatMap(({ folders }) => folders.map(([path, changed]) => [path, changed] as [string, number])),
    contents: null,
    names: { bytes: shared(Uint8Array, Buffer.concat(paths)), ends: shared(Uint32Array, ends), sizes: shared(Float64Array, sizes) },
  };
}

function shared<A extends Uint8Array | Uint32Array | Float64Array>(type: { new (buffer: SharedArrayBuffer): A; BYTES_PER_ELEMENT: number }, values: ArrayLike<number>): A {
  const array = new type(new SharedArrayBuffer(values.length * type.BYTES_PER_ELEMENT));
  array.set(values);
  return array;
}

const NEWLINE = 10;

/** It appears complete or not at all. */
export function writeIndex(path: string, { names, ...rest }: FolderIndex): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  const line = Buffer.from(`${JSON.stringify(rest)}\n`);
  const { bytes, ends, sizes } = names;
  writeFileSync(temporary, Buffer.concat([line, ...[bytes, ends, sizes].map(array => Buffer.from(array.buffer, array.byteOffset, array.byteLength))]));
  renameSync(temporary, path);
}

/** Undefined where there is none, or one that is damaged or of another version: it is made again. */
export function readIndex(path: string): FolderIndex | undefined {
  const found = readHeader(path);
  if (found === undefined) return undefined;
  const { file, head, line } = found;
  const files = SPLITS.flatMap(role => head[role]?.images ?? []).reduce((a, b) => a + b, 0);
  const after = file.byteLength - line;
  const nameBytes = after - files * (Uint32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT);
  if (nameBytes < 0) return undefined;
  const take = <A extends Uint8Array>(array: A, from: number): A => (array.set(file.subarray(from, from + array.length)), array);
  const block = (bytes: number, from: number): SharedArrayBuffer => take(new Uint8Array(new SharedArrayBuffer(bytes)), from).buffer;
  const ends = new Uint32Array(block(4 * files, line + nameBytes)),
    sizes = new Float64Array(block(8 * files, line + nameBytes + 4 * files));
  if ((ends.at(-1) ?? 0) !== nameBytes || ends.some((end, i) => end <= (ends[i - 1] ?? 0))) return undefined;
  return { ...head, names: { bytes: new Uint8Array(block(nameBytes, line)), ends, sizes } };
}

/** The same without names. */
export const readIndexHeader = (path: string): IndexHeader | undefined => readHeader(path)?.head;

function readHeader(path: string): { file: Uint8Array; head: IndexHeader; line: number } | undefined {
  let file: Buffer;
  try {
    const descriptor = openSync(path, 'r');
    try {
      file = Buffer.alloc(fstatSync(descriptor).size);
      readSync(descriptor, file);
    } finally {
      closeSync(descriptor);
    }
    const line = file.indexOf(NEWLINE) + 1;
    return { file, head: header.parse(JSON.parse(file.toString('utf8', 0, line))), line };
  } catch {
    return undefined;
  }
}
