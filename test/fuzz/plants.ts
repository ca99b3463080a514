/** Links, pipes and worse in the place of files and folders, and a folder outside that nothing may touch. */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { entryBeneath } from '../../src/core/disk/beneath.ts';

/** What is put in the place of something; `outside` is a folder beside the store. */
const PLANTS = {
  'a link to a file outside': (path: string, outside: string) => symlinkSync(join(outside, 'file'), path),
  'a link to a folder outside': (path: string, outside: string) => symlinkSync(outside, path),
  'a link to nothing': (path: string, outside: string) => symlinkSync(join(outside, 'new'), path),
  'a link to itself': (path: string) => symlinkSync(path, path),
  'a link to the folder around it': (path: string) => symlinkSync('.', path),
  'a pipe': (path: string) => void execFileSync('mkfifo', [path]),
  'a file of three gigabytes of nothing': (path: string) => {
    writeFileSync(path, '');
    truncateSync(path, 3 * (1 << 30));
  },
  'an empty folder': (path: string) => mkdirSync(path),
  'a folder with links': (path: string, outside: string) => {
    mkdirSync(path);
    for (const name of ['attempt.json', 'manifest.json', 'commit.json', 'checkpoints', 'done', 'attempts', '1']) symlinkSync(join(outside, name), join(path, name));
  },
} as const;

export interface Plant {
  readonly plant: keyof typeof PLANTS;
  /** Counts what stands in the store, and some names that could, around the end as often as it takes. */
  readonly at: number;
}

export const plants = fc.array(fc.record({ plant: fc.constantFrom(...(Object.keys(PLANTS) as (keyof typeof PLANTS)[])), at: fc.nat(1000) }), { minLength: 1, maxLength: 3 });

/** Names and content, and times but of folders that are read. */
export const treeOf = (dir: string): unknown =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => {
      const found = lstatSync(join(dir, name));
      return [name, found.mtimeMs, found.isFile() ? readFileSync(join(dir, name), 'utf8') : found.isSymbolicLink() ? readlinkSync(join(dir, name)) : ''];
    });

export function makeOutside(dir: string): void {
  for (const folder of ['checkpoints/4', 'done', 'attempts/1', '1']) mkdirSync(join(dir, folder), { recursive: true });
  for (const file of ['file', 'attempt.json', 'manifest.json', 'commit.json', 'checkpoints/4/weights', '.tmp-old', 'cpu-0-01234567~old.txt']) writeFileSync(join(dir, file), '{"mine":true}');
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) utimesSync(join(dir, name), 1e9, 1e9); // older than a day
}

function isOwnFolder(root: string, path: string): boolean {
  try {
    return entryBeneath(root, path)?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** @param dir what is damaged. @param places paths in it, of what stands there and of what could */
export function plant(list: readonly Plant[], dir: string, places: readonly string[], outside: string): void {
  for (const { plant: kind, at } of list) {
    const place = places[at % places.length]!;
    if (!isOwnFolder(dir, dirname(place))) continue; // an earlier one stands in its way
    rmSync(join(dir, place), { recursive: true, force: true });
    PLANTS[kind](join(dir, place), outside);
  }
}
