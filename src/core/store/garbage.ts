/** What of a store nobody needs any more, and removing it. */
import { unlessDamaged } from './errors.ts';
import { filesWithin, nodeFiles } from './files.ts';
import { layout } from './layout.ts';
import { isOwnerAlive, ownerTag } from './owner.ts';
import type { StoreReader } from './reader.ts';
import { folderBytes } from './size.ts';
import { newestArms, sameScale, type SweepRecord } from './sweeps.ts';

export interface Garbage {
  readonly key: string;
  readonly label: string;
  readonly state: string;
  readonly bytes: number;
  /** Names of the studies whose sweeps planned it, sorted; none where no record tells, as of older versions. */
  readonly studies: readonly string[];
}

/** Stages that are neither among `needed` nor in use, with the room they take and whose they are. */
export function findGarbage(store: StoreReader, needed: ReadonlySet<string>): Garbage[] {
  const used = keysInUse(store);
  const studies = studiesByKey(store.sweeps());
  return store
    .keys()
    .filter(key => KEY.test(key) && !needed.has(key) && !used.has(key))
    .map(key => {
      const stage = unlessDamaged(() => store.stage(key));
      return {
        key,
        label: stage?.label ?? 'a stage whose identity cannot be read',
        state: store.state(key).state,
        bytes: folderBytes(store.stageDir(key)),
        studies: [...(studies.get(key) ?? [])].sort(),
      };
    });
}

function studiesByKey(sweeps: readonly SweepRecord[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { study, arms } of sweeps) {
    if (study === undefined) continue;
    for (const key of arms.flatMap(arm => Object.values(arm.stages))) found.set(key, (found.get(key) ?? new Set()).add(study));
  }
  return found;
}

/** Whatever else stands among the stages is not ours to remove. */
const KEY = /^[0-9a-f]{32}$/;

/**
 * Takes the folder away under another name first: a stage is there whole, or not at all.
 * @returns false when a process has begun to work on it
 */
export function removeStage(store: StoreReader, key: string): boolean {
  if (store.state(key).state === 'running') return false;
  filesWithin(store.dir, nodeFiles).remove(layout.stage(store.dir, key));
  return true;
}

/**
 * Keys of all stages that a sweep which runs now may need, although the declarations have changed since: what is at work, with
 * all its inputs, and what had last been planned for each arm, at the scale of the sweep, when it began.
 */
function keysInUse(store: StoreReader): Set<string> {
  const used = new Set<string>();
  const enter = (key: string): void => {
    if (used.has(key)) return;
    used.add(key);
    Object.values(unlessDamaged(() => store.stage(key))?.upstream ?? {}).forEach(enter);
  };
  for (const key of store.keys()) if (store.state(key).state === 'running') enter(key);
  const sweeps = store.sweeps();
  for (const { began, last, keys } of liveRunners(store)) {
    const arms = [began, last].flatMap(moment => newestArms(sweeps.filter(({ time }) => Date.parse(time) <= moment)));
    const ofRunner = arms.filter(arm => Object.values(arm.stages).some(key => keys.has(key)));
    for (const arm of arms) if (ofRunner.some(other => sameScale(other, arm))) Object.values(arm.stages).forEach(enter);
  }
  return used;
}

interface LiveRunner {
  /** Its first attempt, in milliseconds since 1970: it had recorded its plan before. */
  began: number;
  /** Its latest attempt. Where the clock was set back meanwhile, the record of its plan can be younger than its first. */
  last: number;
  /** Of the stages that it has attempted. */
  readonly keys: Set<string>;
}

function liveRunners(store: StoreReader): Iterable<LiveRunner> {
  const runners = new Map<string, LiveRunner>();
  for (const key of store.keys()) {
    const running = store.state(key).state === 'running';
    for (const attempt of store.attempts(key)) {
      const record = unlessDamaged(() => store.attempt(key, attempt));
      if (!record || !(isOwnerAlive(record.owner) ?? running)) continue;
      const name = ownerTag(record.owner);
      const runner = runners.get(name) ?? { began: Infinity, last: -Infinity, keys: new Set() };
      runner.began = Math.min(runner.began, Date.parse(record.created));
      runner.last = Math.max(runner.last, Date.parse(record.created));
      runner.keys.add(key);
      runners.set(name, runner);
    }
  }
  return runners.values();
}
