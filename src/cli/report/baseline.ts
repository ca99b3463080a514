/** `ablate report --baseline`: what changed against another report, as Markdown and as a section of the page. */
import { listed } from '../../core/text/format.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { loadEveryAblation } from '../../core/ablation/load.ts';
import { compareReports, ofAblations } from '../../core/report/baseline/baseline.ts';
import { joinComments, renderComment } from '../../core/report/baseline/comment.ts';
import { warningSentences } from '../../core/report/baseline/sentences.ts';
import { readBaseline, reportsInGit } from '../../core/report/baseline/source.ts';
import { buildReport } from '../../core/report/model/build.ts';
import { enginesOf } from '../../core/report/records/engines.ts';
import { writeReport } from '../../core/report/write.ts';
import { readReportText, readWritten } from '../../core/report/records/written.ts';
import { reportFolder, reportNames, writtenReports } from '../../core/report/folder.ts';
import type { PlannedExperiments } from '../../core/plan/plan.ts';
import { warn } from '../terminal/text.ts';
import { warnOfItems } from './scope.ts';
import { pc } from '../terminal/colours.ts';
import { note, print } from '../terminal/output.ts';

export interface BaselineOptions {
  readonly reports: string;
  readonly baseline: string;
  readonly only?: readonly string[];
  readonly comment?: string;
  readonly out?: string;
  readonly url?: string;
  readonly untracked?: boolean;
}

/** Of all reports in a folder: those that are compared with a baseline, and what must be said of others. */
export interface ComparedReports {
  readonly names: readonly string[];
  /** Written, and not tracked by git. */
  readonly untracked: readonly string[];
  /** Committed, and not there any more. */
  readonly gone: readonly string[];
  /** What it is compared with, in words. */
  readonly label: string;
}

/**
 * With a commit only what git tracks is compared: a report that nobody commits is new to every commit, and none of a reviewer's business.
 * @throws UsageError when there is no report
 */
export async function comparedReports({ reports, baseline, untracked = false }: BaselineOptions): Promise<ComparedReports> {
  const inGit = await reportsInGit(baseline, reports);
  const gone = inGit?.committed.filter(name => !reportNames(reports).includes(name)) ?? [];
  const names = gone.length > 0 ? reportNames(reports) : writtenReports(reports);
  const known = (name: string): boolean => untracked || inGit === undefined || inGit.tracked.has(name);
  return { names: names.filter(known), untracked: names.filter(name => !known(name)), gone, label: inGit?.label ?? baseline };
}

/** @returns the exit code */
export async function compare(all: readonly PlannedExperiments[], options: BaselineOptions, others?: Omit<ComparedReports, 'names'>): Promise<number> {
  const comments: string[] = [];
  for (const chosen of all) comments.push(await compareOne(chosen, options));
  const left = others === undefined ? [] : untrackedSentence(others, options.reports);
  const text = joinComments(others === undefined ? [] : goneSentences(others, options.reports), comments, left);
  if (options.comment === undefined) print(text);
  else {
    mkdirSync(dirname(resolve(options.comment)), { recursive: true });
    writeFileSync(options.comment, text);
    for (const sentence of left) note(`${sentence}\n`);
    print(`Changes against ${options.baseline}: ${pc.cyan(options.comment)}\n`);
  }
  return 0;
}

const goneSentences = ({ gone, label }: Omit<ComparedReports, 'names'>, reports: string): string[] => gone.map(name => `${join(reports, name)}: the report is gone, which ${label} has.`);

function untrackedSentence({ untracked }: Omit<ComparedReports, 'names'>, reports: string): string[] {
  if (untracked.length === 0) return [];
  const [it, is] = untracked.length === 1 ? ['it', 'it is'] : ['them', 'they are'];
  return [`Not compared, as git does not track ${it}: ${listed(untracked.map(name => join(reports, name)))}. With --untracked ${is} compared, too.`];
}

async function compareOne(chosen: PlannedExperiments, options: BaselineOptions): Promise<string> {
  const { study, profile, overrides, plan } = chosen;
  const outDir = reportFolder(options.reports, profile.name, overrides);
  const target = options.out === undefined ? undefined : reportFolder(options.out, profile.name, overrides);
  if (target !== undefined && resolve(target) === resolve(outDir))
    throw new UsageError('OUT_IS_REPORT', `--out: expected a folder other than that of the report, got ${target}: the report does not depend on what it is compared with`);
  const written = readWritten(outDir);
  warnOfItems(outDir, written);
  const ablations = chosen.ablations.map(a => a.declaration);
  const whole = await readBaseline({ which: options.baseline, outDir, study, plan });
  const names = options.only === undefined ? undefined : new Set(ablations.map(ablation => ablation.name));
  const { records, adopted, baseline } = names === undefined ? { ...written, baseline: whole } : ofAblations(names, written, whole);
  const input = { study, profile, overrides, ablations, records, adopted };
  const changes = compareReports({ ...input, engines: enginesOf(written.provenance) }, baseline);
  for (const warning of warningSentences(changes)) warn(`${outDir}: ${warning}`);
  if (target !== undefined) {
    const expanded = (await loadEveryAblation(chosen.dir, study)).filter(({ declaration }) => names?.has(declaration.name) ?? true);
    await writeReport({ ...input, expanded, provenance: written.provenance, outDir: target, changes });
    note(`Report with its changes: ${pc.cyan(join(target, 'index.html'))}\n`);
  }
  const path = relative(process.cwd(), resolve(outDir)).replaceAll('\\', '/');
  const folder = options.url === undefined ? path : `${options.url.replace(/\/$/, '')}/${path}`;
  return renderComment({ report: buildReport(input), changes, folder, hasFigure: id => readReportText(outDir, `figures/${id}.svg`) !== undefined });
}
