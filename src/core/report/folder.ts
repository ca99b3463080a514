/** Where the report of a profile stands; of a changed profile never in the place of the plain one. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../ablation/errors.ts';
import { listBeneath } from '../disk/beneath.ts';
import { readReportManifest, type ReportManifest } from './manifest.ts';
import { RECORDS_FILE } from './records/written.ts';

/** Longest readable part: file systems take names of 255 bytes, people fewer. */
const LONGEST = 80;

/**
 * `reports/mini`, or `reports/mini+distill.schedule.epochs-5` with an override.
 * @param overrides in canonical form, sorted
 */
export function reportFolder(reports: string, profile: string, overrides: readonly string[]): string {
  return join(reports, [profile, ...(overrides.length > 0 ? [slug(overrides)] : [])].join('+'));
}

/** Readable, and followed by a hash where another list of overrides could read the same. */
function slug(overrides: readonly string[]): string {
  const readable = overrides.map(o => o.replace('=', '-').replaceAll(/[^\w.-]+/g, '_')).join('+');
  const isPlain = overrides.every(o => /^[\w.]+=[\w.-]+$/.test(o)) && readable.length <= LONGEST;
  if (isPlain) return readable;
  return `${readable.slice(0, LONGEST)}-${createHash('sha256').update(overrides.join('\n')).digest('hex').slice(0, 8)}`;
}

/** Names of the reports in a folder of reports, sorted. */
export const reportNames = (reports: string): string[] =>
  listBeneath(reports, '.')
    .filter(name => existsSync(join(reports, name, RECORDS_FILE)))
    .sort();

/** The same. @throws UsageError when there are none */
export function writtenReports(reports: string): string[] {
  const names = reportNames(reports);
  if (names.length > 0) return names;
  throw new UsageError('NO_RECORDS', `Expected reports in ${reports}/, one folder a profile with its ${RECORDS_FILE}, got none. Write one first: ablate report.`);
}

/**
 * Which profile a report is of, and how that was changed. One without `report.json` is that of the profile that it is named after.
 * @throws UsageError when its name is not that of such a report
 */
export function scaleOfReport(reports: string, name: string): Pick<ReportManifest, 'profile' | 'overrides'> {
  const outDir = join(reports, name);
  const { profile, overrides } = readReportManifest(outDir) ?? { profile: name, overrides: [] };
  if (resolve(reportFolder(reports, profile, overrides)) === resolve(outDir)) return { profile, overrides };
  const whose = [profile, ...overrides.map(change => `--set ${change}`)].join(' ');
  throw new UsageError('STRAY_REPORT', `Expected the report of ${whose} in ${reportFolder(reports, profile, overrides)}, got it in ${outDir}. Rename the folder, or remove it.`);
}
