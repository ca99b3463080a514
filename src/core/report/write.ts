/** The folder of a report: rendered, written and checked as a whole. */
import { UsageError } from '../ablation/errors.ts';
import type { Changes } from './baseline/baseline.ts';
import { changesSection } from './baseline/section.ts';
import { buildReport, type ReportInput } from './model/build.ts';
import { claimCsv, conditionCsv, contentsCsv, curveCsv, recipeCsv, resultCsv } from './render/csv.ts';
import { removeBeneath, writeBeneath } from '../disk/beneath.ts';
import { enginesOf } from './records/engines.ts';
import { MANIFEST_FILE, readReportManifest, serializeReportManifest } from './manifest.ts';
import { renderFigures } from './charts/figures.ts';
import { renderHtml } from './render/html/html.ts';
import { claimLatex, plainLatex, resultLatex, twoWayLatex } from './render/latex.ts';
import { escapeMarkup } from './render/html/markup.ts';
import { renderMarkdown } from './render/markdown.ts';
import type { Report } from './model/model.ts';
import { parseProvenance, serializeProvenance, type ReportProvenance } from './records/provenance.ts';
import { serializeAdopted, type AdoptedNumber } from './records/adopted.ts';
import { serializeItems } from './records/items.ts';
import { byText, serializeRecords } from './records/records.ts';
import { pageScript } from './render/html/script.ts';
import { standalone } from './charts/svg/svg.ts';
import { slug } from '../text/clean.ts';
import { ADOPTED_FILE, CLAIMS_FILE, ITEMS_FILE, PROVENANCE_FILE, README_FILE, readReportText, readWritten, RECORDS_FILE, withinReports } from './records/written.ts';

/** What a report may call its own beside the fixed files: no other path in a manifest is ever removed. */
const OWN_PATH = /^(?:items\.jsonl|adopted\.jsonl|figures\/[^/]+\.svg|tables\/[^/]+\.(?:csv|tex))$/;

/**
 * Every file that the records decide, by path within the report, in order of path. Without `provenance.json`.
 * @param changes for a section of the page, which a committed report does not have
 * @internal
 */
export const renderReport = (input: ReportInput, changes?: Changes): Promise<ReadonlyMap<string, string>> => renderFiles(buildReport(input), input, changes);

async function renderFiles(report: Report, { study, profile, overrides = [], records, adopted = [] }: ReportInput, changes: Changes | undefined): Promise<ReadonlyMap<string, string>> {
  const figures = await renderFigures(report);
  const files: [string, string][] = [
    ['index.html', renderHtml(report, figures, { script: await pageScript(), ...(changes && { changes: changesSection(changes) }) })],
    [README_FILE, renderMarkdown(report, figures)],
    [RECORDS_FILE, serializeRecords(records)],
    ...[...figures.values()].map((figure): [string, string] => [`figures/${figure.id}.svg`, standalone(figure.file, escapeMarkup(figure.alt))]),
  ];
  const add = (path: string, text: string | undefined): void => {
    if (text !== undefined) files.push([path, text]);
  };
  add(ITEMS_FILE, serializeItems(records));
  add(ADOPTED_FILE, serializeAdopted(adopted));
  add(CLAIMS_FILE, claimCsv(report));
  add('tables/claims.tex', claimLatex(report));
  add('tables/conditions.csv', conditionCsv(report));
  add('tables/ablations.csv', report.ablations.length < 2 ? undefined : contentsCsv(report));
  add('tables/recipes.csv', recipeCsv(report));
  for (const ablation of report.ablations) {
    const path = `tables/${slug(ablation.name)}`;
    add(`${path}.csv`, resultCsv(ablation));
    add(`${path}.tex`, resultLatex(report, ablation));
    add(`${path}-plain.tex`, plainLatex(report, ablation));
    add(`${path}-two-way.tex`, twoWayLatex(report, ablation));
    add(`${path}-curves.csv`, curveCsv(ablation));
  }
  const paths = [...files.map(([path]) => path), MANIFEST_FILE, PROVENANCE_FILE].sort(byText);
  files.push([MANIFEST_FILE, serializeReportManifest({ study: study.name, profile: profile.name, overrides: [...overrides], files: paths })]);
  return new Map(checkNames(files).sort(([a], [b]) => byText(a, b)));
}

