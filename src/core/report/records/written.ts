/** The files of a written report that others are made from, and reading them back. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../ablation/errors.ts';
import { parseProvenance, type ReportProvenance } from './provenance.ts';
import { parseRecords, type ReportRecord } from './records.ts';

export const RECORDS_FILE = 'results.jsonl';
export const PROVENANCE_FILE = 'provenance.json';
/** Beside the tables of the ablations. */
export const CLAIMS_FILE = 'tables/claims.csv';
export const README_FILE = 'README.md';

export const readText = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

export interface WrittenRecords {
  readonly records: readonly ReportRecord[];
  /** Empty where the report has no such file. */
  readonly provenance: ReportProvenance;
}

/**
 * What a report was made from, out of its own folder.
 * @param parse how lines become records: as they must be, or as a merge left them
 * @throws UsageError when there is no report
 * @throws RecordError when a file is not what it should be
 */
export function readWritten(outDir: string, parse: (text: string) => ReportRecord[] = parseRecords): WrittenRecords {
  const text = readText(join(outDir, RECORDS_FILE));
  if (text === undefined) {
    throw new UsageError('NO_RECORDS', `Expected the records of a report in ${join(outDir, RECORDS_FILE)}, got no such file. Write the report first: ablate report.`);
  }
  const provenance = readText(join(outDir, PROVENANCE_FILE));
  return { records: parse(text), provenance: provenance === undefined ? {} : parseProvenance(provenance) };
}
