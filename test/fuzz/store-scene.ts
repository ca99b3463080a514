/** A store in which every kind of file stands, and all that its readers say of it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { keyOf } from '../../src/core/ablation/identity.ts';
import { canonicalJson } from '../../src/core/ablation/json.ts';
import type { StageIdentity } from '../../src/core/ablation/kind.ts';
import { UnsafePathError } from '../../src/core/disk/beneath.ts';
import type { Attempt } from '../../src/core/store/attempt.ts';
import { StoreError } from '../../src/core/store/errors.ts';
import { findGarbage } from '../../src/core/store/garbage.ts';
import { readProgress } from '../../src/core/store/progress.ts';
import { openStore, openStoreReadOnly, type Store } from '../../src/core/store/store.ts';
import { TABLES, type ColumnType, type StoreCell } from '../../src/core/store/tables.ts';
import { identity, key } from '../toy/store.ts';
import { Fault, reading, type Reading } from './fuzz.ts';
import { room } from './room.ts';

/** A stage that is done (two attempts, the second resumed from the first), and one after it that runs (its third attempt, the first failed). */
export interface Scene {
  readonly store: Store;
  readonly done: string;
  readonly running: string;
  /** The attempt that runs. */
  readonly attempt: Attempt;
  /** What the store warned about since it was last emptied. */
  readonly warnings: string[];
}

const runningIdentity: StageIdentity = { kind: 'graft', revision: 2, recipe: { cut: 0.5, bed: null, steps: [1, 2], label: 'h\u00f6her' }, seed: 7, upstream: { stock: key } };
const FACTS = {
  host: 'here',
  commit: 'abc',
  dirty: false,
  threads: 2,
  cpu: 'x',
  wall_seconds: 1.5,
  cpu_seconds: 1.25,
  peak_memory_bytes: 123_456,
  ended: '2026-01-02T03:04:05.678Z',
  stage: { engine: { name: 'tensorflow', libraryVersion: '2.21.0' } },
};

export async function makeScene(): Promise<Scene> {
  const warnings: string[] = [];
  const store = openStore(room(), { warn: text => warnings.push(text) });
  const running = keyOf(runningIdentity);
  store.ensureStage(key, identity, 'stock of a/b seed 0');
  store.ensureStage(running, runningIdentity, 'tree of a/b seed 0');
  store.recordSweep({ profile: 'quick', overrides: ['steps=3'], seeds: [0, 1], arms: [{ ablation: 'a', arm: 'b', seed: 0, stages: { stock: key, tree: running } }] });
  store.recordSweep({ profile: 'slow', overrides: [], seeds: [0], arms: [{ ablation: 'a', arm: 'c', seed: 0, stages: { stock: key } }] });
  const cut = await train(store, key, 0, 4);
  cut.record({ state: 'interrupted' });
  cut.close();
  const whole = await train(store, key, 4, 6);
  writeFileSync(join(whole.output, 'weights'), Buffer.from(Array.from({ length: 96 }, (_, i) => i)));
  writeFileSync(join(whole.output, 'notes.json'), '{"height":1.5}\n');
  whole.items(Array.from({ length: 43 }, (_, i) => i % 3 === 0));
  await whole.commit({ height: 1.5, variety: 'oak' });
  whole.close();
  const failed = await train(store, running, 0, 4);
  failed.record({ state: 'failed', code: 'BLIGHT', reason: 'It has blight', permanent: false });
  failed.close();
  const attempt = await train(store, running, 4, 5);
  attempt.progress({ phase: 'load', step: 0, steps: 0 });
  attempt.progress({ phase: 'step', step: 5, steps: 8, imagesPerSecond: 10.5 });
  attempt.log('grows');
  return { store, done: key, running, attempt, warnings };
}

const CHECKPOINTS = [2, 4];
const checkpointText = (step: number): string => `weights of step ${step} `.repeat(8);

async function train(store: Store, stage: string, from: number, to: number): Promise<Attempt> {
  const acquired = await store.acquire(stage, 'cpu:0');
  if (acquired.type !== 'acquired') throw new Error(`Expected to acquire the stage, got ${acquired.state.state}.`);
  const { attempt } = acquired;
  attempt.claim();
  attempt.provenance(FACTS);
  const checkpoints = attempt.checkpoints({ every: 0, warn: () => undefined });
  await checkpoints.latest();
  for (let step = from + 1; step <= to; step++) {
    attempt.metric({ step, epoch: step / 8, loss: 1 / step, lr: 1e-3 });
    if (CHECKPOINTS.includes(step)) await checkpoints.save(step, dir => Promise.resolve(writeFileSync(join(dir, 'weights'), checkpointText(step))));
  }
  return attempt;
}

/** What each reader says of a store. */
export type Survey = Readonly<Record<string, Reading<unknown>>>;

