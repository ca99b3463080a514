/** Indexing a folder, for the first time or anew: what an indexing that was stopped found is taken over where no folder has changed. */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import type { PrintLine } from '../files.ts';
import { thousands } from './found.ts';
import { makeIndex, partFolders, writeIndex, type FolderIndex, type Verified } from './index-file.ts';
import { indexPath } from './known.ts';
import { classFolders, scanClass, toPath, toText, type FoundClass } from './scan.ts';
import { findSplits, type Roles } from './splits.ts';
import { verifyClasses } from './verify.ts';

export interface IndexOptions {
  /** Of all that cannot be read, which is an obstacle else. */
  readonly leaveOut?: boolean;
  /** Reads and decodes every file. */
  readonly verify?: boolean;
}

/**
 * Lists a folder, writes its index and says how far it is. What was listed, or read, is kept when it is stopped, so it goes on from there.
 * @param path absolute
 * @throws DataError `DATA_MISSING`, `DATA_INVALID` for a folder that is not of this form, or a cache that takes no index
 */
export async function buildIndex(path: string, dataDir: string, { leaveOut = false, verify = false }: IndexOptions, say: PrintLine): Promise<FolderIndex> {
  const roles = await findSplits(path);
  const { classes, folders } = await sameClasses(path, roles);
  const file = indexPath(path, dataDir);
  const journal = openJournal(`${file}.partial`);
  const found = await findAll(path, roles, classes, journal, say);
  expectImages(path, found);
  const verified = verify ? await readAll(path, found, journal, say) : undefined;
  const index = makeIndex({ folder: path, roles, classes: classes.map(toText), folders, found, leaveOut, verified });
  keeping(file, () => {
    writeIndex(file, index);
  });
  journal.remove();
  return index;
}

/** @throws DataError for a disk that is full, or a cache that may not be written */
function keeping(file: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw new DataError(
      'DATA_INVALID',
      `Expected to be able to write ${file}, got: ${(cause as Error).message}. Free some space there, or name another folder for the cache: export TINYMIM_CACHE=/path/to/folder`,
      { cause },
    );
  }
}

/** @returns also the folders of the parts, as `FoundClass` has those of classes @throws DataError where one has other classes than the first */
async function sameClasses(path: string, roles: Roles): Promise<{ classes: string[] } & Pick<FoundClass, 'folders'>> {
  const [first, ...others] = partFolders(roles).map(([, folder]) => folder);
  const { names: classes, folder } = await classFolders(path, first!);
  const folders = [folder];
  for (const split of others) {
    const { names: own, folder: ofSplit } = await classFolders(path, split);
    folders.push(ofSplit);
    const differing = [...own.filter(name => !classes.includes(name)), ...classes.filter(name => !own.includes(name))];
    if (differing.length === 0) continue;
    throw new DataError(
      'DATA_INVALID',
      `Expected the same classes in ${first!} and ${split} of ${path}, got ${classes.length} and ${own.length}; ${differing.length} stand in one of them alone, such as ${differing.slice(0, 3).map(toText).join(', ')}.`,
    );
  }
  return { classes, folders };
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

async function findAll(path: string, roles: Roles, classes: readonly string[], journal: Journal, say: PrintLine): Promise<JournalClass[]> {
  const splits = partFolders(roles).map(([, folder]) => folder);
  let images = 0,
    done = 0;
  const tell = progress(say, () => `${thousands(images)} images in ${thousands(done)} of ${thousands(splits.length * classes.length)} folders ...`);
  const found: JournalClass[] = [];
  for (const split of splits) {
    for (const name of classes) {
      const known = journal.before.get(`${split}/${name}`);
      const one = known && isUnchanged(known) ? known : await scanClass(path, split, name);
      if (one !== known) journal.add(one);
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
  /** What reading its files told, if that was done. */
  read: z.strictObject({ contents: z.string(), problems: z.array(z.tuple([z.string(), z.string()])) }).exactOptional(),
});
type JournalClass = FoundClass & Pick<z.infer<typeof foundClass>, 'read'>;

/** What an indexing has found so far, line by line: the next one goes on from it. */
interface Journal {
  /** By split and class. */
  readonly before: ReadonlyMap<string, JournalClass>;
  readonly add: (one: JournalClass) => void;
  readonly remove: () => void;
}

function openJournal(path: string): Journal {
  keeping(path, () => mkdirSync(dirname(path), { recursive: true }));
  return {
    before: readJournal(path),
    add: one => {
      const json = JSON.stringify(one);
      keeping(path, () => {
        appendFileSync(path, `${sumOf(json)} ${json}\n`);
      });
    },
    remove: () => {
      rmSync(path, { force: true });
    },
  };
}

/** Digits before the JSON of a line. */
const SUM = 64;
const sumOf = (json: string): string => createHash('sha256').update(json).digest('hex');

/** Its last line may be cut off; what is damaged is found anew. */
function readJournal(path: string): Map<string, JournalClass> {
  const found = new Map<string, JournalClass>();
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return found;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const sum = line.slice(0, SUM),
      json = line.slice(SUM + 1);
    if (json === '' || sumOf(json) !== sum) continue;
    const { success, data: one } = foundClass.safeParse(JSON.parse(json)); // of another version
    if (success) found.set(`${one.split}/${one.name}`, one);
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

async function readAll(path: string, found: readonly JournalClass[], journal: Journal, say: PrintLine): Promise<Verified> {
  const all = found.reduce((sum, { files }) => sum + files.length, 0);
  let done = 0,
    unreadable = 0;
  const tell = progress(say, () => `${thousands(done)} of ${thousands(all)} images read, ${thousands(unreadable)} of them unreadable ...`);
  const read = await verifyClasses(path, found, (one, result) => {
    if (one.read === undefined) journal.add({ ...one, read: result });
    done += one.files.length;
    unreadable += result.problems.length;
    tell(done);
  });
  const contents = createHash('sha256');
  for (const { contents: ofClass } of read) contents.update(`${ofClass}\n`);
  const problems = read.flatMap((result, i) => result.problems.map(([file, why]) => [`${found[i]!.split}/${found[i]!.name}/${file}`, why] as const));
  return { problems: new Map(problems), contents: contents.digest('hex') };
}
