/** `ablate adopt`: adds numbers that were not run here to a report. */
import { join } from 'node:path';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { parseAdoption, readAdoptionFile } from '../../core/report/adopt.ts';
import type { Report } from '../../core/report/model/model.ts';
import { tablesOf } from '../../core/report/model/tables-of.ts';
import { mergeRecords } from '../../core/report/records/merge.ts';
import { writeReport } from '../../core/report/write.ts';
import { plural } from '../../core/text/format.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';
import { warn } from '../terminal/text.ts';
import { declared, planOf, recordsSoFar, reportScope } from './scope.ts';
import { requireWritable } from './writable.ts';

/** @param reports folder of all reports @throws UsageError when a line of the file is not right: nothing is written then */
export async function adopt(chosen: PlannedExperiments, reports: string, file: string): Promise<void> {
  const text = readAdoptionFile(file);
  const scope = await reportScope(chosen, reports);
  const report = recordsSoFar(scope);
  const numbers = parseAdoption(text, file, { ...declared(scope), records: report.records, adopted: report.adopted });
  requireWritable(scope.outDir);
  const merged = mergeRecords(report, { records: [], provenance: {}, adopted: numbers }, planOf(scope, report.records), 'report');
  const { report: model, written, removed } = await writeReport({ ...declared(scope), records: merged.records, adopted: merged.adopted, provenance: merged.provenance });
  const [changed, dropped] = [written.length + removed.length, merged.dropped.length + merged.replaced.length];
  const shown = shownArms(model);
  const unseen = [...new Set(numbers.map(({ ablation, arm }) => `${ablation}/${arm}`).filter(name => !shown.has(name)))];
  if (unseen.length > 0)
    warn(
      `${plural(unseen.length, 'arm')} of ${file} ${unseen.length === 1 ? 'is' : 'are'} in no table of this report, and so are the numbers until one is: ${unseen.slice(0, 3).join(', ')}${unseen.length > 3 ? ', ...' : ''}`,
    );
  if (dropped > 0) warn(`${plural(dropped, 'record')} of the report ${dropped === 1 ? 'is' : 'are'} dropped that the declarations no longer give`);
  print(
    `${plural(merged.adopted.length, 'number')} from elsewhere: ${merged.newAdopted} added.\n${changed > 0 ? `Report written (${plural(changed, 'file')} changed)` : 'Report up to date'}: ${pc.cyan(join(scope.outDir, 'index.html'))}\n`,
  );
}

/** `ablation/arm` of every row of a table that has a number from elsewhere. */
function shownArms({ ablations }: Report): ReadonlySet<string> {
  const names = ablations
    .flatMap(tablesOf)
    .flatMap(({ name, rows, headroom }) => [
      ...rows.filter(({ elsewhere }) => elsewhere.length > 0).map(row => `${name}/${row.name}`),
      ...headroom.filter(({ elsewhere }) => elsewhere.length > 0).map(row => row.name),
    ]);
  return new Set(names);
}
