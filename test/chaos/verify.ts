/** Whether a store that was disturbed holds what one that was not does, and nothing else. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { attemptFiles } from '../../src/core/store/layout.ts';
import type { StoreReader } from '../../src/core/store/reader.ts';
import type { Scene } from './scene.ts';

/** One sweep with all the time it wants, one that has nothing to do, and a look at everything that is there. */
export async function verify(scene: Scene, calm: StoreReader): Promise<void> {
  const last = scene.start();
  await scene.settle();
  const store = scene.reader();
  const undone = [...scene.plan.stages.keys()].filter(key => store?.doneAttempt(key) === undefined);
  scene.fault('undone', undone.length, `not done: ${undone.join(', ')}\n${last.text}`);
  const idle = scene.start();
  await scene.settle();
  scene.fault('needless', idle.summary?.done.length ?? 1, `a sweep with nothing to do did something:\n${idle.text}`);
  scene.checkTold();
  if (!store) return;
  for (const key of scene.plan.stages.keys()) {
    compareFiles(scene, key, store, calm);
    compareCurves(scene, key, store, calm);
    scene.tally.resumes += resumes(store, key);
  }
  const left = leftOver(scene.store);
  scene.fault('leftovers', left.length, `left over: ${left.join(', ')}`);
}

function compareFiles(scene: Scene, key: string, store: StoreReader, calm: StoreReader): void {
  const [found, expected] = [filesOf(store, key), filesOf(calm, key)];
  const names = [...new Set([...found.keys(), ...expected.keys()])].filter(name => found.get(name)?.equals(expected.get(name) ?? Buffer.alloc(0)) !== true);
  scene.fault('differing', names.length, `stage ${key}: other bytes in ${names.join(', ')}`);
}

/** The result and the final files of a stage that is done, by name. */
function filesOf(store: StoreReader, key: string): Map<string, Buffer> {
  const attempt = store.doneAttempt(key);
  if (attempt === undefined) return new Map();
  const dir = store.attemptDir(key, attempt);
  const output = readdirSync(join(dir, attemptFiles.output), { recursive: true, withFileTypes: true })
    .filter(e => e.isFile())
    .map(e => relative(dir, join(e.parentPath, e.name)));
  return new Map([attemptFiles.result, ...output].map(name => [name, readFileSync(join(dir, name))]));
}

function compareCurves(scene: Scene, key: string, store: StoreReader, calm: StoreReader): void {
  const text = (reader: StoreReader): string[] => reader.curve(key).map(record => JSON.stringify(record));
  const [found, expected] = [text(store), text(calm)];
  const wrong = found.filter((point, i) => found.indexOf(point) !== i || !expected.includes(point)).length + expected.filter(point => !found.includes(point)).length;
  scene.fault('points', wrong, `stage ${key}: a curve of ${found.length} points instead of ${expected.length}`);
}

function resumes(store: StoreReader, key: string): number {
  const files = store.attempts(key).map(attempt => join(store.attemptDir(key, attempt), attemptFiles.resumed));
  return files.filter(file => existsSync(file) && !readFileSync(file, 'utf8').includes('null')).length;
}

/** By its own look, not by that of the store. */
function leftOver(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(path => {
    const parts = path.split('/');
    return parts.at(-1)!.startsWith('.tmp') || (parts[0] === 'workers' && parts.length > 1) || parts.at(-1) === attemptFiles.checkpoints;
  });
}
