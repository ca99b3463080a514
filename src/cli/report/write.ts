/** Writes a report from the store. */
import { join } from 'node:path';
import pc from 'picocolors';
import { buildPlan, type PlannedExperiments } from '../../core/plan/plan.ts';
import { reportFolder } from '../../core/report/folder.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { plural } from '../../core/text/format.ts';

/** Writes the report's folder and says what it came to. */
export async function writeReports(chosen: PlannedExperiments, options: { readonly store: string; readonly reports: string }): Promise<void> {
  const [{ collectProvenance, collectRecords }, { writeReport }] = await Promise.all([
    import('../../core/report/records/collect.ts'),
    import('../../core/report/write.ts'), // charts: not for the other commands
  ]);
  const { study, profile, overrides, whole, seeds } = chosen;
  // A report shows whole ablations, whichever of their arms were chosen to run: what others have done before is there to be shown.
  const plan = buildPlan({ study, profile, ablations: whole, seeds });
  const store = openStoreReadOnly(options.store);
  const ablations = whole.map(a => a.declaration);
  const records = collectRecords(study, plan, store);
  const outDir = reportFolder(options.reports, profile.name, overrides);
  const { report, written } = await writeReport({ study, profile, overrides, ablations, expanded: whole, records, provenance: collectProvenance(plan, store), outDir });
  process.stdout.write(
    `\n${report.verdict.join('\n')}\n\n${written.length > 0 ? `Report written (${plural(written.length, 'file')} changed)` : 'Report up to date'}: ${pc.cyan(join(outDir, 'index.html'))}\n`,
  );
}
