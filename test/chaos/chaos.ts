/** Sweeps of the toy study, as real processes on real files, disturbed by a seeded schedule. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { openStoreReadOnly } from '../../src/core/store/store.ts';
import type { DriveOptions } from '../toy/drive.ts';
import { draw } from '../toy/kinds/grow.ts';
import { temporaryFolder, toyPlan } from '../toy/sweep.ts';
import type { Disturbance } from './disturbances.ts';
import { makeRoom, type Room } from './room.ts';
import { Scene } from './scene.ts';
import { faultsOf, newTally, type Tally } from './tally.ts';
import { verify } from './verify.ts';

export interface ChaosOptions {
  /** Decides what happens, to whom and after how long; what processes do meanwhile is up to them. */
  readonly seed: number;
  /** Every one comes once before any comes again. */
  readonly disturbances: readonly Disturbance[];
  /** Stores disturbed side by side (default 1); more only with disturbances that leave the disk alone. */
  readonly lanes?: number;
  /** Whether it is to end; `seconds` since the undisturbed run. The last stores are brought to their end after that. */
  readonly enough: (tally: Tally, seconds: number) => boolean;
  /** Seeds of the study: each more makes stores longer to fill. */
  readonly seeds: string;
  readonly say: (line: string) => void;
}

/** Every arm of these comes right by itself. */
const ONLY = 'cut,variety,side-by-side/tall,side-by-side/middle,side-by-side/small';

/** @returns what was counted; the folder of the stores is kept when something was wrong */
export async function runChaos(options: ChaosOptions): Promise<Tally> {
  const { seed, lanes = 1, seeds, say } = options;
  const choice = { profile: 'slow', only: ONLY, seeds, devices: 'cpu:2x1', checkpointEvery: 100, grace: 10_000 };
  const room = makeRoom();
  const tally = newTally();
  const store = (name: string): DriveOptions => ({ ...choice, store: join(room.dir, name) });
  const plan = await toyPlan(choice);
  try {
    const calm = new Scene(store('calm'), plan, room, newTally(), Math.random, say);
    calm.start();
    await calm.settle();
    if (!calm.complete) throw new Error('Expected an undisturbed sweep to do every stage, got one that did not');
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1e3;
    const isOver = (): boolean => faultsOf(tally) > 0 || options.enough(tally, elapsed());
    await Promise.all(
      Array.from({ length: lanes }, (_, lane) => {
        let drawn = 0;
        const random = (): number => draw(seed, `chaos ${lane}`, drawn++);
        const next = shuffledForever(options.disturbances, random);
        const newScene = (name: string): Scene => new Scene(store(name), plan, room, tally, random, say);
        return disturb({ next, newScene, plan, calm: openStoreReadOnly(calm.store), tally, elapsed, isOver, say });
      }),
    );
  } finally {
    clean(room, tally, say);
  }
  return tally;
}

interface Lane {
  readonly next: () => Disturbance;
  readonly newScene: (name: string) => Scene;
  readonly plan: Plan;
  /** What an undisturbed run left. */
  readonly calm: StoreReader;
  readonly tally: Tally;
  readonly elapsed: () => number;
  readonly isOver: () => boolean;
  readonly say: (line: string) => void;
}

/** One store after the other. */
async function disturb({ next, newScene, plan, calm, tally, elapsed, isOver, say }: Lane): Promise<void> {
  while (!isOver()) {
    const number = ++tally.stores;
    const scene = newScene(`store-${number}`);
    mkdirSync(scene.store);
    while (!scene.complete && !isOver()) {
      const disturbance = next();
      const done = [...plan.stages.keys()].filter(key => scene.isDone(key)).length;
      say(`${elapsed().toFixed(1).padStart(6)} s  store ${number}, ${done} of ${plan.stages.size} stages done: ${disturbance.name}`);
      tally.disturbances++;
      await disturbance.run(scene);
    }
    await verify(scene, calm);
    if (faultsOf(tally) === 0) rmSync(scene.store, { recursive: true, force: true }); // the disk is small
  }
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
