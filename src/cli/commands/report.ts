/** `ablate report`: write the report from the store, or look at the written one: check, verify, rebuild, compare it. */
import { Option, type Command } from '@commander-js/extra-typings';
import { AblateError, UsageError } from '../../core/ablation/errors.ts';
import { scaleOfReport, writtenReports } from '../../core/report/folder.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { pathOf, pathsOf } from '../options/paths.ts';
import { choose, withSelection, type OptionsOf } from '../options/selection.ts';
import { reportScope } from '../report/scope.ts';
import { requireWritable } from '../report/writable.ts';
import { writeFromStore } from '../report/write.ts';
import { complain } from '../terminal/text.ts';

type ReportOptions = OptionsOf<typeof defineReport>;

const HELP = `
With none of these options what the store holds is added to <reports>/<profile>/. A report shows all declared arms; its records stay,
whichever store they came from, as long as the declarations give them. The others:
  --from      adds the records of other reports, or of other stores, instead of those of the store: merges clones.
  --prune     keeps only what the store holds of the chosen arms and seeds: shows what would go, and removes it with --yes. Numbers that
              ablate adopt took stay; with --adopted they go instead, by a text in their note.
  --check     do all files follow from results.jsonl and the declarations? Catches a digit changed in any of them, a result changed
              without its SHA-256 and a result moved to another arm. Exit code 1 where a file differs.
  --verify    do the records follow from the store they were read from? Catches a changed, removed or added record.
  --rebuild   makes the other files anew from results.jsonl: after a merge, or when only texts or charts changed.
  --baseline  what changed since a commit or against another report, as Markdown. The written report stays as it is; with --out
              a copy of it with a section on the changes is written elsewhere.`;

const defineReport = (program: Command) =>
  withSelection(program.command('report').description('write the report of what is done, beside the published numbers; check, verify or compare the written one'))
    .option('--reports <folder>', 'where reports are written: one folder a profile', pathOf('--reports'), 'reports')
    .option('--from <folder...>', 'add the records of these reports (or folders of reports, or stores) to the written one', pathsOf('--from'))
    .addOption(new Option('--prefer <which>', 'whose result counts where the report and what is added to it have different ones').choices(['report', 'store'] as const).default('report' as const))
    .option('--prune', 'show which records of the written report the store does not hold for the chosen arms and seeds; with --yes remove them')
    .option('--adopted <text>', "with --prune: instead of records, the numbers from elsewhere that have this text in their note ('': all)")
    .option('--yes', 'with --prune: remove them')
    .option('--check', 'rebuild the written report from its own records and fail where it differs; needs no store')
    .option('--verify <store>', 'compare the records of the written report with the results of a store and fail where they differ', pathOf('--verify'))
    .option('--rebuild', 'write the report anew from its own records; needs no store')
    .option('--baseline <ref|folder>', 'compare the written report with that of a git commit, or of a folder or store (./x or absolute); prints Markdown')
    .option('--comment <file>', 'with --baseline: write the Markdown there', pathOf('--comment'))
    .option('--out <folder>', 'with --baseline: also write the report with its changes there, one folder a profile', pathOf('--out'))
    .option('--url <address>', "with --baseline: address of the repository's files at this commit, for links")
    .option('--untracked', 'with --all and --baseline: compare the reports that git does not track, too')
    .option('--all', 'with --check, --verify, --rebuild or --baseline: every report in the folder of reports, whatever --profile and --set say')
    .addHelpText('after', HELP);

export function registerReport(program: Command): void {
  defineReport(program).action(async options => {
    process.exitCode = await report(options);
  });
}

const MODES = ['from', 'prune', 'check', 'verify', 'rebuild', 'baseline'] as const;
const OF_ALL = ['check', 'verify', 'rebuild', 'baseline'] as const;
const OF_BASELINE = ['comment', 'out', 'url'] as const;

const flags = (names: readonly string[]): string => names.map(name => `--${name}`).join(', ');

