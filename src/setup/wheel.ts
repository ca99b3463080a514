/** From wheels on the Python index to a checked folder in the cache. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheProblems, fileSha256, writeCacheManifest } from './cache-manifest.ts';
import { prepareFolder, withTemporary } from './cache.ts';
import { SetupError } from './errors.ts';
import { withLock } from './lock.mjs';
import type { PrintLine } from '../tinymim/data/files.ts';
import type { PinnedWheel } from './pinned-wheels.ts';
import { downloadWheels, requirePip, unpackWheels, type FileRecord } from './python.ts';
import { SETUP } from '../installation.ts';

/** Parts of some wheels that are unpacked together into one folder of the cache. */
export interface Unpacking {
  /** Name of the folder in the cache. */
  readonly key: string;
  /** For people: `tensorflow-cpu 2.21.0`. */
  readonly label: string;
  readonly wheels: readonly PinnedWheel[];
  /** What is taken from the wheels: names that start so. */
  readonly prefixes: readonly string[];
  readonly unpackedBytes: number;
}

const LIBRARIES = 'libraries';

/** Where an unpacking lies in the cache. */
export const unpackedFolder = (cache: string, key: string): string => path.join(cache, LIBRARIES, key);

/** Where its wheels are kept until they are unpacked. */
export const downloadFolder = (cache: string, key: string): string => path.join(cache, 'downloads', key);

/**
 * Makes sure that the folder of `unpacking` is in the cache and whole, downloading only what is missing. A step that was interrupted
 * is repeated: files get their final names by a rename, after everything in them was checked.
 * @returns the folder
 * @throws SetupError
 */
export async function ensureUnpacked(cache: string, unpacking: Unpacking, say: PrintLine, deep = false): Promise<string> {
  const folder = unpackedFolder(cache, unpacking.key);
  const problemsNow = (): Promise<string[]> => cacheProblems(folder, unpacking.wheels, deep);
  if ((await problemsNow()).length === 0) return folder;
  await prepareFolder(path.join(cache, LIBRARIES), 0);
  return withLock(path.join(cache, 'locks', `${unpacking.key}.lock`), say, async () => {
    const problems = await problemsNow(); // another set-up may have done it meanwhile
    if (problems.length === 0) return folder;
    if (problems[0] !== 'missing') say(`${unpacking.label} in the cache is not what it should be (${problems[0]}): taking it anew.`);
    const wheels = await ensureWheels(cache, unpacking, say);
    say(`Unpacking ${unpacking.label} (${megabytes(unpacking.unpackedBytes)}) to ${folder} ...`);
    await unpack(cache, unpacking, wheels, folder);
    await rm(wheels, { recursive: true, force: true });
    return folder;
  });
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;

/** The folder with the wheels, kept until they are unpacked, so that an interruption after a long download does not repeat it. */
async function ensureWheels(cache: string, unpacking: Unpacking, say: PrintLine): Promise<string> {
  const kept = downloadFolder(cache, unpacking.key),
    downloads = path.dirname(kept);
  if (existsSync(kept)) {
    await prepareFolder(path.join(cache, LIBRARIES), unpacking.unpackedBytes);
    return kept;
  }
  const bytes = unpacking.wheels.reduce((sum, wheel) => sum + wheel.bytes, 0);
  await prepareFolder(downloads, bytes + unpacking.unpackedBytes);
  await requirePip();
  say(`Downloading ${unpacking.label} (${megabytes(bytes)}) with pip ...`);
  await withTemporary(downloads, async folder => {
    const wheels = await downloadWheels(unpacking.wheels, folder, say);
    const whole = path.join(folder, 'whole');
    await mkdir(whole);
    for (const wheel of wheels) await rename(wheel, path.join(whole, path.basename(wheel)));
    await rename(whole, kept);
  });
  return kept;
}

async function unpack(cache: string, unpacking: Unpacking, kept: string, folder: string): Promise<void> {
  await withTemporary(path.join(cache, LIBRARIES), async temporary => {
    const whole = path.join(temporary, 'whole');
    await mkdir(whole);
    const files = await unpackPinned(unpacking, kept, whole).catch(async (error: unknown) => {
      if (error instanceof SetupError && error.code === 'BAD_WHEEL') await rm(kept, { recursive: true, force: true });
      throw error;
    });
    requireAll(unpacking, files);
    await writeCacheManifest(whole, { wheels: unpacking.wheels.map(wheel => wheel.file), files });
    // A damaged folder is moved aside rather than emptied in place: running programs keep the files they have open.
    if (existsSync(folder)) await rename(folder, path.join(temporary, 'damaged'));
    await rename(whole, folder);
  });
}

async function unpackPinned({ wheels, prefixes }: Unpacking, kept: string, whole: string): Promise<Record<string, FileRecord>> {
  for (const wheel of wheels) await requirePinned(wheel, kept);
  return unpackWheels(
    wheels.map(({ file }) => path.join(kept, file)),
    prefixes,
    whole,
  );
}

/** Whatever pip brought: a mirror or a folder of `find-links` may serve another file of the same name or version. */
async function requirePinned({ file, sha256 }: PinnedWheel, kept: string): Promise<void> {
  const names = await readdir(kept);
  const got = names.includes(file) ? await fileSha256(path.join(kept, file)) : undefined;
  if (got === sha256) return;
  throw new SetupError(
    'BAD_WHEEL',
    got === undefined
      ? `Expected pip to bring ${file} (SHA-256 ${sha256}), got ${names.join(', ')}.`
      : `Expected ${file} to have the SHA-256 ${sha256}, got ${got}: it is not the official file. Nothing was unpacked.`,
    `check which index, mirror or folder pip takes it from (python3 -m pip config list; PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS), then run \`${SETUP}\` again: it is downloaded anew`,
  );
}

function requireAll({ prefixes, wheels }: Unpacking, files: Readonly<Record<string, FileRecord>>): void {
  for (const prefix of prefixes) {
    if (Object.keys(files).some(name => name.startsWith(prefix))) continue;
    throw new SetupError(
      'BAD_WHEEL',
      `Expected ${wheels.map(({ file }) => file).join(', ')} to contain ${prefix}, got no such file.`,
      'report it: the list of pinned files (src/setup/pinned-wheels.ts) names one without it',
    );
  }
}
