/** Counts of a test run, from the JSON report that vitest wrote. `node --import ./src/start/allow-typescript.mjs test/summary.ts FILE` prints the closing line. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** The part of vitest's JSON report that is read here. */
interface JsonReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A file that failed without a failing test in it (it did not load, or a hook failed) counts as one failure. */
export function countTests(report: JsonReport): Counts {
  const tests = report.testResults.flatMap(file => file.assertionResults.map(test => test.status));
  const failedFiles = report.testResults.filter(file => file.status === 'failed' && !file.assertionResults.some(test => test.status === 'failed'));
  const passed = tests.filter(status => status === 'passed').length;
  const failed = tests.filter(status => status === 'failed').length + failedFiles.length;
  return { passed, failed, skipped: tests.length - passed - (failed - failedFiles.length) };
}

/** Reads a report. Throws when there is none: then no test ran to its end. */
export const readReport = (file: string): JsonReport => JSON.parse(readFileSync(file, 'utf8')) as JsonReport;

export const closingLine = ({ passed, failed }: Counts): string => `Tests: ${passed} passed, ${failed} failed`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const counts = countTests(readReport(process.argv[2] ?? ''));
  process.stdout.write(`${closingLine(counts)}\n`);
  if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
}
