/** What is done to sweeps and stores. Each starts at least one sweep and returns when no process is left. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attemptFiles, layout } from '../../src/core/store/layout.ts';
import { madeBy } from '../../src/core/store/names.ts';
import { ownerOf } from '../../src/core/store/owner.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import { killWhereverTheyAre } from './kills.ts';
import type { Sweep } from './processes.ts';
import { LEASE_MS, type Scene } from './scene.ts';

export interface Disturbance {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<void>;
}

/** A full disk is told within this time, else the sweep is ended by force. */
const FULL_MS = 40_000;

/** Many in a short time. They leave the disk alone. */
export const kills: readonly Disturbance[] = [{ name: 'kill -9 of workers, runners and all', run: killWhereverTheyAre }];

export const disturbances: readonly Disturbance[] = [
  ...kills,
  { name: 'kill -9 of workers', run: killWorkers },
  { name: 'kill -9 of the runner', run: killRunner },
  { name: 'kill -9 of all at once', run: killAll },
  { name: 'a runner frozen beyond its lease', run: scene => freeze(scene, 'runner') },
  { name: 'runner and workers frozen beyond the lease', run: scene => freeze(scene, 'all') },
  { name: 'a worker frozen beyond the lease', run: scene => freeze(scene, 'worker') },
  { name: 'two runners', run: twoRunners },
  { name: 'newest checkpoint damaged', run: scene => spoilThenKill(scene, damageCheckpoint) },
  { name: 'torn last lines', run: scene => spoilThenKill(scene, tearLines) },
  { name: 'half-written files left behind', run: scene => spoilThenKill(scene, leaveTemporaries) },
  { name: 'commit of a damaged attempt', run: scene => spoilThenKill(scene, damageDone) },
  { name: 'read-only store', run: readOnlyStore },
  { name: 'full disk', run: fullDisk },
];

async function killWorkers(scene: Scene): Promise<void> {
  const sweep = scene.start();
  await scene.pause(500, 1_500);
  for (let left = 1 + Math.floor(scene.random() * 4); left > 0; left--) {
    await scene.pause(200, 1_200);
    scene.killed(sweep.signalWorker('SIGKILL', scene.random()));
  }
  await finish(scene, sweep);
}

async function killRunner(scene: Scene): Promise<void> {
  const first = scene.start();
  await scene.pause(800, 3_000);
  scene.killed(first.signalRunner('SIGKILL'));
  // While the orphans write their checkpoints.
  await finish(scene, scene.start());
}

async function killAll(scene: Scene): Promise<void> {
  const sweep = scene.start();
  await scene.pause(100, 4_000);
  scene.killed(sweep.signalAll('SIGKILL'));
  await scene.settle();
}

async function freeze(scene: Scene, who: 'runner' | 'worker' | 'all'): Promise<void> {
  const first = scene.start();
  await scene.pause(1_200, 2_500);
  if (who === 'runner') first.signalRunner('SIGSTOP');
  else if (who === 'worker') first.signalWorker('SIGSTOP', scene.random());
  else first.signalAll('SIGSTOP');
  const second = scene.start();
  await scene.pause(LEASE_MS + 1_500, LEASE_MS + 3_000);
  first.signalAll('SIGCONT');
  await finish(scene, first, second);
}

async function twoRunners(scene: Scene): Promise<void> {
  const first = scene.start();
  await scene.pause(0, 500);
  await finish(scene, first, scene.start());
}

/** Damage needs something to damage. */
async function spoilThenKill(scene: Scene, spoil: (scene: Scene, store: StoreReader) => boolean): Promise<void> {
  const spoilIt = (): boolean => {
    const store = scene.reader();
    return store !== undefined && spoil(scene, store);
  };
  if (!spoilIt()) {
    await killAll(scene);
    if (scene.complete || !spoilIt()) scene.say('  (nothing of the kind to damage yet)');
  }
  await finish(scene, scene.start());
}

/** Lets sweeps go on for a while, then ends each: by a power cut, by the death of its runner, or by Ctrl-C. */
async function finish(scene: Scene, ...sweeps: readonly Sweep[]): Promise<void> {
  await scene.pause(1_000, 3_500);
  for (const sweep of sweeps) {
    const how = scene.random();
    if (how < 0.5) scene.killed(sweep.signalAll('SIGKILL'));
    else if (how < 0.75) scene.killed(sweep.signalRunner('SIGKILL'));
    else sweep.signalRunner('SIGINT');
  }
  await scene.settle();
}

const undone = (scene: Scene, store: StoreReader): string[] => [...scene.plan.stages.keys()].filter(key => store.doneAttempt(key) === undefined && store.attempts(key).length > 0);

