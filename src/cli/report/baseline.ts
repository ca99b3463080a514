/** `ablate report --baseline`: what changed against another report, as Markdown and as a section of the page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { loadEveryAblation } from '../../core/ablation/load.ts';
import { compareReports, ofAblations } from '../../core/report/baseline/baseline.ts';
import { renderComment } from '../../core/report/baseline/comment.ts';
import { readBaseline } from '../../core/report/baseline/source.ts';
import { conflictSentence } from '../../core/report/baseline/tables.ts';
import { buildReport } from '../../core/report/model/build.ts';
import { enginesOf } from '../../core/report/records/engines.ts';
import { writeReport } from '../../core/report/write.ts';
import { README_FILE, readReportText, readWritten } from '../../core/report/records/written.ts';
import { reportFolder } from '../../core/report/folder.ts';
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
}

/** @returns the exit code */
export async function compare(all: readonly PlannedExperiments[], options: BaselineOptions): Promise<number> {
  const texts: string[] = [];
  for (const chosen of all) texts.push(await compareOne(chosen, options));
  const text = texts.join('\n');
  if (options.comment === undefined) print(text);
  else {
    mkdirSync(dirname(resolve(options.comment)), { recursive: true });
    writeFileSync(options.comment, text);
    print(`Changes against ${options.baseline}: ${pc.cyan(options.comment)}\n`);
  }
  return 0;
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
  const { records, baseline } = names === undefined ? { records: written.records, baseline: whole } : ofAblations(names, written.records, whole);
  const input = { study, profile, overrides, ablations, records };
  const changes = compareReports({ ...input, engines: enginesOf(written.provenance) }, baseline);
  if (changes.conflicts.length > 0) warn(`${outDir}: ${conflictSentence(changes)}`);
  if (target !== undefined) {
    const expanded = (await loadEveryAblation(chosen.dir, study)).filter(({ declaration }) => names?.has(declaration.name) ?? true);
    await writeReport({ ...input, expanded, provenance: written.provenance, outDir: target, changes });
    note(`Report with its changes: ${pc.cyan(join(target, 'index.html'))}\n`);
  }
  const path = relative(process.cwd(), resolve(outDir)).replaceAll('\\', '/');
  const folder = options.url === undefined ? path : `${options.url.replace(/\/$/, '')}/${path}`;
  return renderComment({ report: buildReport(input), changes, folder, readme: readReportText(outDir, README_FILE) });
}
