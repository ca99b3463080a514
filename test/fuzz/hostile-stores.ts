/** A store in which links, pipes and worse stand where files and folders should: readers and writers refuse or do without, and touch nothing outside of it. */
import { execFileSync } from 'node:child_process';
import { closeSync, cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { entryBeneath, UnsafePathError } from '../../src/core/disk/beneath.ts';
import { StoreError } from '../../src/core/store/errors.ts';
import { removeStage } from '../../src/core/store/garbage.ts';
import { openStore, Store } from '../../src/core/store/store.ts';
import { WorkerOutput } from '../../src/core/store/worker-output.ts';
import { identity } from '../toy/store.ts';
import { Fault, format, reading, type Format, type Reading } from './fuzz.ts';
import { room } from './room.ts';
import { checkSealed, makeScene, refuses, survey, type Scene } from './store-scene.ts';

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

interface Plant {
  readonly plant: keyof typeof PLANTS;
  /** Counts what stands in the store, and some names that could, around the end as often as it takes. */
  readonly at: number;
}

const plants = fc.array(fc.record({ plant: fc.constantFrom(...(Object.keys(PLANTS) as (keyof typeof PLANTS)[])), at: fc.nat(1000) }), { minLength: 1, maxLength: 3 });

/** Names and content, and times but of folders that are read. */
const treeOf = (dir: string): unknown =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map(name => {
      const found = lstatSync(join(dir, name));
      return [name, found.mtimeMs, found.isFile() ? readFileSync(join(dir, name), 'utf8') : found.isSymbolicLink() ? readlinkSync(join(dir, name)) : ''];
    });

function makeOutside(dir: string): void {
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

async function changes(dir: string, { done }: Scene): Promise<Record<string, Reading<unknown>>> {
  const found: Record<string, Reading<unknown>> = {};
  const writers: Record<string, (store: Store) => unknown> = {
    opened: () => openStore(dir).keys().length,
    entered: store => store.ensureStage(done, identity, 'again'),
    cleared: store => store.clearLeftovers(),
    tidied: store => store.keys().forEach(key => store.tidy(key)),
    recorded: store => store.recordSweep({ profile: 'other', overrides: [], seeds: [0], arms: [{ ablation: 'a', arm: 'b', seed: 0, stages: { stock: done } }] }),
    printed: () => {
      const output = new WorkerOutput(dir, 'cpu:0');
      closeSync(output.open());
      output.remove();
    },
    removed: store => removeStage(store, done),
  };
  // What one process has looked at, another has not.
  for (const [name, change] of Object.entries(writers)) found[name] = await reading(() => change(new Store(dir)), [StoreError, UnsafePathError]);
  return found;
}

const hostileStore: Format = format<Plant[]>('store: links, pipes and worse', async () => {
  const scene = await makeScene();
  const { dir } = scene.store;
  const top = room(),
    [whole, outside] = [join(top, 'whole'), join(top, 'outside')];
  cpSync(dir, whole, { recursive: true });
  const places = [...readdirSync(whole, { recursive: true, encoding: 'utf8' }).sort(), 'workers', 'workers/cpu-0-01234567~gone.txt', 'sweeps/1.json', '.tmp-old', `stages/${'0'.repeat(32)}`];
  for (const key of [scene.done, scene.running]) places.push(...['attempts/7', 'attempts/1/checkpoints/9', 'attempts/2/output/more', '.tmp-old', 'done'].map(name => `stages/${key}/${name}`));
  const restore = (): void => {
    for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
    cpSync(whole, dir, { recursive: true });
  };
  const look = async () => survey({ ...scene, store: new Store(dir, { warn: text => scene.warnings.push(text) }) });
  makeOutside(outside);
  const before = treeOf(outside);
  const undamaged = await look();
  return {
    inputs: plants,
    async judge(list) {
      restore();
      for (const { plant, at } of list) {
        const path = join(dir, places[at % places.length]!);
        if (!isOwnFolder(dir, dirname(places[at % places.length]!))) continue; // an earlier one stands in its way
        rmSync(path, { recursive: true, force: true });
        PLANTS[plant](path, outside);
      }
      const found = await look();
      checkSealed(found, undamaged);
      const changed = await changes(dir, scene);
      if (!isDeepStrictEqual(treeOf(outside), before)) throw new Fault(`Expected everything outside of the store as it was, got ${JSON.stringify(treeOf(outside))}`);
      if (refuses(found, undamaged) || Object.values(changed).some(reading => 'refused' in reading)) return 'refused';
      return isDeepStrictEqual(found, undamaged) ? 'harmless' : 'undetectable';
    },
    close: () => [dir, top].forEach(folder => rmSync(folder, { recursive: true, force: true })),
  };
});

export const HOSTILE_STORES: readonly Format[] = [hostileStore];
