/** `ablate report`: write the report from the store; `--check` compares the written one with its records. */
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { openStoreReadOnly } from '../store/store.ts';
import { reportFolder } from './report-folder.ts';
import { choose, withSelection, type Chosen, type Selection } from './selection.ts';
import { plural } from './text.ts';

interface ReportOptions extends Selection {
  readonly reports: string;
  readonly check?: boolean;
}

export function registerReport(program: Command): void {
  withSelection(program.command('report').description('write the report of what is done, beside the published numbers'))
    .option('--reports <folder>', 'where reports are written: one folder a profile', 'reports')
    .option('--check', 'rebuild the written report from its own records and fail where it differs; needs no store')
    .action(async (options: ReportOptions) => {
      const chosen = await choose(options);
      if (options.check === true) process.exitCode = await check(chosen, options.reports);
      else await writeReports(chosen, options);
    });
}

/** Writes the report's folder and says what it came to. */
export async function writeReports(chosen: Chosen, options: { readonly store: string; readonly reports: string }): Promise<void> {
  const [{ buildReport }, { collectProvenance, collectRecords }, { writeReport }] = await Promise.all([
    import('../report/build.ts'), import('../report/collect.ts'), import('../report/write.ts'), // charts: not for the other commands
  ]);
  const { study, profile, overrides, plan } = chosen;
  const store = openStoreReadOnly(options.store);
  const ablations = chosen.ablations.map(a => a.declaration);
  const records = collectRecords(study, plan, store);
  const outDir = reportFolder(options.reports, profile.name, overrides);
  const { written } = await writeReport({ study, profile, overrides, ablations, records, provenance: collectProvenance(plan, store), outDir });
  const { verdict } = buildReport({ study, profile, overrides, ablations, records });
  process.stdout.write(`\n${verdict.join('\n')}\n\n${written.length > 0 ? `Report written (${plural(written.length, 'file')} changed)` : 'Report up to date'}: ${pc.cyan(join(outDir, 'index.html'))}\n`);
}

async function check({ study, profile, overrides, ablations }: Chosen, reports: string): Promise<number> {
  const { checkReport } = await import('../report/write.ts');
  const outDir = reportFolder(reports, profile.name, overrides);
  const problems = await checkReport({ study, profile, overrides, ablations: ablations.map(a => a.declaration), outDir });
  for (const { path, problem } of problems) process.stderr.write(`${pc.red(problem)} ${join(outDir, path)}\n`);
  process.stdout.write(problems.length === 0 ? `${outDir} is what its records give.\n` : `Run \`ablate report\` to write ${outDir} anew.\n`);
  return problems.length === 0 ? 0 : 1;
}
