/**
 * What sweeps set out to do: the key of every stage of every arm, at the time. It lets `explain` say what changed since, `clean` whose a
 * stage is that no declaration needs any more, and reports for which seeds to look.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { StoreError } from './errors.ts';
import { layout } from './layout.ts';
import { listFolder, readParsed } from './read.ts';
import { keyName } from './records.ts';

interface SweptArm {
  readonly ablation: string;
  readonly arm: string;
  readonly seed: number;
  /** Key of the stage in each role. */
  readonly stages: Readonly<Record<string, string>>;
}

export interface SweptPlan {
  /** Name of the study: several may share a store. Absent in records of older versions. */
  readonly study?: string | undefined;
  readonly profile: string;
  /** Fields set on the command line, e.g. `distill.epochs=5`. */
  readonly overrides: readonly string[];
  readonly seeds: readonly number[];
  readonly arms: readonly SweptArm[];
}

export interface SweepRecord extends SweptPlan {
  readonly time: string;
}

const sweepFile: z.ZodType<SweepRecord> = z.object({
  time: z.iso.datetime(),
  study: z.string().optional(),
  profile: z.string(),
  overrides: z.array(z.string()),
  seeds: z.array(z.int()),
  arms: z.array(z.object({ ablation: z.string(), arm: z.string(), seed: z.int(), stages: z.record(z.string(), keyName) })),
});

/** Sweeps of a store, newest first. Damaged files are told to `warn` and passed over. */
export function readSweeps(store: string, warn: (message: string) => void): SweepRecord[] {
  const folder = layout.sweeps(store);
  return listFolder(folder)
    .reverse()
    .flatMap(name => {
      try {
        return readParsed(sweepFile, join(folder, name)) ?? [];
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        warn(`${error.message}; passed over, it only serves to explain`);
        return [];
      }
    });
}

/** Where the record of a sweep of this process stands: names sort by time. */
export const sweepPath = (store: string, { time }: SweepRecord): string => join(layout.sweeps(store), `${time.replaceAll(':', '-')}-${process.pid}.json`);

/** Whether a sweep plans an arm otherwise than the newest record of it of the same study, profile and overrides. */
export function saysNew(sweep: SweepRecord, known: readonly SweepRecord[]): boolean {
  const newest = new Map<string, string>();
  for (const record of known) {
    if (record.study !== sweep.study || !sameScale(record, sweep)) continue;
    for (const arm of record.arms) if (!newest.has(armKey(arm))) newest.set(armKey(arm), stagesText(arm));
  }
  return sweep.arms.some(arm => newest.get(armKey(arm)) !== stagesText(arm));
}

export interface NewestArm extends SweptArm {
  readonly study?: string | undefined;
  readonly profile: string;
  /** Sorted. */
  readonly overrides: readonly string[];
}

/** Of each arm, at each scale and seed, what was planned last. @param sweeps newest first */
export function newestArms(sweeps: readonly SweepRecord[]): NewestArm[] {
  const found = new Map<string, NewestArm>();
  for (const sweep of sweeps) {
    const scale = { study: sweep.study, profile: sweep.profile, overrides: [...sweep.overrides].sort() };
    for (const arm of sweep.arms) {
      const name = JSON.stringify([scale, armKey(arm)]);
      if (!found.has(name)) found.set(name, { ...scale, ...arm });
    }
  }
  return [...found.values()];
}

interface Scale {
  readonly study?: string | undefined;
  readonly profile: string;
  readonly overrides: readonly string[];
}

/** Profile and overrides are the same, and so is the study as far as both say it. */
export const sameScale = (a: Scale, b: Scale): boolean => isOfStudy(a, b.study) && a.profile === b.profile && [...a.overrides].sort().join('\n') === [...b.overrides].sort().join('\n');

/** Whether a record is, or as one of an older version may be, of a study. */
export const isOfStudy = (record: Pick<SweptPlan, 'study'>, study: string | undefined): boolean => record.study === undefined || study === undefined || record.study === study;

const armKey = ({ ablation, arm, seed }: SweptArm): string => `${ablation}/${arm} ${seed}`;

const stagesText = ({ stages }: SweptArm): string =>
  Object.entries(stages)
    .map(([role, key]) => `${role}=${key}`)
    .sort()
    .join(' ');
