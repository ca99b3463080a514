/** What set-up keeps outside the repository, once per machine: the native library, the compiled binding, the data. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, mkdir, readdir, rm, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SetupError } from './errors.ts';
import { isAlive } from './lock.mjs';

/**
 * `$TINYMIM_CACHE`, else `tinymim-ablations` in the user's cache folder. An absolute path, which may not exist yet.
 * @throws SetupError `NO_HOME` for a user without a home, as in some containers
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['TINYMIM_CACHE']) return path.resolve(env['TINYMIM_CACHE']);
  return path.join(env['XDG_CACHE_HOME'] || path.join(home(), '.cache'), 'tinymim-ablations');
}

function home(): string {
  try {
    return os.homedir();
  } catch (cause) {
    throw new SetupError('NO_HOME', `Expected this user to have a home folder, got: ${(cause as Error).message}.`, ELSEWHERE, { cause });
  }
}

const ELSEWHERE = 'name a folder for the cache: export TINYMIM_CACHE=/path/to/folder';

/** Where data sets are kept. */
export const dataDir = (env: NodeJS.ProcessEnv = process.env): string => path.join(cacheDir(env), 'data');

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;

/** The folder, or the nearest one above it that exists. */
function nearest(folder: string): string {
  let existing = path.resolve(folder);
  while (!existsSync(existing)) existing = path.dirname(existing);
  return existing;
}

/** Whether this user may write to `folder`, or make it where it does not exist yet. */
export const isWritable = (folder: string): Promise<boolean> =>
  access(nearest(folder), constants.W_OK).then(
    () => true,
    () => false,
  );

/** Bytes that this user can still write to the file system of `folder`, which may not exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(nearest(folder));
  return bavail * bsize;
}

/**
 * Makes `folder` and checks that `needed` bytes fit.
 * @throws SetupError `CACHE_NOT_WRITABLE`, `NO_SPACE`
 */
export async function prepareFolder(folder: string, needed: number): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new SetupError('CACHE_NOT_WRITABLE', `Expected to be able to write to the cache ${folder}: ${(cause as Error).message}.`, ELSEWHERE, { cause });
  }
  const free = await freeBytes(folder);
  if (free < needed) {
    throw new SetupError('NO_SPACE', `Expected ${megabytes(needed)} free for the cache ${folder}, got ${megabytes(free)}.`, `free some space there, or ${ELSEWHERE}`);
  }
}

const TEMPORARY = /^tmp-(\d+)-(.+)-[0-9a-f]{8}$/;

/**
 * Runs `work` with a new empty folder inside `parent`, which no other process uses and which is gone afterwards.
 * Also removes those that killed processes of this machine left behind.
 */
export async function withTemporary<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const [, pid, host] = TEMPORARY.exec(name) ?? [];
    if (host !== os.hostname() || isAlive(Number(pid))) continue;
    // A child of the killed process may still be writing there: then the next call removes it.
    await rm(path.join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
  const folder = path.join(parent, `tmp-${process.pid}-${os.hostname()}-${randomBytes(4).toString('hex')}`);
  await mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
