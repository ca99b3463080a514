/** What has to be there before anything is spent on a sweep. */
import { resolve } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { obstacles } from '../../core/inspect/obstacles.ts';
import { filesOf } from '../../core/plan/files.ts';
import { stagesToRun } from '../../core/plan/needed.ts';
import type { PlannedExperiments, PlannedStage } from '../../core/plan/plan.ts';
import type { Place } from '../../core/runner/devices.ts';
import { openStoreIfThere } from '../../core/store/store.ts';
import { dataDir } from '../../setup/cache.ts';
import { commandLine } from '../terminal/invocation.ts';
import { missingFileTexts } from '../terminal/missing-file.ts';

/** @param places of workers, as far as they are known @throws UsageError `NOT_RUNNABLE` */
export function requireRunnable(chosen: PlannedExperiments, stages: readonly PlannedStage[] = [], places: readonly Place[] = []): void {
  const reasons = obstacles(chosen, stages, places),
    { name } = chosen.profile;
  if (reasons.length > 0) throw new UsageError('NOT_RUNNABLE', `Profile ${name} cannot run here: ${reasons.join('\n')}. See its plan with ablate plan --profile ${name}.`);
}

/** Else every stage would fail of it. @throws UsageError `NOT_READY` */
export function requireReady({ study, profile }: PlannedExperiments): void {
  const missing = study.notReady?.(profile, resolve(dataDir()));
  if (missing !== undefined) throw new UsageError('NOT_READY', `${missing.what}.\nTo mend it: ${commandLine(missing.mend)}`);
}

/** Of what stages need beside them. @returns where the files lie, by key of the stage @throws UsageError `MISSING_FILE` */
export function requireFiles(chosen: PlannedExperiments, store: string): Map<string, string> {
  const all = filesOf(chosen, chosen.plan.stages.values(), () => resolve(dataDir()));
  const lying = new Map(all.flatMap(({ stage, file: { path } }) => (path === undefined ? [] : [[stage.key, path] as const])));
  const absent = all.filter(({ file }) => file.missing);
  if (absent.length === 0) return lying;
  const reader = openStoreIfThere(store);
  const toRun = new Set(stagesToRun(chosen.plan, key => reader?.doneAttempt(key) !== undefined));
  const missing = absent.filter(({ stage }) => toRun.has(stage));
  if (missing.length > 0)
    throw new UsageError(
      'MISSING_FILE',
      missingFileTexts(chosen.plan, missing)
        .map(text => `Missing: ${text}`)
        .join('\n'),
    );
  return lying;
}

/** Of `--checkpoint-every`. @throws UsageError `BAD_OPTION` */
export function checkpointMilliseconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new UsageError('BAD_OPTION', `--checkpoint-every: expected seconds above 0, got '${text}'`);
  return value * 1000;
}
