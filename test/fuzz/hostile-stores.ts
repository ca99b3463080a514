/** A store in which links, pipes and worse stand where files and folders should: readers and writers refuse or do without, and touch nothing outside of it. */
import { closeSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UnsafePathError } from '../../src/core/disk/beneath.ts';
import { StoreError } from '../../src/core/store/errors.ts';
import { removeStage } from '../../src/core/store/garbage.ts';
import { openStore, Store } from '../../src/core/store/store.ts';
import { WorkerOutput } from '../../src/core/store/worker-output.ts';
import { identity } from '../toy/store.ts';
import { Fault, format, reading, type Format, type Reading } from './fuzz.ts';
import { makeOutside, plant, plants, treeOf, type Plant } from './plants.ts';
import { room } from './room.ts';
import { checkSealed, makeScene, refuses, survey, type Scene } from './store-scene.ts';

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
      plant(list, dir, places, outside);
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
