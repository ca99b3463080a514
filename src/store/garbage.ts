/** What of a store nobody needs any more, and removing it. */
import { nodeFiles } from './files.ts';
import { layout } from './layout.ts';
import type { StoreReader } from './reader.ts';
import { folderBytes } from './size.ts';

export interface Garbage {
  readonly key: string;
  readonly label: string;
  readonly state: string;
  readonly bytes: number;
}

/** Stages that are not among `needed`, with the room they take; a stage that a process works on is never among them. */
export function findGarbage(store: StoreReader, needed: ReadonlySet<string>): Garbage[] {
  return store.keys().filter(key => !needed.has(key)).flatMap(key => {
    const { state } = store.state(key);
    return state === 'running' ? [] : [{ key, label: store.stage(key)?.label ?? 'a stage without an identity', state, bytes: folderBytes(store.stageDir(key)) }];
  });
}

/** Takes the folder away under another name first: a stage is there whole, or not at all. */
export function removeStage(store: StoreReader, key: string): void {
  nodeFiles.remove(layout.stage(store.dir, key));
}
