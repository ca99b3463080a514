/** One snapshot that can be trusted by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Snapshot, StoreWatcher } from './snapshot.ts';

const POLL_MS = 500;

/**
 * Where only a heartbeat that has stood still can tell that a stage still runs, it is watched until it moves or its lease is over.
 * @param onWait told once, when that takes a while: at most how many seconds
 */
export async function settledSnapshot(watcher: StoreWatcher, onWait: (seconds: number) => void): Promise<Snapshot> {
  const began = performance.now();
  let snapshot = watcher.snapshot();
  let told = false;
  while (watcher.mayBeGone(snapshot) && performance.now() - began < watcher.lease + POLL_MS) {
    if (!told) onWait(Math.round(watcher.lease / 1e3));
    told = true;
    await sleep(POLL_MS);
    snapshot = watcher.snapshot();
  }
  return snapshot;
}
