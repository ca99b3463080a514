/** `ablate report`: write the report from the store, or look at the written one: check, verify, rebuild, compare it. */
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../../core/ablation/errors.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { writtenProfiles } from '../../core/report/folder.ts';
import { choose, withSelection, type OptionsOf } from '../options/selection.ts';
import { writeReports } from '../report/write.ts';

type ReportOptions = OptionsOf<typeof defineReport>;

const HELP = `
With none of these options the report is written from the store to <reports>/<profile>/. The others read the written report:
  --check     do all files follow from results.jsonl and the declarations? Catches a digit changed anywhere but in results.jsonl
              itself where nothing shows it, and a result moved to another arm. Exit code 1 where a file differs.
  --verify    do the records follow from the store they were read from? Catches a changed, removed or added record.
  --rebuild   makes the other files anew from results.jsonl: after a merge, or when only texts or charts changed.
  --baseline  what changed since a commit or against another report, as Markdown. The written report stays as it is; with --out
              a copy of it with a section on the changes is written elsewhere.`;

const defineReport = (program: Command) =>
  withSelection(program.command('report').description('write the report of what is done, beside the published numbers; check, verify or compare the written one'))
    .option('--reports <folder>', 'where reports are written: one folder a profile', 'reports')
    .option('--check', 'rebuild the written report from its own records and fail where it differs; needs no store')
    .option('--verify <store>', 'compare the records of the written report with the results of a store and fail where they differ')
    .option('--rebuild', 'write the report anew from its own records; needs no store')
    .option('--baseline <ref|folder>', 'compare the written report with that of a git commit, of another folder or of a store; prints Markdown')
    .option('--comment <file>', 'with --baseline: write the Markdown there')
    .option('--out <folder>', 'with --baseline: also write the report with its changes there, one folder a profile')
    .option('--url <address>', "with --baseline: address of the repository's files at this commit, for links")
    .option('--all', 'with --check, --verify, --rebuild or --baseline: every report in the folder of reports, whatever --profile says')
    .addHelpText('after', HELP);

export function registerReport(program: Command): void {
  defineReport(program).action(async options => {
    process.exitCode = await report(options);
  });
}

const MODES = ['check', 'verify', 'rebuild', 'baseline'] as const;
const OF_BASELINE = ['comment', 'out', 'url'] as const;

async function report(options: ReportOptions): Promise<number> {
  refuseMixed(options);
  const profiles = options.all === true ? writtenProfiles(options.reports, options.experiments) : [options.profile];
  const chosen: PlannedExperiments[] = [];
  for (const profile of profiles) chosen.push(await choose({ ...options, profile }));
  const { reports, verify, baseline } = options;
  if (baseline !== undefined) return (await import('../report/baseline.ts')).compare(chosen, { ...options, reports, baseline });
  if (verify !== undefined) return (await import('../report/check.ts')).verify(chosen, reports, verify);
  if (options.check === true) return (await import('../report/check.ts')).check(chosen, reports);
  if (options.rebuild === true) return (await import('../report/rebuild.ts')).rebuild(chosen, reports);
  for (const one of chosen) await writeReports(one, options);
  return 0;
}

function refuseMixed(options: ReportOptions): void {
  const modes = MODES.filter(mode => options[mode] !== undefined);
  if (modes.length > 1) throw new UsageError('MIXED_OPTIONS', `Expected one of ${MODES.map(mode => `--${mode}`).join(', ')}, got ${modes.map(mode => `--${mode}`).join(' and ')}`);
  const strays = OF_BASELINE.filter(name => options[name] !== undefined && options.baseline === undefined);
  if (strays.length > 0) throw new UsageError('MIXED_OPTIONS', `--${strays[0]!}: expected --baseline with it, got none`);
  if (options.all === true && modes.length === 0) throw new UsageError('MIXED_OPTIONS', `--all: expected one of ${MODES.map(mode => `--${mode}`).join(', ')} with it, got none`);
}
