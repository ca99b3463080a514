/** The tables as TeX sets them. Without `pdflatex` there is nothing to set them with: skipped, and said so. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import { claimLatex, plainLatex, resultLatex, twoWayLatex } from '../../../../../src/core/report/render/latex.ts';
import { escapeLatex } from '../../../../../src/core/report/render/latex-text.ts';
import { gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput } from '../../../../helpers/report/hostile.ts';

const REPORTS = fileURLToPath(new URL('../../../../../reports', import.meta.url));
const TEX_TIMEOUT = 120_000;

function hasTex(): boolean {
  try {
    execFileSync('pdflatex', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('Expected pdflatex for the test of the LaTeX tables, found none: it is skipped. Debian: apt-get install texlive-latex-recommended');
    return false;
  }
}

const root = mkdtempSync(join(tmpdir(), 'report-tex-'));
afterAll(() => rmSync(root, { recursive: true }));

/** What TeX complains about in a document of these texts: errors, characters that no font has, lines that stick out, labels given twice. */
function complaints(name: string, texts: readonly string[]): string[] {
  // What each text says it needs, and nothing else.
  const needs = new Set(texts.flatMap(text => [...(text.split('\n', 1)[0]!.startsWith('%') ? text.split('\n', 1)[0]! : '').matchAll(/\\usepackage(?:\[\w+\])?\{[\w,]+\}/g)].map(([use]) => use)));
  const path = join(root, `${name}.tex`);
  writeFileSync(path, `\\documentclass{article}\n${[...needs].join('\n')}\n\\begin{document}\n${texts.join('\\clearpage\n')}\\end{document}\n`);
  const { exitCode } = execaSync('pdflatex', ['-interaction=nonstopmode', '-no-shell-escape', path], { cwd: root, reject: false, stdin: 'ignore' });
  const log = readFileSync(join(root, `${name}.log`), 'latin1');
  return [...(exitCode === 0 ? [] : [`exit code ${exitCode ?? 'none'}`]), ...log.split('\n').filter(line => /^!|Missing character|^Overfull|multiply defined/.test(line))];
}

const tablesOf = (input: ReportInput): string[] => {
  const report = buildReport(input);
  const claims = claimLatex(report);
  return [
    ...(claims === undefined ? [] : [claims]),
    ...report.ablations.flatMap(ablation => [resultLatex(report, ablation), plainLatex(report, ablation), twoWayLatex(report, ablation) ?? []].flat()),
  ];
};

describe.skipIf(!hasTex())('TeX takes', () => {
  const committed = readdirSync(REPORTS).filter(name => existsSync(join(REPORTS, name, 'tables')));

  test('those of committed reports, of which there are some', () => expect(committed).not.toEqual([]));

  test.each(committed)(
    'the tables of %s as they are, and they fit the page',
    name => {
      const folder = join(REPORTS, name, 'tables');
      const texts = readdirSync(folder)
        .filter(file => file.endsWith('.tex'))
        .map(file => readFileSync(join(folder, file), 'utf8'));
      expect(texts.length).toBeGreaterThan(1);
      expect(complaints(name, texts)).toEqual([]);
    },
    TEX_TIMEOUT,
  );

  test(
    'those of a grid with several seeds, which fit, too',
    () => {
      expect(complaints('grid', tablesOf(gridInput([0, 1, 2])))).toEqual([]);
    },
    TEX_TIMEOUT,
  );

  test(
    'hostile labels, which stay text',
    () => {
      expect(complaints('hostile', tablesOf(hostileInput())).filter(line => !line.startsWith('Overfull'))).toEqual([]);
    },
    TEX_TIMEOUT,
  );

  test(
    'every character that is not named by its number',
    () => {
      const all = Array.from({ length: 0x2fff }, (_, code) => String.fromCharCode(code)).filter(character => !escapeLatex(character).includes('U+'));
      expect(all.length).toBeGreaterThan(300);
      const text = all.map(character => `${escapeLatex(character)}\n`).join('');
      expect(complaints('characters', [`% \\usepackage[T1]{fontenc} \\usepackage{amssymb}\n${text}`])).toEqual([]);
    },
    TEX_TIMEOUT,
  );
});

test('a document that TeX cannot set has complaints', { skip: !hasTex(), timeout: TEX_TIMEOUT }, () => {
  expect(complaints('wrong', ['\\nothing\n', `\\hbox to \\linewidth{${'x'.repeat(400)}}\n`]).some(line => line.startsWith('!'))).toBe(true);
  expect(complaints('wide', [`\\noindent\\hbox{${'x'.repeat(400)}}\n`]).some(line => line.startsWith('Overfull'))).toBe(true);
});
