import { describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { claimLatex, escapeLatex, resultLatex } from '../../../../../src/core/report/render/latex.ts';
import { oneLine } from '../../../../../src/core/text/clean.ts';
import { GRID_ABLATIONS, gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

/** Commands that the tables may use: LaTeX's own and those of the packages that they name. */
const KNOWN = new Set([
  'begin',
  'end',
  'centering',
  'footnotesize',
  'scriptsize',
  'setlength',
  'tabcolsep',
  'caption',
  'label',
  'toprule',
  'midrule',
  'cmidrule',
  'bottomrule',
  'addlinespace',
  'multicolumn',
  'textbf',
  'textsuperscript',
  'texttt',
  'linebreak',
  'par',
  'begingroup',
  'endgroup',
  'endfirsthead',
  'endhead',
  'endfoot',
  'linewidth',
  'raggedright',
  'raggedleft',
  'arraybackslash',
  'parbox',
  'noindent',
  'smallskip',
  'textbackslash',
  'textasciicircum',
  'textasciitilde',
  'textasciigrave',
  'textbar',
  'textquotedbl',
  'textbullet',
  'textdagger',
  'textdaggerdbl',
  'ldots',
  'pm',
  'times',
  'cdot',
  'approx',
  'le',
  'ge',
  'rightarrow',
  'Delta',
  'tau',
  'checkmark',
]);

/** What TeX would stumble over, found by a reader of its syntax that knows escapes, groups, mathematics and rows. */
function problemsOf(text: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  let [depth, math, columns] = [0, false, 0];
  const body = text.replace(/^%.*\n/, '');
  for (const [token, command] of body.matchAll(/\\([A-Za-z]+|[^A-Za-z])|[{}$%#_^~]|[\u{180}-\u{10ffff}]/gu)) {
    if (token.codePointAt(0)! > 0x17f) problems.push(`character ${token}`);
    else if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    else if (token === '$') math = !math;
    else if ('%#_^'.includes(token)) problems.push(`bare ${token}`);
    else if (command !== undefined && /^[A-Za-z]/.test(command) && !KNOWN.has(command)) problems.push(`command \\${command}`);
    if (depth < 0) problems.push('group closed twice');
  }
  for (const [, what, name, spec] of body.matchAll(/\\(begin|end)\{(\w+)\}(?:\{\\linewidth\})?(?:\{(.*)\}$)?/gm)) {
    if (what === 'begin') open.push(name!);
    else if (open.pop() !== name) problems.push(`end of ${name!}`);
    if (spec !== undefined) columns = spec.replace(/[>@p]\{[^}]*\}/g, part => (part.startsWith('p') ? 'p' : '')).length;
  }
  if (depth !== 0) problems.push(`${depth} groups left open`);
  if (math) problems.push('mathematics left open');
  return [...problems, ...open.map(name => `${name} left open`), ...rowProblems(body, columns)];
}

/** Cells of each row between the rules, against the columns declared. */
function rowProblems(body: string, columns: number): string[] {
  const rows = body.split('\n').filter(line => / \\\\(?:\*|\\addlinespace\[2pt\])?$/.test(line) && !line.startsWith('\\caption'));
  return rows.flatMap(line => {
    const cells = line
      .replace(/\\&/g, '')
      .split('&')
      .reduce((sum, cell) => sum + Number(/\\multicolumn\{(\d+)\}/.exec(cell)?.[1] ?? 1), 0);
    return cells === columns ? [] : [`${cells} cells for ${columns} columns: ${line}`];
  });
}

describe('escaping', () => {
  test.each([
    ['50 % of $x_1 & #2', '50 \\% of \\$x\\_1 \\& \\#2'],
    ['a\\b{c}~^', 'a\\textbackslash{}b\\{c\\}\\textasciitilde{}\\textasciicircum{}'],
    ['\u22121.2 \u00b1 0.3', '$-$1.2 $\\pm$ 0.3'],
    ['--teacher-seeds', '-{}-teacher-seeds'],
    ['[1, 2]', '{[}1, 2]'],
    ['\u201cabove\u201d \u2013 the paper\u2019s', "``above'' -- the paper's"],
    ['caf\u00e9', 'caf\u00e9'],
    ['\u{1f600}', '\\texttt{U+1F600}'],
    ['\u4e2d', '\\texttt{U+4E2D}'],
    ['\ud800', '\\texttt{U+D800}'],
  ])('%j', (text, expected) => expect(escapeLatex(text)).toBe(expected));

  test.each(HOSTILE_LABELS.map(oneLine))('%j is text in a row of one cell', label => {
    expect(problemsOf(`\\begin{tabular}{l}\n${escapeLatex(label)} \\\\\n\\end{tabular}\n`)).toEqual([]);
  });

  test('the reader of the tests finds what is wrong', () => {
    const wrong = (text: string): number => problemsOf(`\\begin{tabular}{lr}\n${text} \\\\\n\\end{tabular}`).length;
    expect(wrong('a & b')).toBe(0);
    for (const text of ['a', 'a & b & c', 'a & {b', 'a & b}', 'a & $b', 'a & b_1', 'a & 5 %', 'a & \\input{x}', 'a & \u2212']) expect([text, wrong(text) > 0]).toEqual([text, true]);
  });
});

describe('tables', () => {
  test('the sample, as booktabs sets it', () => {
    const report = buildReport(sampleInput());
    const lines = resultLatex(report, report.ablations[0]!).split('\n');
    expect(lines[0]).toBe('% Made by ablate report. Needs \\usepackage[T1]{fontenc} \\usepackage{amssymb,booktabs,longtable,tabularx}. In two columns make it table* for the width of both.');
    expect(lines[3]).toMatch(/^\\caption\{.* \(Table 7\), profile \w+\}\\label\{tab:relation\}$/);
    expect(lines).toContain('\\begin{tabularx}{\\linewidth}{@{}>{\\raggedright\\arraybackslash}Xrrrr@{}}');
    expect(lines).toContain('Arm & Test accuracy (\\%) & $\\Delta$~to~default & Published & Published~$\\Delta$ \\\\');
    expect(lines.find(line => line.startsWith('MAE baseline'))).toBe('MAE baseline & 85.06~{\\scriptsize $\\pm$~0.36} & $-$2.28~{\\scriptsize $\\pm$~0.49} & 83.6 & $-$1.0 \\\\');
    expect(claimLatex(report)).toBeUndefined();
  });

  test('a whole grid, missing and failed arms, claims over pages', () => {
    const report = buildReport(gridInput());
    expect(report.ablations).toHaveLength(GRID_ABLATIONS);
    for (const ablation of report.ablations) expect([ablation.name, problemsOf(resultLatex(report, ablation))]).toEqual([ablation.name, []]);
    const claims = claimLatex(report)!;
    expect(problemsOf(claims)).toEqual([]);
    expect(claims).toContain('\\endfirsthead\n\\toprule\n');
    for (const { sentence } of report.ablations.flatMap(ablation => ablation.claims)) expect(claims).toContain(escapeLatex(sentence));
  });

  test('hostile labels are text', () => {
    const report = buildReport(hostileInput());
    expect(report.ablations.map(ablation => problemsOf(resultLatex(report, ablation)))).toEqual([[]]);
  });
});
