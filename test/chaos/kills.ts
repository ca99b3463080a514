/** Kills at moments of every kind in the life of a sweep, as many as possible in a short time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../../src/core/runner/events.ts';
import type { Sweep } from './processes.ts';
import type { Scene } from './scene.ts';

/** What the runner has told last when the kill comes. */
const MOMENTS: readonly ((event: RunEvent) => boolean)[] = [
  event => event.type === 'begin',
  event => event.type === 'started',
  event => event.type === 'progress' && event.progress.phase === 'load',
  event => event.type === 'progress' && event.progress.phase === 'step',
  event => event.type === 'progress' && event.progress.phase === 'step' && event.progress.step > event.progress.steps / 2,
  event => event.type === 'progress' && event.progress.phase === 'save',
  event => event.type === 'finished',
];

/** Kills of one sweep before the power cut, if that does not come first. */
const KILLS = 8;

/**
 * Kills of workers, and of runners whose orphans meet the next runner, until a power cut ends them all. Mostly of workers: the runner
 * starts another, where the death of a runner costs the start of all three.
 */
export async function killWhereverTheyAre(scene: Scene): Promise<void> {
  let sweep = scene.start();
  for (let left = KILLS; left > 0; left--) {
    await reach(sweep, scene.pick(MOMENTS)!);
    await scene.pause(0, 150);
    const whom = scene.random();
    if (whom < 0.75) scene.killed(sweep.signalWorker('SIGKILL', scene.random()));
    else if (whom < 0.88) {
      scene.killed(sweep.signalRunner('SIGKILL'));
      sweep = scene.start();
    } else break;
  }
  scene.killed(sweep.signalAll('SIGKILL'));
  await scene.settle();
}

/** A moment that is longer in coming is not waited for: meanwhile much would be done, and nothing killed. */
const PATIENCE_MS = 1_000;

/** Until the sweep tells something of the kind, from now on, or has ended. */
async function reach(sweep: Sweep, moment: (event: RunEvent) => boolean): Promise<void> {
  const from = sweep.events.length;
  const deadline = performance.now() + PATIENCE_MS;
  let over = false;
  void sweep.ended.then(() => {
    over = true;
  });
  while (!over && performance.now() < deadline && !sweep.events.slice(from).some(moment)) await sleep(5);
}
