/** What a store needs of its disk, tried before anything is computed for it. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, StoreError } from './errors.ts';
import { temporaryIn } from './names.ts';

interface Need {
  /** After "it cannot". */
  readonly what: string;
  /** @param dir an empty folder @returns false, or throws, where the disk cannot */
  readonly works: (dir: string) => boolean;
}

/** How attempts, checkpoints and commits appear at once and only one of each name, how files are replaced, lines added, and leases kept. */
const NEEDS: readonly Need[] = [
  { what: 'give a folder another name', works: dir => movesFolder(dir) },
  { what: 'refuse the name of a folder to a second one', works: dir => movesFolder(dir) && refusesSecond(dir) },
  { what: 'put a file in the place of another', works: dir => replacesFile(dir) },
  { what: 'add to the end of a file', works: dir => appends(dir) },
  { what: 'keep the time that a file is given', works: dir => keepsTime(join(dir, 'time')) },
];

/**
 * Tries them in a folder that is removed again. A disk that is full, or that this user cannot write to, is not judged: whatever is
 * written first says so.
 * @throws StoreError (`STORE_UNFIT`) that names all that the disk cannot do
 */
export function requireFitDisk(store: string): void {
  const room = temporaryIn(store);
  try {
    makeNew(room);
  } catch {
    return;
  }
  try {
    const lacking = NEEDS.flatMap((need, i) => lackOf(need, join(room, String(i))) ?? []);
    if (lacking.length === 0) return;
    throw new StoreError('STORE_UNFIT', `The disk of ${store} cannot hold a store: it cannot ${lacking.join(', ')}. Choose another --store, e.g. on a local disk.`);
  } finally {
    rmSync(room, { recursive: true, force: true });
  }
}

function lackOf({ what, works }: Need, dir: string): string | undefined {
  try {
    makeNew(dir);
    return works(dir) ? undefined : what;
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EDQUOT')) return undefined;
    return error instanceof Error && 'code' in error ? `${what} (${String(error.code)})` : what;
  }
}

/** Nobody else has the name. Told that it is taken, we have it: the answer was lost, and the request, sent again, found its own work. */
function makeNew(dir: string): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

/** Told that what is renamed is not there, it has been renamed, likewise. */
function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function movesFolder(dir: string): boolean {
  makeFilled(dir, 'first');
  rename(join(dir, 'first'), join(dir, 'name'));
  return existsSync(join(dir, 'name', 'first'));
}

function refusesSecond(dir: string): boolean {
  makeFilled(dir, 'second');
  try {
    renameSync(join(dir, 'second'), join(dir, 'name'));
  } catch {
    // As it should be.
  }
  return existsSync(join(dir, 'name', 'first')) && existsSync(join(dir, 'second', 'second'));
}

function makeFilled(dir: string, name: string): void {
  makeNew(join(dir, name));
  writeFileSync(join(dir, name, name), name);
}

function replacesFile(dir: string): boolean {
  const [old, next] = [join(dir, 'old'), join(dir, 'next')];
  writeFileSync(old, 'old');
  writeFileSync(next, 'next', { flag: 'wx' });
  rename(next, old);
  return readFileSync(old, 'utf8') === 'next';
}

function appends(dir: string): boolean {
  const path = join(dir, 'lines');
  for (const line of ['one\n', 'two\n']) appendFileSync(path, line);
  return readFileSync(path, 'utf8') === 'one\ntwo\n';
}

/** Long ago, as the clock of the disk need not be ours; some disks count in steps of two seconds. */
function keepsTime(path: string): boolean {
  const seconds = 1e9;
  writeFileSync(path, '');
  utimesSync(path, seconds, seconds);
  return Math.abs(statSync(path).mtimeMs / 1e3 - seconds) <= 2;
}
