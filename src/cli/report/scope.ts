/** What one report is about, whatever was chosen to run: every declared ablation at one scale, in one folder. */
import { join } from 'node:path';
import { loadEveryAblation } from '../../core/ablation/load.ts';
import { UsageError } from '../../core/ablation/errors.ts';
import { buildPlan, type Plan, type PlannedExperiments, type PlanRequest } from '../../core/plan/plan.ts';
import { reportFolder } from '../../core/report/folder.ts';
import { readReportManifest, requireOwnReport } from '../../core/report/manifest.ts';
import type { ReportInput } from '../../core/report/model/build.ts';
import { isDeclared } from '../../core/report/adopt.ts';
import { adoptedText, type AdoptedNumber } from '../../core/report/records/adopted.ts';
import { attribute, seedsOf } from '../../core/report/records/attribution.ts';
import { parseMergedRecords, type ReportRecord } from '../../core/report/records/records.ts';
import { ADOPTED_FILE, ITEMS_FILE, readIfWritten, type ReadRecords, type WrittenRecords } from '../../core/report/records/written.ts';
import { plural } from '../../core/text/format.ts';
import { warn } from '../terminal/text.ts';
import { requireWritable } from './writable.ts';

export interface ReportScope extends Pick<PlanRequest, 'study' | 'profile' | 'ablations'> {
  readonly overrides: readonly string[];
  readonly outDir: string;
}

/** @param reports folder of all reports */
export async function reportScope({ dir, study, profile, overrides }: PlannedExperiments, reports: string): Promise<ReportScope> {
  return { study, profile, overrides, ablations: await loadEveryAblation(dir, study), outDir: reportFolder(reports, profile.name, overrides) };
}

/**
 * The scope of a report that a sweep is to write: what would be refused at its end is refused now.
 * @throws UsageError when the folder holds the report of another study, or an ablation beside the chosen ones is wrong
 */
export async function prepareReport(chosen: PlannedExperiments, reports: string): Promise<ReportScope> {
  requireWritable(reportFolder(reports, chosen.profile.name, chosen.overrides));
  try {
    const scope = await reportScope(chosen, reports);
    recordsSoFar(scope);
    buildPlan({ ...scope, seeds: chosen.seeds });
    return scope;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${error.message}\nThe report shows every declared ablation; --no-report runs what was chosen without it.`, { cause: error });
  }
}

/** For the functions that make or check a report. */
export const declared = ({ study, profile, overrides, ablations, outDir }: ReportScope): Omit<ReportInput, 'records' | 'adopted' | 'engines'> & { readonly outDir: string } => ({
  study,
  profile,
  overrides,
  ablations: ablations.map(({ declaration }) => declaration),
  expanded: ablations,
  outDir,
});

/** The plan of all arms, for the seeds that these records are of, whatever the profile's are by now. */
export const planOf = ({ study, profile, ablations }: ReportScope, records: readonly ReportRecord[]): Plan => buildPlan({ study, profile, ablations, seeds: seedsOf(records) });

/**
 * Records of the report as it is, none where there is none yet.
 * @throws UsageError when the folder holds the report of another study
 */
export function recordsSoFar(scope: ReportScope): WrittenRecords {
  const { outDir, study } = scope;
  requireOwnReport(outDir, study.name);
  const written = readIfWritten(outDir, parseMergedRecords) ?? { records: [], provenance: {}, adopted: [], damaged: [] };
  warnOfItems(outDir, written);
  warnOfAdopted(scope, written.adopted);
  if (written.records.length > 0 && readReportManifest(outDir) === undefined && attribute(written.records, planOf(scope, written.records)).records.length === 0) {
    throw new UsageError(
      'FOREIGN_REPORT',
      `Expected a report of the study ${study.name} in ${outDir}, got ${written.records.length} records of which it declares none, and no report.json that says whose they are. Choose another folder with --reports; or remove that one, if nobody needs it.`,
    );
  }
  return written;
}

/** They stay, since no store has them, and stand in no table. */
export function warnOfAdopted({ study, ablations, outDir }: ReportScope, adopted: readonly AdoptedNumber[]): void {
  const declarations = ablations.map(({ declaration }) => declaration);
  const strays = adopted.filter(number => !isDeclared(number, study, declarations));
  if (strays.length > 0)
    warn(
      `${join(outDir, ADOPTED_FILE)}: ${plural(strays.length, 'number')} from elsewhere ${strays.length === 1 ? 'is' : 'are'} of arms or measures that are not declared, and in no table (${adoptedText(strays[0]!)}${strays.length === 1 ? '' : ', ...'}). They stay until ablate report --prune --adopted.`,
    );
}

/** Of many that are damaged, the first ones tell enough. */
const SHOWN = 3;

/** Item results that cannot be used, a line each. */
export function itemProblems(outDir: string, { damaged }: Pick<ReadRecords, 'damaged'>): string[] {
  const more = damaged.length - SHOWN;
  return [...damaged.slice(0, SHOWN), ...(more > 0 ? [`so are those of ${plural(more, 'other record')}`] : [])].map(what => `${join(outDir, ITEMS_FILE)}: ${what}`);
}

/** They are left out of what is read here. */
export function warnOfItems(outDir: string, read: Pick<ReadRecords, 'damaged'>): void {
  for (const line of itemProblems(outDir, read)) warn(line);
  if (read.damaged.length > 0) warn('They are left out; a store that has them gives them back: ablate report --store <folder>');
}
