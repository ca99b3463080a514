/** The files of a written report that others are made from, and reading them back. */
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from '../../ablation/errors.ts';
import { readTextBeneath } from '../../disk/beneath.ts';
import { parseAdopted, type AdoptedNumber } from './adopted.ts';
import { joinItems } from './items.ts';
import { parseProvenance, type ReportProvenance } from './provenance.ts';
import { parseRecords, type ReportRecord } from './records.ts';

export const RECORDS_FILE = 'results.jsonl';
/** Beside the records: which test items each stage found right. */
export const ITEMS_FILE = 'items.jsonl';
/** Numbers that were not run here. */
export const ADOPTED_FILE = 'adopted.jsonl';
export const PROVENANCE_FILE = 'provenance.json';
/** Beside the tables of the ablations. */
export const CLAIMS_FILE = 'tables/claims.csv';
export const README_FILE = 'README.md';

/**
 * The folder that holds all reports, and a path in it. A report comes with a pull request, its folder, too: no link below that root is
 * followed.
 */
export const withinReports = (outDir: string, path: string): readonly [root: string, path: string] => [dirname(resolve(outDir)), join(basename(resolve(outDir)), path)];

/** Undefined where there is no such file. @throws UnsafePathError where a link is on the way */
export const readReportText = (outDir: string, path: string): string | undefined => readTextBeneath(...withinReports(outDir, path));

export interface WrittenRecords {
  readonly records: readonly ReportRecord[];
  /** Empty where the report has no such file. */
  readonly provenance: ReportProvenance;
  /** Numbers that were not run here, in their order. */
  readonly adopted: readonly AdoptedNumber[];
}

/** Out of a report's folder. */
export interface ReadRecords extends WrittenRecords {
  /** What of `items.jsonl` could not be used, a sentence each. */
  readonly damaged: readonly string[];
}

/**
 * What a report was made from, out of its own folder.
 * @param parse how lines become records: as they must be, or as a merge left them
 * @throws UsageError when there is no report
 * @throws RecordError when a file is not what it should be
 */
export function readWritten(outDir: string, parse: (text: string) => ReportRecord[] = parseRecords): ReadRecords {
  const written = readIfWritten(outDir, parse);
  if (written !== undefined) return written;
  throw new UsageError('NO_RECORDS', `Expected the records of a report in ${join(outDir, RECORDS_FILE)}, got no such file. Write the report first: ablate report.`);
}

/** As `readWritten`; undefined where there is no report yet. */
export function readIfWritten(outDir: string, parse: (text: string) => ReportRecord[]): ReadRecords | undefined {
  const text = readReportText(outDir, RECORDS_FILE);
  if (text === undefined) return undefined;
  const provenance = readReportText(outDir, PROVENANCE_FILE);
  return {
    ...joinItems(parse(text), readReportText(outDir, ITEMS_FILE)),
    provenance: provenance === undefined ? {} : parseProvenance(provenance),
    adopted: parseAdopted(readReportText(outDir, ADOPTED_FILE)),
  };
}