async function report(options: ReportOptions): Promise<number> {
  refuseMixed(options);
  const { reports, baseline } = options;
  if (options.all !== true)
    return baseline === undefined ? one(await choose(options), options) : (await import('../report/baseline.ts')).compare([await choose(options)], { ...options, reports, baseline });
  if (baseline === undefined) return each(writtenReports(reports), async name => one(await chooseWritten(name, options), options));
  const { compare, comparedReports } = await import('../report/baseline.ts');
  const { names, ...others } = await comparedReports({ ...options, reports, baseline });
  const chosen: PlannedExperiments[] = [];
  const code = await each(names, async name => {
    chosen.push(await chooseWritten(name, options));
    return 0;
  });
  return Math.max(code, await compare(chosen, { ...options, reports, baseline }, others));
}

const chooseWritten = (name: string, options: ReportOptions): Promise<PlannedExperiments> => {
  const { profile, overrides } = scaleOfReport(options.reports, name);
  const { experiments, store, only, seeds } = options;
  return choose({ experiments, store, profile, set: overrides, ...(only && { only }), ...(seeds !== undefined && { seeds }) });
};

/** One report that cannot be read keeps none of the others from being looked at. @returns the highest exit code */
async function each(names: readonly string[], act: (name: string) => Promise<number>): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      code = Math.max(code, await act(name));
    } catch (error) {
      if (!(error instanceof AblateError)) throw error;
      complain('error', `${name}: ${error.message}`);
      code = Math.max(code, error instanceof UsageError ? 2 : 1);
    }
  }
  return code;
}

async function one(chosen: PlannedExperiments, options: ReportOptions): Promise<number> {
  const scope = await reportScope(chosen, options.reports);
  if (options.verify !== undefined) return (await import('../report/check.ts')).verify(scope, options.verify);
  if (options.check === true) return (await import('../report/check.ts')).check(scope);
  if (options.prune !== true || options.yes === true) requireWritable(scope.outDir);
  if (options.rebuild === true) return (await import('../report/rebuild.ts')).rebuild(scope);
  if (options.adopted !== undefined) return (await import('../report/prune.ts')).pruneAdopted(scope, options.adopted, options.yes === true);
  if (options.prune === true) return (await import('../report/prune.ts')).prune(scope, chosen.plan, options);
  if (options.from !== undefined) return (await import('../report/from.ts')).writeFrom(scope, options.from, options.prefer);
  await writeFromStore(scope, { store: options.store, prefer: options.prefer });
  return 0;
}

function refuseMixed(options: ReportOptions): void {
  const modes = MODES.filter(mode => options[mode] !== undefined);
  const expected = (what: string, got: string): UsageError => new UsageError('MIXED_OPTIONS', `${what}, got ${got}`);
  if (modes.length > 1) throw expected(`Expected one of ${flags(MODES)}`, modes.map(mode => `--${mode}`).join(' and '));
  const strays = OF_BASELINE.filter(name => options[name] !== undefined && options.baseline === undefined);
  if (strays.length > 0) throw expected(`--${strays[0]!}: expected --baseline with it`, 'none');
  if (options.untracked === true && (options.all !== true || options.baseline === undefined)) throw expected('--untracked: expected --all and --baseline with it', 'none');
  if (options.yes === true && options.prune !== true) throw expected('--yes: expected --prune with it', 'none');
  if (options.adopted !== undefined && options.prune !== true) throw expected('--adopted: expected --prune with it', 'none');
  if (options.all === true && OF_ALL.every(mode => options[mode] === undefined)) throw expected(`--all: expected one of ${flags(OF_ALL)} with it`, 'none');
  const chosen = (['only', 'seeds'] as const).find(name => options[name] !== undefined);
  if (chosen !== undefined && options.adopted !== undefined)
    throw expected(`--${chosen}: expected no --adopted with it, as numbers from elsewhere are chosen by their note alone`, `--adopted '${options.adopted}'`);
  if (chosen !== undefined && options.baseline === undefined && options.prune === undefined)
    throw expected(`--${chosen}: expected --baseline or --prune with it, as a report shows every declared arm and every seed that was run`, 'none');
}
