/** `ablate report --rebuild`: the files of a report anew from its records, as after a merge. */
import { join } from 'node:path';
import { attribute } from '../../core/report/records/attribution.ts';
import { readCommitted } from '../../core/report/baseline/source.ts';
import { factsBehind, parseProvenance, type ReportProvenance } from '../../core/report/records/provenance.ts';
import { requireOwnReport } from '../../core/report/manifest.ts';
import { parseMergedRecords } from '../../core/report/records/records.ts';
import { writeReport } from '../../core/report/write.ts';
import { PROVENANCE_FILE, readWritten } from '../../core/report/records/written.ts';
import { plural } from '../../core/text/format.ts';
import { warn } from '../terminal/text.ts';
import { declared, planOf, warnOfAdopted, warnOfItems, type ReportScope } from './scope.ts';
import { pc } from '../terminal/colours.ts';
import { print } from '../terminal/output.ts';

export async function rebuild(scope: ReportScope): Promise<number> {
  const { outDir, study } = scope;
  requireOwnReport(outDir, study.name);
  const written = readWritten(outDir, parseMergedRecords);
  warnOfItems(outDir, written);
  const { records, unneeded, replaced } = attribute(written.records, planOf(scope, written.records));
  if (unneeded.length > 0) warn(`${plural(unneeded.length, 'record')} of ${outDir} belong to stages that no declared arm needs: they are left out.`);
  warnOfAdopted(scope, written.adopted);
  if (replaced.length > 0) warn(`${plural(replaced.length, 'record')} of ${outDir} have been replaced by a rerun: they are left out.`);
  const known: ReportProvenance = { ...(await provenanceOfMerge(outDir)), ...written.provenance };
  const { written: files, removed } = await writeReport({ ...declared(scope), records, adopted: written.adopted, provenance: factsBehind(records, known) });
  const changed = files.length + removed.length;
  print(`${changed > 0 ? `Report rebuilt from ${plural(records.length, 'record')} (${plural(changed, 'file')} changed)` : 'Report up to date'}: ${pc.cyan(join(outDir, 'index.html'))}\n`);
  return 0;
}

/** While git merges, the facts of the other branch are not in the folder yet: records merge line by line, these do not. */
async function provenanceOfMerge(outDir: string): Promise<ReportProvenance> {
  const files = await readCommitted('MERGE_HEAD', outDir, [PROVENANCE_FILE]);
  const text = files?.texts.get(PROVENANCE_FILE);
  return text === undefined ? {} : parseProvenance(text);
}
