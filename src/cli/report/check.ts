/** `ablate report --check` and `--verify`: whether a written report follows from its records, and they from a store. */
import { join } from 'node:path';
import { UsageError } from '../../core/ablation/errors.ts';
import { requireOwnReport } from '../../core/report/manifest.ts';
import { attribute } from '../../core/report/records/attribution.ts';
import { hashOfResult, misstatedResults } from '../../core/report/records/result-hash.ts';
import { verifyRecords } from '../../core/report/records/verify.ts';
import { checkReport } from '../../core/report/write.ts';
import { readWritten, RECORDS_FILE } from '../../core/report/records/written.ts';
import { StoreError } from '../../core/store/errors.ts';
import type { StoreReader } from '../../core/store/reader.ts';
import { openStoreReadOnly } from '../../core/store/store.ts';
import { plural } from '../../core/text/format.ts';
import { quoted } from '../terminal/invocation.ts';
import { complain, warn } from '../terminal/text.ts';
import { declared, itemProblems, planOf, warnOfAdopted, type ReportScope } from './scope.ts';
import { note, print } from '../terminal/output.ts';

/** @returns the exit code: 1 where a report is not what its records and the declarations give */
export async function check(scope: ReportScope): Promise<number> {
  const { outDir, profile, overrides } = scope;
  const good = await isRight(scope);
  const command = ['ablate report --rebuild --profile', profile.name, ...overrides.map(change => `--set ${quoted(change)}`)].join(' ');
  print(good ? `${outDir} is what its records and the declarations give.\n` : `Run \`${command}\` to make ${outDir} anew from its records, \`ablate report\` to add those of the store.\n`);
  return good ? 0 : 1;
}

async function isRight(scope: ReportScope): Promise<boolean> {
  const { outDir, study } = scope;
  requireOwnReport(outDir, study.name);
  const problems = await checkReport(declared(scope));
  for (const { path, problem } of problems) complain(problem, join(outDir, path));
  const { records, damaged, adopted } = readWritten(outDir);
  warnOfAdopted(scope, adopted);
  for (const line of itemProblems(outDir, { damaged })) complain('differs', line);
  const { misplaced, unneeded, replaced } = attribute(records, planOf(scope, records));
  for (const key of misplaced) complain('differs', `${join(outDir, RECORDS_FILE)}: the uses or revisions of record ${key} are not those of the declarations`);
  const misstated = misstatedResults(records);
  for (const { key, result, resultSha256 } of misstated)
    complain(
      'differs',
      `${join(outDir, RECORDS_FILE)}: the result of record ${key} has the SHA-256 ${hashOfResult(result)}, its resultSha256 is ${resultSha256 ?? 'absent'}: one of them was changed. Take the line from the commit that made it, or the result of a store: ablate report --prefer store`,
    );
  const left = unneeded.length + replaced.length;
  if (left > 0) warn(`${outDir}: ${plural(left, 'record')} of ${records.length} belong to stages that no declared arm needs any more (a recipe has changed): their numbers are those of before.`);
  return problems.length + damaged.length + misplaced.length + misstated.length === 0;
}

/** @returns the exit code: 1 where a record is not what the store has */
export function verify(scope: ReportScope, storeDir: string): number {
  const { outDir, study } = scope;
  const store = openOrRefuse(storeDir);
  const { records, damaged, adopted } = readWritten(outDir);
  for (const line of itemProblems(outDir, { damaged })) complain('differs', line);
  const problems = verifyRecords(records, study, planOf(scope, records), store);
  for (const { key, record, field, expected, got } of problems) {
    complain('differs', `${join(outDir, RECORDS_FILE)}: ${record} (${key.slice(0, 12)}): ${field}: expected ${expected}, got ${got}`);
  }
  if (adopted.length > 0) note(`${plural(adopted.length, 'number')} from elsewhere: no store has them, so they are not compared.\n`);
  const differing = new Set(problems.map(({ key }) => key)).size;
  print(
    differing === 0
      ? `${plural(records.length, 'record')} of ${outDir} are what ${storeDir} holds.\n`
      : `${plural(differing, 'record')} of ${outDir} differ from ${storeDir}. Run \`ablate report --store ${storeDir} --prefer store\` to take its results, \`ablate report --store ${storeDir} --prune\` to keep no others.\n`,
  );
  return differing + damaged.length === 0 ? 0 : 1;
}

/** A store that is none is bad use here, not a failed stage. */
function openOrRefuse(dir: string): StoreReader {
  try {
    return openStoreReadOnly(dir, { warn });
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(error.code, `--verify: ${error.message}`, { cause: error });
    throw error;
  }
}
