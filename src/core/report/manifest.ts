/**
 * `report.json`: whose report a folder holds, and which files are its own. A folder belongs to one study at one scale, and only files that
 * stand here are ever removed.
 */
import { basename } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../ablation/json.ts';
import { UsageError } from '../ablation/errors.ts';
import { readReportText } from './records/written.ts';

export const MANIFEST_FILE = 'report.json';

const shape = z.strictObject({
  study: z.string(),
  profile: z.string(),
  /** Changes of the profile in canonical form, sorted. */
  overrides: z.array(z.string()),
  /** Paths within the folder, sorted. */
  files: z.array(z.string()),
});

export type ReportManifest = z.infer<typeof shape>;

export const serializeReportManifest = ({ study, profile, overrides, files }: ReportManifest): string => `${JSON.stringify({ study, profile, overrides, files }, null, 2)}\n`;

/** Undefined where there is none, or none that can be read, as in the middle of a merge. */
export function readReportManifest(outDir: string): ReportManifest | undefined {
  const text = readReportText(outDir, MANIFEST_FILE);
  if (text === undefined) return undefined;
  try {
    return shape.safeParse(parseJson(text)).data;
  } catch {
    return undefined;
  }
}

/** @throws UsageError when the folder holds the report of another study */
export function requireOwnReport(outDir: string, study: string): void {
  const manifest = readReportManifest(outDir);
  if (manifest === undefined || manifest.study === study) return;
  throw new UsageError(
    'FOREIGN_REPORT',
    `Expected a report of the study ${study} in ${outDir}, got one of the study ${manifest.study}: a folder belongs to one study. Choose another folder with --reports, or another name for the profile ${basename(outDir)}; where the study was given another name, remove ${MANIFEST_FILE} there.`,
  );
}
