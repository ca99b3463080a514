/** One look that can be trusted by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import type { Looker, Snapshot } from './snapshot.ts';

const POLL_MS = 500;

/** Where only a heartbeat that has stood still can tell that a stage still runs, it is watched until it moves or its lease is over. */
export async function lookSurely(looker: Looker): Promise<Snapshot> {
  const began = performance.now();
  let snapshot = looker.look();
  let told = false;
  while (looker.mayBeGone(snapshot) && performance.now() - began < looker.lease + POLL_MS) {
    if (!told) process.stderr.write(pc.dim(`Some heartbeats have stood still for a while; watching them for ${Math.round(looker.lease / 1e3)} s.\n`));
    told = true;
    await sleep(POLL_MS);
    snapshot = looker.look();
  }
  return snapshot;
}
