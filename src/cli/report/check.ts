/** `ablate report --check` and `--verify`: whether a written report follows from its records, and they from a store. */
import { join } from 'node:path';
import pc from 'picocolors';
import { UsageError } from '../../core/ablation/errors.ts';
import { buildPlan, type Plan } from '../../core/plan/plan.ts';
import { attribute, seedsOf } from '../../core/report/records/attribution.ts';
import type { ReportRecord } from '../../core/report/records/records.ts';
import { verifyRecords } from '../../core/report/records/verify.ts';
import { checkReport } from '../../core/report/write.ts';
import { readWritten, RECORDS_FILE } from '../../core/report/records/written.ts';
import { StoreError } from '../../core/store/errors.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { reportFolder } from '../../core/report/folder.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { plural } from '../../core/text/format.ts';
import { warn } from '../terminal/text.ts';

/** The plan of the arms that a report shows, for the seeds that its records are of, whatever the profile's are by now. */
export const planOf = ({ study, profile, whole }: PlannedExperiments, records: readonly ReportRecord[]): Plan => buildPlan({ study, profile, ablations: whole, seeds: seedsOf(records) });

const complain = (what: string, text: string): void => void process.stderr.write(`${pc.red(what)} ${text}\n`);

/** @returns the exit code: 1 where a report is not what its records and the declarations give */
export async function check(all: readonly PlannedExperiments[], reports: string): Promise<number> {
  let code = 0;
  for (const chosen of all) {
    const outDir = reportFolder(reports, chosen.profile.name, chosen.overrides);
    const good = await checkOne(chosen, outDir);
    process.stdout.write(
      good
        ? `${outDir} is what its records and the declarations give.\n`
        : `Run \`ablate report --rebuild --profile ${chosen.profile.name}\` to make ${outDir} anew from its records, \`ablate report\` from the store.\n`,
    );
    if (!good) code = 1;
  }
  return code;
}

async function checkOne(chosen: PlannedExperiments, outDir: string): Promise<boolean> {
  const { study, profile, overrides, ablations } = chosen;
  const problems = await checkReport({ study, profile, overrides, ablations: ablations.map(a => a.declaration), expanded: chosen.whole, outDir });
  for (const { path, problem } of problems) complain(problem, join(outDir, path));
  const { records } = readWritten(outDir);
  const { misplaced, unneeded } = attribute(records, planOf(chosen, records));
  for (const key of misplaced) complain('differs', `${join(outDir, RECORDS_FILE)}: the uses of record ${key} are not those of the declarations`);
  if (unneeded.length > 0)
    warn(
      `${outDir}: ${plural(unneeded.length, 'record')} of ${records.length} belong to stages that no declared arm needs any more (a recipe or a revision has changed): their numbers are those of before.`,
    );
  return problems.length + misplaced.length === 0;
}

/** @returns the exit code: 1 where a record is not what the store has */
export function verify(all: readonly PlannedExperiments[], reports: string, storeDir: string): number {
  const store = openOrRefuse(storeDir);
  let code = 0;
  for (const chosen of all) {
    const outDir = reportFolder(reports, chosen.profile.name, chosen.overrides);
    const { records } = readWritten(outDir);
    const problems = verifyRecords(records, chosen.study, planOf(chosen, records), store);
    for (const { key, record, field, expected, got } of problems) {
      complain('differs', `${join(outDir, RECORDS_FILE)}: ${record} (${key.slice(0, 12)}): ${field}: expected ${expected}, got ${got}`);
    }
    const differing = new Set(problems.map(({ key }) => key)).size;
    process.stdout.write(
      differing === 0
        ? `${plural(records.length, 'record')} of ${outDir} are what ${storeDir} holds.\n`
        : `${plural(differing, 'record')} of ${outDir} differ from ${storeDir}. Run \`ablate report --store ${storeDir}\` to write the report anew.\n`,
    );
    if (differing > 0) code = 1;
  }
  return code;
}

/** A store that is none is bad use here, not a failed stage. */
function openOrRefuse(dir: string): StoreReader {
  try {
    return openStoreReadOnly(dir);
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(error.code, `--verify: ${error.message}`, { cause: error });
    throw error;
  }
}