export async function survey(scene: Scene): Promise<Survey> {
  const { store, done, running, attempt, warnings } = scene;
  warnings.length = 0;
  const both = <T>(read: (key: string) => T): T[] => [done, running].map(read);
  const readers: Record<string, () => unknown> = {
    format: () => openStoreReadOnly(store.dir).keys(),
    'stage, done': () => store.stage(done),
    'stage, running': () => store.stage(running),
    state: () => both(k => store.state(k)),
    result: () => store.result(done),
    items: () => store.items(done),
    'owner, done': () => store.attempt(done, 2),
    'owner, running': () => store.attempt(running, 2),
    states: () => both(k => store.attempts(k).map(n => store.states(k, n))),
    'curve, done': () => store.curve(done),
    'curve, running': () => store.curve(running),
    'provenance, done': () => store.provenance(done),
    'provenance, running': () => store.provenance(running),
    furthest: () => both(k => store.furthestCheckpoint(k)),
    progress: () => readProgress(store.attemptDir(running, attempt.number)),
    sweeps: () => unwarned(warn => store.sweeps(warn)),
    tables: () => unwarned(warn => TABLES.map(table => [...table.rows(store, warn)].map(row => row.map((cell, i) => checkedCell(cell, table.columns[i]!.type))))),
    garbage: () => findGarbage(store, new Set()),
    checkpoint: () => latest(scene),
    verified: () => verified(scene),
    // Last: it may make an attempt.
    acquired: () => acquire(scene),
  };
  const found: Record<string, Reading<unknown>> = {};
  for (const [name, read] of Object.entries(readers)) found[name] = await reading(read, [StoreError, UnsafePathError]);
  return found;
}

/** A warning is how some readers refuse a part of what they read. */
function unwarned<T>(read: (warn: (text: string) => void) => T): T {
  const told: string[] = [];
  const value = read(text => told.push(text));
  if (told.length > 0) throw new StoreError('STORE_DAMAGED', told.join('\n'));
  return value;
}

/** Cells go into a database that would not take others. */
function checkedCell(cell: StoreCell, type: ColumnType): StoreCell {
  const fits = {
    VARCHAR: () => typeof cell === 'string',
    DOUBLE: () => Number.isFinite(cell),
    BIGINT: () => Number.isSafeInteger(cell),
    TIMESTAMP: () => z.iso.datetime().safeParse(cell).success,
    JSON: () => JSON.parse(cell as string) !== undefined,
  };
  if (cell !== null && !fits[type]()) throw new Fault(`Expected a ${type} or null, got ${JSON.stringify(cell)}`);
  return cell;
}

/** @throws Fault when a damaged checkpoint is used, or one passed over in silence */
async function latest({ store, running, attempt }: Scene): Promise<number | undefined> {
  const told: string[] = [];
  const found = await store
    .attemptOf(running, attempt.number)
    .checkpoints({ every: 0, warn: text => told.push(text) })
    .latest();
  if (found && readFileSync(join(found.dir, 'weights'), 'utf8') !== checkpointText(found.step)) throw new Fault(`Expected the checkpoint of step ${found.step} as it was written, got another`);
  if (told.length === 0 && found?.step !== store.furthestCheckpoint(running)?.step) throw new Fault(`Expected a warning about the newest checkpoint, got none and step ${found?.step}`);
  if (told.length > 0) throw new StoreError('STORE_DAMAGED', told.join('\n'));
  return found?.step;
}

/** Content of the output that a stage downstream would read; undefined where it would not. */
async function verified({ store, done }: Scene): Promise<Record<string, string> | undefined> {
  if (!(await store.verify(done))) return undefined;
  const dir = store.output(done)!;
  const files = readdirSync(dir, { withFileTypes: true }).filter(entry => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(dir, name), 'latin1')]));
}

/** Whether the stage is done or can be done again: no damage bars it. */
async function acquire({ store, done, warnings }: Scene): Promise<string> {
  const acquired = await store.acquire(done, 'cpu:0');
  if (acquired.type === 'taken') return acquired.state.state;
  rmSync(acquired.attempt.dir, { recursive: true });
  throw new StoreError('STORE_DAMAGED', warnings.join('\n') || 'acquired anew');
}

/** Equal values give equal text, -0 and 0 too. */
const identityOf = (stage: unknown): unknown => (stage === undefined ? undefined : canonicalJson({ ...(stage as object), label: '' }));

/** What somebody vouches for: read as it was, or not at all. */
const SEALED: Readonly<Record<string, (value: unknown) => unknown>> = {
  result: value => value,
  items: value => value,
  verified: value => value,
  'stage, done': identityOf,
  'stage, running': identityOf,
};

/** @throws Fault when something sealed is read as another than it was */
export function checkSealed(found: Survey, undamaged: Survey): void {
  for (const [name, part] of Object.entries(SEALED)) {
    const [value, before] = [found[name]!, undamaged[name]!].map(r => ('value' in r ? part(r.value) : undefined));
    if (value !== undefined && !isDeepStrictEqual(value, before)) throw new Fault(`${name}: expected damage to be detected, got ${JSON.stringify(value).slice(0, 500)}`);
  }
}

/** Whether some reader refused, or found nothing where there had been something. */
export const refuses = (found: Survey, undamaged: Survey): boolean =>
  Object.entries(found).some(([name, r]) => 'refused' in r || (r.value === undefined && (undamaged[name] as { value?: unknown }).value !== undefined));
