/** What processes that are gone left half made in a store: temporaries, and the output of their workers. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './errors.ts';
import { attemptFiles, layout } from './layout.ts';
import { isAbandoned, isTemporary } from './names.ts';
import type { StoreReader } from './reader.ts';

/** Paths that no living process needs. @param diskTime see `isAbandoned` */
export function leftovers(store: StoreReader, diskTime: () => number): string[] {
  const { dir } = store;
  const stages = store.keys().map(key => store.stageDir(key));
  const attempts = store.keys().flatMap(key => store.attempts(key).map(attempt => store.attemptDir(key, attempt)));
  const folders = [
    dir,
    layout.stages(dir),
    layout.sweeps(dir),
    layout.workers(dir),
    ...stages,
    ...stages.map(layout.attempts),
    ...attempts,
    ...attempts.map(attempt => join(attempt, attemptFiles.checkpoints)),
  ];
  const temporaries = folders.flatMap(folder =>
    namesIn(folder)
      .filter(isTemporary)
      .map(name => join(folder, name)),
  );
  const outputs = namesIn(layout.workers(dir))
    .filter(name => !isTemporary(name))
    .map(name => join(layout.workers(dir), name));
  return [...temporaries, ...outputs].filter(path => isAbandoned(path, diskTime));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
