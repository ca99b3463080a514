/** Indexing a folder, for the first time or anew: classes that have not changed are taken from what was found before. */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { decodeImage } from '../decode/decode.ts';
import { DecodeError } from '../decode/errors.ts';
import { DataError } from '../errors.ts';
import type { PrintLine } from '../files.ts';
import { makeIndex, SPLITS, writeIndex, type FolderIndex } from './index-file.ts';
import { indexPath } from './known.ts';
import { classFolders, scanClass, toPath, toText, type FoundClass } from './scan.ts';
import { findSplits, type Roles } from './splits.ts';

export interface IndexOptions {
  /** Of all that cannot be read, which is an obstacle else. */
  readonly leaveOut?: boolean;
  /** Reads and decodes every file. */
  readonly verify?: boolean;
}

/**
 * Lists a folder, writes its index and says how far it is. What was listed is kept when it is stopped, so it goes on from there.
 * @param path absolute
 * @throws DataError `DATA_MISSING`, `DATA_INVALID` for a folder that is not of this form
 */
export async function buildIndex(path: string, dataDir: string, { leaveOut = false, verify = false }: IndexOptions, say: PrintLine): Promise<FolderIndex> {
  const roles = await findSplits(path);
  const classes = await sameClasses(path, roles);
  const file = indexPath(path, dataDir);
  mkdirSync(dirname(file), { recursive: true });
  const journal = `${file}.partial`;
  const found = await findAll(path, roles, classes, journal, say);
  expectImages(path, found);
  const checked = verify ? await readAll(path, found, say) : undefined;
  const index = { ...makeIndex(path, roles, classes.map(toText), found, leaveOut, checked?.problems), contents: checked?.contents ?? null };
  writeIndex(file, index);
  rmSync(journal, { force: true });
  return index;
}

/** @throws DataError where a split has other classes than `train` */
async function sameClasses(path: string, roles: Roles): Promise<string[]> {
  const classes = await classFolders(path, roles.train);
  for (const split of [roles.validation, roles.test]) {
    if (split === undefined) continue;
    const own = await classFolders(path, split);
    const differing = [...own.filter(name => !classes.includes(name)), ...classes.filter(name => !own.includes(name))];
    if (differing.length === 0) continue;
    throw new DataError(
      'DATA_INVALID',
      `Expected the same classes in ${roles.train} and ${split} of ${path}, got ${classes.length} and ${own.length}; ${differing.length} stand in one of them alone, such as ${differing.slice(0, 3).map(toText).join(', ')}.`,
    );
  }
  return classes;
}

const SAY_EVERY_MS = 5000;

/** Says how far something is, now and then. */
function progress(say: PrintLine, text: (done: number) => string): (done: number) => void {
  let last = performance.now();
  return done => {
    if (performance.now() - last < SAY_EVERY_MS) return;
    last = performance.now();
    say(text(done));
  };
}

const thousands = (n: number): string => n.toLocaleString('en-US');

async function findAll(path: string, roles: Roles, classes: readonly string[], journal: string, say: PrintLine): Promise<FoundClass[]> {
  const before = readJournal(journal);
  const splits = SPLITS.flatMap(role => roles[role] ?? []);
  let images = 0,
    done = 0;
  const tell = progress(say, () => `${thousands(images)} images in ${thousands(done)} of ${thousands(splits.length * classes.length)} folders ...`);
  const found: FoundClass[] = [];
  for (const split of splits) {
    for (const name of classes) {
      const known = before.get(`${split}/${name}`);
      const one = known && isUnchanged(known) ? known : await scanClass(path, split, name);
      if (one !== known) appendFileSync(journal, `${JSON.stringify(one)}\n`);
      found.push(one);
      images += one.files.length;
      done++;
      tell(done);
    }
  }
  return found;
}

const foundClass = z.strictObject({
  split: z.string(),
  name: z.string(),
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int().min(0), problem: z.string().exactOptional() })),
  others: z.array(z.string()),
  folders: z.array(z.tuple([z.string(), z.number()])),
});

/** By split and class. The last line may be cut off. */
function readJournal(journal: string): Map<string, FoundClass> {
  const found = new Map<string, FoundClass>();
  if (!statSync(journal, { throwIfNoEntry: false })?.isFile()) return found;
  for (const line of readFileSync(journal, 'utf8').split('\n')) {
    try {
      const one = foundClass.parse(JSON.parse(line));
      found.set(`${one.split}/${one.name}`, one);
    } catch {
      // it was being written
    }
  }
  return found;
}

const isUnchanged = ({ folders }: FoundClass): boolean => folders.every(([path, changed]) => statSync(toPath(path), { throwIfNoEntry: false })?.mtimeMs === changed);

/** As torchvision, which takes an empty folder for a mistake. */
function expectImages(path: string, found: readonly FoundClass[]): void {
  const empty = found.filter(({ files }) => files.length === 0);
  if (empty.length === 0) return;
  const names = empty.slice(0, 3).map(({ split, name }) => `${split}/${toText(name)}`);
  throw new DataError('DATA_INVALID', `Expected images in every folder of a class in ${path}, got none in ${empty.length}, such as ${names.join(', ')}.`);
}

/** @returns what cannot be read, by path, and the SHA-256 of the contents of all */
async function readAll(path: string, found: readonly FoundClass[], say: PrintLine): Promise<{ problems: Map<string, string>; contents: string }> {
  const problems = new Map<string, string>(),
    hash = createHash('sha256');
  const all = found.reduce((sum, { files }) => sum + files.length, 0);
  const tell = progress(say, done => `${thousands(done)} of ${thousands(all)} images read, ${thousands(problems.size)} of them unreadable ...`);
  let done = 0;
  for (const { split, name, files } of found) {
    for (const file of files) {
      tell(++done);
      if (file.problem !== undefined) continue;
      const below = `${split}/${name}/${file.name}`;
      try {
        const content = await readFile(Buffer.concat([Buffer.from(`${path}/`), toPath(below)]));
        hash.update(createHash('sha256').update(content).digest());
        decodeImage(content);
      } catch (error) {
        problems.set(below, error instanceof DecodeError ? error.message : `it cannot be read (${(error as Error).message})`);
      }
    }
  }
  return { problems, contents: hash.digest('hex') };
}
