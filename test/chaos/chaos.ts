/** Sweeps of the toy study, as real processes on real files, disturbed by a seeded schedule. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStoreReadOnly } from '../../src/store/store.ts';
import type { DriveOptions } from '../toy/drive.ts';
import { draw } from '../toy/kinds/grow.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';
import { disturbances, type Disturbance } from './disturbances.ts';
import { makeRoom, type Room } from './room.ts';
import { Scene } from './scene.ts';
import { faultsOf, newTally, type Tally } from './tally.ts';
import { verify } from './verify.ts';

export interface ChaosOptions {
  /** Decides what happens, to whom and after how long; what processes do meanwhile is up to them. */
  readonly seed: number;
  /** Time for disturbances; the undisturbed run before and the last store's end come on top. */
  readonly seconds: number;
  /** Seeds of the study: each more makes stores longer to fill. */
  readonly seeds: string;
  readonly say: (line: string) => void;
}

/** Every arm of these comes right by itself. */
const ONLY = 'cut,variety,side-by-side/tall,side-by-side/middle,side-by-side/small';

/** @returns what was counted; the folder of the stores is kept when something was wrong */
export async function runChaos({ seed, seconds, seeds, say }: ChaosOptions): Promise<Tally> {
  const choice = { profile: 'slow', only: ONLY, seeds, devices: 'cpu:2x1', checkpointEvery: 100, grace: 10_000 };
  const room = makeRoom();
  const tally = newTally();
  let drawn = 0;
  const random = (): number => draw(seed, 'chaos', drawn++);
  const deck = shuffledForever(disturbances, random);
  const store = (name: string): DriveOptions => ({ ...choice, store: join(room.dir, name) });
  const plan = await toyPlan(choice);
  try {
    const calm = new Scene(store('calm'), plan, room, newTally(), random, say);
    calm.start();
    await calm.settle();
    if (!calm.complete) throw new Error('Expected an undisturbed sweep to do every stage, got one that did not');
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1e3;
    while (elapsed() < seconds && faultsOf(tally) === 0) {
      tally.stores++;
      const scene = new Scene(store(`store-${tally.stores}`), plan, room, tally, random, say);
      mkdirSync(scene.store);
      while (!scene.complete && elapsed() < seconds) {
        const disturbance = deck();
        const done = [...plan.stages.keys()].filter(key => scene.isDone(key)).length;
        say(`${elapsed().toFixed(1).padStart(6)} s  store ${tally.stores}, ${done} of ${plan.stages.size} stages done: ${disturbance.name}`);
        tally.disturbances++;
        await disturbance.run(scene);
      }
      await verify(scene, openStoreReadOnly(calm.store));
    }
  } finally {
    clean(room, tally, say);
  }
  return tally;
}

function clean(room: Room, tally: Tally, say: (line: string) => void): void {
  if (faultsOf(tally) > 0) {
    const kept = temporaryFolder('chaos-kept');
    cpSync(room.dir, kept, { recursive: true, verbatimSymlinks: true });
    say(`The stores are kept in ${kept}.`);
  }
  room.remove();
}

/** Every disturbance comes once before any comes again. */
function shuffledForever(all: readonly Disturbance[], random: () => number): () => Disturbance {
  let left: Disturbance[] = [];
  return () => {
    if (left.length === 0) left = [...all];
    return left.splice(Math.floor(random() * left.length), 1)[0]!;
  };
}
