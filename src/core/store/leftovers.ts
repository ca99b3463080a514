/** What processes that are gone left half made in a store: temporaries, and the output of their workers. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { attemptFiles, layout } from './layout.ts';
import { isAbandoned, isTemporary } from './names.ts';
import { namesIn } from './read.ts';
import type { StoreReader } from './reader.ts';
import { isWorkerOutput } from './worker-output.ts';

/** Paths that no living process needs. @param diskTime see `isAbandoned` */
export function leftovers(store: StoreReader, diskTime: () => number): string[] {
  const { dir } = store;
  const stages = store.keys().map(key => store.stageDir(key));
  const attempts = store.keys().flatMap(key => store.attempts(key).map(attempt => store.attemptDir(key, attempt)));
  const folders = [
    layout.stages(dir),
    layout.sweeps(dir),
    layout.workers(dir),
    ...stages,
    ...stages.map(layout.attempts),
    ...attempts,
    ...attempts.map(attempt => join(attempt, attemptFiles.checkpoints)),
  ];
  const inTop = readdirSync(dir).map(name => join(dir, name)); // the store itself may be reached through a link
  const temporaries = [...inTop, ...folders.flatMap(folder => namesIn(folder).map(name => join(folder, name)))].filter(path => isTemporary(basename(path)));
  const outputs = namesIn(layout.workers(dir))
    .filter(isWorkerOutput)
    .map(name => join(layout.workers(dir), name));
  return [...temporaries, ...outputs].filter(path => isAbandoned(path, diskTime));
}