function damageCheckpoint(scene: Scene, store: StoreReader): boolean {
  const key = scene.pick(undone(scene, store).filter(k => store.furthestCheckpoint(k) !== undefined));
  if (key === undefined) return false;
  const { attempt, step } = store.furthestCheckpoint(key)!;
  const dir = join(store.attemptDir(key, attempt), attemptFiles.checkpoints, String(step));
  const file = join(dir, 'height');
  const how = scene.pick(['cut', 'change', 'remove'] as const)!;
  if (how === 'cut') truncateSync(file, Math.floor(statSync(file).size / 2));
  else if (how === 'change') changeByte(file, scene.random());
  else rmSync(join(dir, attemptFiles.manifest));
  const last = store.attempts(key).at(-1)!;
  scene.expect(`the damaged checkpoint of step ${step} of stage ${key}`, () => {
    const now = scene.reader()!;
    // The first that looked for a checkpoint: one that was frozen meanwhile may find none any more.
    const resumed = (n: number): string => join(now.attemptDir(key, n), attemptFiles.resumed);
    const [next] = now
      .attempts(key)
      .filter(n => n > last && existsSync(resumed(n)))
      .sort((a, b) => statSync(resumed(a)).mtimeMs - statSync(resumed(b)).mtimeMs);
    return next === undefined || readFileSync(now.logFile(key, next), 'utf8').includes(`Checkpoint of step ${step} (attempt ${attempt}) is damaged`);
  });
  return true;
}

function tearLines(scene: Scene, store: StoreReader): boolean {
  const key = scene.pick(undone(scene, store));
  if (key === undefined) return false;
  for (const attempt of store.attempts(key)) {
    appendFileSync(join(store.attemptDir(key, attempt), attemptFiles.metrics), '{"step":1,"epo');
    appendFileSync(join(store.attemptDir(key, attempt), attemptFiles.states), '{"time":"2026-01-01T00:00');
  }
  return true;
}

function leaveTemporaries(_: Scene, store: StoreReader): boolean {
  const dead = { ...ownerOf(process.pid), started: '1' };
  const { dir } = store;
  const stages = store.keys().map(key => store.stageDir(key));
  const attempts = store.keys().flatMap(key => store.attempts(key).map(n => store.attemptDir(key, n)));
  const folders = [dir, layout.stages(dir), layout.workers(dir), ...stages, ...stages.map(layout.attempts), ...attempts, ...attempts.map(a => join(a, attemptFiles.checkpoints))];
  for (const folder of folders.filter(f => existsSync(f))) {
    writeFileSync(join(folder, `.tmp-${madeBy(dead)}`), '{"hal');
    const half = join(folder, `.tmp-${madeBy(dead)}`);
    mkdirSync(half);
    writeFileSync(join(half, 'height'), '0.');
  }
  if (existsSync(layout.workers(dir))) writeFileSync(join(layout.workers(dir), `cpu-0-${madeBy(dead)}.txt`), 'Segmentation fault');
  return true;
}

/** Of a stage that a sweep has to look at: one that is read by another still to do, or the last of its arm. */
function damageDone(scene: Scene, store: StoreReader): boolean {
  const all = [...scene.plan.stages.values()];
  const consumers = (key: string): typeof all => all.filter(stage => Object.values(stage.upstream).includes(key));
  const key = scene.pick(
    all
      .map(s => s.key)
      .filter(k => {
        const after = consumers(k);
        return store.doneAttempt(k) !== undefined && (after.length === 0 || after.some(s => store.doneAttempt(s.key) === undefined));
      }),
  );
  if (key === undefined) return false;
  const dir = store.attemptDir(key, store.doneAttempt(key)!);
  const output = join(dir, attemptFiles.output, 'tree.json');
  const how = scene.pick(existsSync(output) ? (['output cut', 'output changed', 'result changed', 'result gone'] as const) : (['result changed', 'result gone'] as const))!;
  if (how === 'output cut') truncateSync(output, 3);
  else if (how === 'output changed') changeByte(output, scene.random());
  else if (how === 'result changed') changeByte(join(dir, attemptFiles.result), scene.random());
  else rmSync(join(dir, attemptFiles.result));
  scene.spoil(key);
  return true;
}

function changeByte(file: string, where: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(where * bytes.length);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}

async function readOnlyStore(scene: Scene): Promise<void> {
  await killAll(scene);
  if (scene.complete || !scene.reader()) return;
  if (!scene.room.readOnly(scene.store)) {
    scene.say('  (left out: the store cannot be made read-only here)');
    return;
  }
  const sweep = scene.start();
  await sweep.gone();
  scene.room.writable(scene.store);
  await scene.settle();
  if (!/Could not write \S+.*(?:read-only|may not write there)/.test(sweep.text)) scene.fault('silent', 1, `nothing told of a read-only store:\n${sweep.text}`);
}

async function fullDisk(scene: Scene): Promise<void> {
  if (scene.room.notFillable !== undefined) {
    scene.say(`  (left out: ${scene.room.notFillable})`);
    return killAll(scene);
  }
  const sweep = scene.start();
  await scene.pause(1_000, 3_000);
  scene.room.fill();
  await Promise.race([sweep.ended, sleep(FULL_MS, undefined, { ref: false })]);
  scene.killed(sweep.signalAll('SIGKILL'));
  scene.room.unfill();
  await scene.settle();
  if (!scene.complete && !/Could not write (?:at least )?\d+ bytes to \S+\. The disk is full/.test(sweep.text)) scene.fault('silent', 1, `nothing told of a full disk:\n${sweep.text}`);
}
