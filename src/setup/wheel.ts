/** From wheels on the Python index to a checked folder in the cache. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { cacheProblems, writeCacheManifest } from './cache-manifest.ts';
import { prepareFolder, withTemporary } from './cache.ts';
import { SetupError } from './errors.ts';
import { withLock } from './lock.mjs';
import type { PrintLine } from '../tinymim/data/files.ts';
import { downloadWheels, requirePip, unpackWheels, type FileRecord } from './python.ts';

/** Parts of some wheels that are unpacked together into one folder of the cache. */
export interface Unpacking {
  /** Name of the folder in the cache. */
  readonly key: string;
  /** For people: `tensorflow-cpu 2.21.0`. */
  readonly label: string;
  readonly requirements: readonly string[];
  readonly platformTags: readonly string[];
  /** What is taken from the wheels: names that start so. */
  readonly prefixes: readonly string[];
  readonly wheelBytes: number;
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
  if ((await cacheProblems(folder, deep)).length === 0) return folder;
  await prepareFolder(path.join(cache, LIBRARIES), 0);
  return withLock(path.join(cache, 'locks', `${unpacking.key}.lock`), say, async () => {
    const problems = await cacheProblems(folder, deep); // another set-up may have done it meanwhile
    if (problems.length === 0) return folder;
    if (problems[0] !== 'missing') say(`${unpacking.label} in the cache is damaged (${problems[0]}): taking it anew.`);
    const wheels = await ensureWheels(cache, unpacking, say);
    say(`Unpacking ${unpacking.label} (${megabytes(unpacking.unpackedBytes)}) to ${folder} ...`);
    await unpack(cache, unpacking, wheels, folder);
    await rm(path.dirname(wheels[0]!), { recursive: true, force: true });
    return folder;
  });
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;

/** The wheels, kept until they are unpacked, so that an interruption after a long download does not repeat it. */
async function ensureWheels(cache: string, unpacking: Unpacking, say: PrintLine): Promise<string[]> {
  const kept = downloadFolder(cache, unpacking.key),
    downloads = path.dirname(kept);
  if (existsSync(kept)) {
    await prepareFolder(path.join(cache, LIBRARIES), unpacking.unpackedBytes);
    return (await readdir(kept)).map(name => path.join(kept, name));
  }
  await prepareFolder(downloads, unpacking.wheelBytes + unpacking.unpackedBytes);
  await requirePip();
  say(`Downloading ${unpacking.label} (${megabytes(unpacking.wheelBytes)}) with pip ...`);
  return withTemporary(downloads, async folder => {
    const wheels = await downloadWheels(unpacking.requirements, unpacking.platformTags, folder, unpacking.wheelBytes, say);
    const whole = path.join(folder, 'whole');
    await mkdir(whole);
    for (const wheel of wheels) await rename(wheel, path.join(whole, path.basename(wheel)));
    await rename(whole, kept);
    return wheels.map(wheel => path.join(kept, path.basename(wheel)));
  });
}

async function unpack(cache: string, unpacking: Unpacking, wheels: readonly string[], folder: string): Promise<void> {
  await withTemporary(path.join(cache, LIBRARIES), async temporary => {
    const whole = path.join(temporary, 'whole');
    await mkdir(whole);
    const files = await unpackWheels(wheels, unpacking.prefixes, whole).catch(async (error: unknown) => {
      if (error instanceof SetupError && error.code === 'BAD_WHEEL') await rm(path.dirname(wheels[0]!), { recursive: true, force: true });
      throw error;
    });
    requireAll(unpacking, wheels, files);
    await writeCacheManifest(whole, { wheels: wheels.map(wheel => path.basename(wheel)), files });
    // A damaged folder is moved aside rather than emptied in place: running programs keep the files they have open.
    if (existsSync(folder)) await rename(folder, path.join(temporary, 'damaged'));
    await rename(whole, folder);
  });
}

function requireAll({ prefixes }: Unpacking, wheels: readonly string[], files: Readonly<Record<string, FileRecord>>): void {
  for (const prefix of prefixes) {
    if (Object.keys(files).some(name => name.startsWith(prefix))) continue;
    throw new SetupError(
      'BAD_WHEEL',
      `Expected ${wheels.map(w => path.basename(w)).join(', ')} to contain ${prefix}, got no such file.`,
      'check which package the mirror of pip serves (python3 -m pip config list)',
    );
  }
}

/**
 * Requirements of an extra, without their conditions, from the `METADATA` that a wheel carries
 * (`Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"`).
 */
export async function requirementsOfExtra(metadataFile: string, extra: string): Promise<string[]> {
  const metadata = await readFile(metadataFile, 'utf8');
  return metadata.split('\n').flatMap(line => {
    const [, requirement, condition] = /^Requires-Dist: ([^;]+);(.*)$/.exec(line.trim()) ?? [];
    return requirement && condition?.includes(`extra == "${extra}"`) ? [requirement.trim().replace(/[ ()]/g, '')] : [];
  });
}
