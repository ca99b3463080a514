/** `ablate report --from`: merges the records of other reports, or of other stores, into the written one. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { readReportManifest, requireOwnReport } from '../../core/report/manifest.ts';
import { parseMergedRecords } from '../../core/report/records/records.ts';
import { readIfWritten, type WrittenRecords } from '../../core/report/records/written.ts';
import { layout } from '../../core/store/layout.ts';
import { readStore, writeMerged, type WriteOptions } from './write.ts';
import { recordsSoFar, warnOfItems, type ReportScope } from './scope.ts';

/** @param from each the folder of a report, of several, or a store. @returns the exit code */
export async function writeFrom(scope: ReportScope, from: readonly string[], prefer: WriteOptions['prefer']): Promise<number> {
  for (const folder of from) {
    const report = recordsSoFar(scope);
    await writeMerged(scope, report, await recordsOf(scope, folder), prefer, folder);
  }
  return 0;
}

async function recordsOf(scope: ReportScope, folder: string): Promise<WrittenRecords> {
  if (existsSync(layout.format(folder))) return readStore(scope, folder, []);
  for (const dir of [folder, join(folder, basename(scope.outDir))]) {
    const written = readIfWritten(dir, parseMergedRecords);
    if (written === undefined) continue;
    requireSameScale(scope, dir);
    warnOfItems(dir, written);
    return written;
  }
  throw new UsageError(
    'NO_RECORDS',
    `--from: expected the folder of a report, of several reports, or a store, got ${folder}, which has no results.jsonl, no ${basename(scope.outDir)}/results.jsonl and no store.json`,
  );
}

/** Keys of another profile are of no arm here: all would be left out without a word why. */
function requireSameScale({ study, profile, overrides, outDir }: ReportScope, dir: string): void {
  requireOwnReport(dir, study.name);
  if (resolve(dir) === resolve(outDir)) throw new UsageError('SAME_REPORT', `--from: expected another report than the one that is written, got ${dir}`);
  const other = readReportManifest(dir);
  if (other === undefined) return;
  const [here, there] = [
    [profile.name, ...overrides],
    [other.profile, ...other.overrides],
  ].map(scale => scale.join(' '));
  if (here !== there) throw new UsageError('OTHER_SCALE', `--from: expected a report of ${here!}, got one of ${there!} in ${dir}`);
}