function checkNames(files: [string, string][]): [string, string][] {
  const taken = new Set<string>();
  for (const [path] of files) {
    if (taken.has(path)) throw new UsageError('REPORT_FILE_TAKEN', `Expected every ablation to have files of its own in the report, got ${path} twice. Rename the ablation.`);
    taken.add(path);
  }
  return files;
}

/** What all else can be made from. */
const FIRST: readonly string[] = [ADOPTED_FILE, ITEMS_FILE, RECORDS_FILE, PROVENANCE_FILE];

export interface WrittenReport {
  readonly report: Report;
  /** Paths within the report whose bytes changed or that are new. */
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  /** Figures and tables of an earlier report that this one does not have. */
  readonly removed: readonly string[];
}

/**
 * Writes a report’s folder; files that would not change are not touched.
 * @param input.adopted no writer may leave them out: what is not given is removed
 * @param input.changes for a section of the page, which a committed report does not have
 */
export async function writeReport(
  input: Omit<ReportInput, 'engines' | 'adopted'> & {
    readonly adopted: readonly AdoptedNumber[];
    readonly provenance: ReportProvenance;
    readonly outDir: string;
    readonly changes?: Changes;
  },
): Promise<WrittenReport> {
  const provenance = serializeProvenance(input.provenance);
  const report = buildReport({ ...input, engines: enginesOf(parseProvenance(provenance)) });
  const files = new Map([...(await renderFiles(report, input, input.changes)), [PROVENANCE_FILE, provenance]]);
  const removed = formerFiles(input.outDir, files);
  const written: string[] = [];
  const unchanged: string[] = [];
  for (const path of [...FIRST.filter(path => files.has(path)), ...[...files.keys()].filter(path => !FIRST.includes(path))]) {
    const text = files.get(path)!;
    if (readReportText(input.outDir, path) === text) {
      unchanged.push(path);
      continue;
    }
    writeBeneath(...withinReports(input.outDir, path), text);
    written.push(path);
  }
  for (const path of removed) removeBeneath(...withinReports(input.outDir, path));
  return { report, written, unchanged, removed };
}

export interface ReportProblem {
  readonly path: string;
  readonly problem: 'differs' | 'missing' | 'unexpected';
}

/**
 * Rebuilds a committed report from its own `results.jsonl`, the numbers that it adopted and the declarations, and lists the files that are not what the
 * rebuild gives. Empty: the report is up to date. `provenance.json` cannot be rebuilt; which engines ran is taken from it.
 * @throws UsageError when the folder has no records.
 */
export async function checkReport(input: Omit<ReportInput, 'records' | 'engines' | 'adopted'> & { readonly outDir: string }): Promise<ReportProblem[]> {
  const { records, provenance, adopted } = readWritten(input.outDir);
  const files = await renderReport({ ...input, records, adopted, engines: enginesOf(provenance) });
  const problems = [...files].flatMap(([path, expected]): ReportProblem[] => {
    const found = readReportText(input.outDir, path);
    if (found === expected) return [];
    return [{ path, problem: found === undefined ? 'missing' : 'differs' }];
  });
  return [...problems, ...formerFiles(input.outDir, files).map((path): ReportProblem => ({ path, problem: 'unexpected' }))];
}

/** Figures and tables that the report before listed as its own and that are still there. What anybody else put beside them is theirs. */
function formerFiles(outDir: string, files: ReadonlyMap<string, string>): string[] {
  const listed = readReportManifest(outDir)?.files ?? [];
  return listed.filter(path => OWN_PATH.test(path) && !files.has(path) && readReportText(outDir, path) !== undefined).sort(byText);
}
