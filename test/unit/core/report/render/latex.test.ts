import { describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import type { AblationReport, ArmRow, Report } from '../../../../../src/core/report/model/model.ts';
import { claimLatex, plainLatex, resultLatex, twoWayLatex } from '../../../../../src/core/report/render/latex.ts';
import { escapeLatex } from '../../../../../src/core/report/render/latex-text.ts';
import { oneLine } from '../../../../../src/core/text/clean.ts';
import { GRID_ABLATIONS, gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { problemsOf } from '../../../../helpers/report/latex.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

const rowOf = (text: string): string => `\\begin{tabular}{lr}\n${text} \\\\\n\\end{tabular}\n`;

describe('escaping', () => {
  test.each([
    ['50 % of $x_1 & #2', '50 \\% of \\$x\\_1 \\& \\#2'],
    ['a\\b{c}~^', 'a\\textbackslash{}b\\{c\\}\\textasciitilde{}\\textasciicircum{}'],
    ['\u22121.2 \u00b1 0.3', '$-$1.2 $\\pm$ 0.3'],
    ['[1, 2]', '{[}1, 2]'],
    ['\u03b1 \u2192 \u03a9, \u0394\u03c4 \u2265 3\u00a0\u00d7\u202f10\u2076', '$\\alpha$ $\\rightarrow$ $\\Omega$, $\\Delta$$\\tau$ $\\ge$ 3~$\\times$\\,10$^6$'],
    ['\u0391\u03c2\u03cc\u03b8\u0302', '$\\mathrm{A}$$\\varsigma$$\\acute{o}$$\\hat{\\theta}$'],
    ['caf\u00e9, \u0141\u00f3d\u017a, \u00efle, \u0160koda', "caf\\'{e}, \\L{}\\'{o}d\\'{z}, \\\"{\\i}le, \\v{S}koda"],
    // Composed of two, a mark above and one below, a mark without a letter.
    ['e\u0301 \u1ead \u0301', "\\'{e} \\d{\\^{a}} \\texttt{U+0301}"],
    ['\u201cabove\u201d \u2013 the paper\u2019s \u2014 \u2026', "``above'' -- the paper's --- \\ldots{}"],
    // Each pair would become one sign.
    ['--teacher-seeds', '-{}-teacher-seeds'],
    ["'' ,, \u2013- ?\u2018", "'{}' ,{}, --{}- ?{}`"],
    ['\u{1f600}', '\\texttt{U+1F600}'],
    ['\u4e2d', '\\texttt{U+4E2D}'],
    ['\ud800', '\\texttt{U+D800}'],
  ])('%j', (text, expected) => expect(escapeLatex(text)).toBe(expected));

  test.each(HOSTILE_LABELS.map(oneLine))('%j is text in a cell', label => {
    expect(problemsOf(rowOf(`${escapeLatex(label)} & 1`))).toEqual([]);
  });

  test('the reader of the tests finds what is wrong', () => {
    expect(problemsOf(rowOf("a \\& b & $\\alpha_1$ \\'{e}"))).toEqual([]);
    for (const text of ['a', 'a & b & c', 'a & {b', 'a & b}', 'a & $b', 'a & b_1', 'a & 5 %', 'a & \\input{x}', 'a & \\alpha', 'a & $\\textbf{b}$', 'a & \u2212', 'a & \\begin{b}'])
      expect([text, problemsOf(rowOf(text)).length > 0]).toEqual([text, true]);
    expect(problemsOf(`% Needs \\usepackage{booktabs}.\n${rowOf('\\toprule\na & b')}`)).toEqual([]);
    expect(problemsOf(`% Needs \\usepackage{tabularx}.\n${rowOf('\\toprule\na & b')}`)).toEqual(['names tabularx and needs booktabs']);
  });
});

const allOf = (report: Report): string[] => [
  claimLatex(report) ?? '',
  ...report.ablations.flatMap(ablation => [resultLatex(report, ablation), plainLatex(report, ablation), twoWayLatex(report, ablation) ?? []].flat()),
];

describe('tables', () => {
  test('the sample, as booktabs sets it', () => {
    const report = buildReport(sampleInput());
    const lines = resultLatex(report, report.ablations[0]!).split('\n');
    expect(lines[0]).toBe('% Made by ablate report. Needs \\usepackage[T1]{fontenc} \\usepackage{booktabs,tabularx}. In two columns make it table* for the width of both.');
    expect(lines[3]).toMatch(/^\\caption\{.* \(Table 7\), profile \w+\}\\label\{tab:relation\}$/);
    expect(lines).toContain('\\begin{tabularx}{\\linewidth}{@{}>{\\raggedright\\arraybackslash}Xrrrr@{}}');
    expect(lines).toContain('Arm & Test accuracy (\\%) & $\\Delta$ to default & Published & Published $\\Delta$ \\\\');
    expect(lines.find(line => line.startsWith('MAE baseline'))).toBe('MAE baseline & 85.06~{\\scriptsize $\\pm$~0.36} & $-$2.28~{\\scriptsize $\\pm$~0.49} & 83.6 & $-$1.0 \\\\');
    expect(lines).toContain('Measured with one seed.\\par');
    expect(claimLatex(report)).toBeUndefined();
  });

  test('the same as one pastes it: best in bold, default shaded, nothing else', () => {
    const report = buildReport(sampleInput([0, 1, 2]));
    expect(plainLatex(report, report.ablations[0]!).split('\n')).toEqual([
      '% Made by ablate report. Needs \\usepackage[T1]{fontenc} \\usepackage{booktabs,colortbl}. Errors and notes stand in relation.tex.',
      '% Published in another table, so left out: From scratch (no pre-training).',
      '% Published value of an inferred row: Q-Q, K-K, V-V; Q-Q, K-K, V-V with softmax; Q-K, V-V; Q-K, V-V with softmax (default).',
      '\\begin{table}',
      '\\centering\\small\\setlength{\\tabcolsep}{4pt}',
      '\\caption{Which relations to distill (Table 7): test accuracy (\\%), mean $\\pm$ standard deviation, 3 seeds, profile sample}\\label{tab:relation-plain}',
      '\\begin{tabular}{lrr}',
      '\\toprule',
      'Arm & Measured & Published \\\\',
      '\\midrule',
      'From scratch (no pre-training) & 83.08~{\\scriptsize $\\pm$ 0.47} & -- \\\\',
      'MAE baseline & 85.14~{\\scriptsize $\\pm$ 0.11} & 83.6 \\\\',
      'Q-Q, K-K, V-V & 86.58~{\\scriptsize $\\pm$ 0.14} & 84.4 \\\\',
      'Q-Q, K-K, V-V with softmax & \\textbf{87.42}~{\\scriptsize $\\pm$ 0.26} & 84.5 \\\\',
      'Q-K, V-V & 87.21~{\\scriptsize $\\pm$ 0.12} & 84.4 \\\\',
      '\\rowcolor[gray]{.92}',
      'Q-K, V-V with softmax (default) & 87.25~{\\scriptsize $\\pm$ 0.17} & \\textbf{84.6} \\\\',
      '\\bottomrule',
      '\\end{tabular}',
      '\\end{table}',
      '',
    ]);
  });

  test('a whole grid, missing and failed arms, claims over pages', () => {
    const report = buildReport(gridInput());
    expect(report.ablations).toHaveLength(GRID_ABLATIONS);
    expect(allOf(report).map(problemsOf)).toEqual(allOf(report).map(() => []));
    const claims = claimLatex(report)!;
    expect(claims).toContain('\\endfirsthead\n\\toprule\n');
    for (const { sentence } of report.ablations.flatMap(ablation => ablation.claims)) expect(claims).toContain(escapeLatex(sentence));
  });

  test('hostile labels are text', () => {
    const report = buildReport(hostileInput());
    expect(allOf(report).map(problemsOf)).toEqual([[], [], []]);
  });
});

test('two crossed axes are a table of one by the other, with means', () => {
  const report = buildReport(sampleInput());
  const [ablation] = report.ablations;
  expect(twoWayLatex(report, ablation!)).toBeUndefined();
  const places: readonly ArmRow['crossed'][] = [undefined, undefined, ['Q-Q', 'plain'], ['Q-Q', 'softmax'], ['Q-K', 'plain'], ['Q-K', 'softmax']];
  const text = twoWayLatex(report, { ...ablation!, rows: ablation!.rows.map((row, i) => ({ ...row, crossed: places[i] })) })!;
  expect(problemsOf(text)).toEqual([]);
  const lines = text.split('\n');
  // What signs mean stands above, for whoever pastes it.
  expect(lines.slice(1, 4)).toEqual(['% {*} From', '% \\textdagger{} T', '% \\textdaggerdbl{}'].map(start => expect.stringContaining(start) as string));
  expect(lines.slice(6, -3)).toEqual([
    '\\caption{Which relations to distill (Table 7), profile sample. Measured with one seed; small: published. Mean: where every arm of the row or column has a value}\\label{tab:relation-two-way}',
    '\\begin{tabular}{lrrr}',
    '\\toprule',
    'Test accuracy (\\%) & plain & softmax & Mean \\\\',
    '\\midrule',
    'Q-Q & 86.41~{\\scriptsize 84.4\\textdagger{}} & 87.14~{\\scriptsize 84.5\\textdagger{}} & 86.77~{\\scriptsize 84.5} \\\\',
    'Q-K & 87.24~{\\scriptsize 84.4\\textdagger{}} & \\textbf{87.34\\textdaggerdbl{}}~{\\scriptsize 84.6\\textdagger{}} & 87.29~{\\scriptsize 84.5} \\\\',
    '\\midrule',
    '\\textit{Mean} & 86.82~{\\scriptsize 84.4} & 87.24~{\\scriptsize 84.5} & 87.03~{\\scriptsize 84.5} \\\\',
    '\\bottomrule',
  ]);
});

describe('the plain table', () => {
  const lines = (change: (ablation: AblationReport) => AblationReport, seeds: readonly number[] = [0]): string[] => {
    const report = buildReport(sampleInput(seeds));
    return plainLatex(report, change(report.ablations[0]!)).split('\n');
  };
  const captionOf = (of: readonly string[]): string => of.find(line => line.startsWith('\\caption'))!;

  test('one seed has no deviation, and the caption says so', () => {
    const one = lines(ablation => ablation);
    expect(captionOf(one)).toBe('\\caption{Which relations to distill (Table 7): test accuracy (\\%), one seed, profile sample}\\label{tab:relation-plain}');
    expect(one.filter(line => line.includes('\\pm'))).toEqual([]);
    expect(one).toContain('Q-K, V-V with softmax (default) & \\textbf{87.34} & \\textbf{84.6} \\\\');
  });

  test('seeds that are missing are counted, and have a column where they differ', () => {
    const partial = lines(ablation => ({ ...ablation, rows: ablation.rows.map(row => ({ ...row, wanted: 5, state: 'partial' })) }), [0, 1]);
    expect(captionOf(partial)).toContain('mean $\\pm$ standard deviation, 2 of 5 seeds, profile');
    const measured = { n: 1, mean: 0.5, spread: { kind: 'binomial', value: 0.01 }, perSeed: [] } as const;
    const mixed = lines(ablation => ({ ...ablation, rows: ablation.rows.map((row, i) => (i === 0 ? { ...row, measured } : row)) }), [0, 1]);
    expect(mixed).toContain('Arm & Seeds & Measured & Published \\\\');
    expect(mixed.find(line => line.startsWith('From scratch'))).toBe('From scratch (no pre-training) & 1 & 50.00 & -- \\\\');
    expect(captionOf(mixed)).toContain(', mean $\\pm$ standard deviation, seeds as given, profile');
  });

  test('a column without a number is left out, an arm without one has a dash', () => {
    expect(lines(ablation => ({ ...ablation, rows: ablation.rows.map(row => ({ ...row, published: undefined })) }))).toContain('Arm & Measured \\\\');
    const missing = lines(ablation => ({ ...ablation, rows: ablation.rows.map(row => ({ ...row, measured: undefined })) }));
    expect(missing).toContain('MAE baseline & 83.6 \\\\');
    expect(captionOf(missing)).toContain('not measured');
    expect(lines(ablation => ({ ...ablation, rows: ablation.rows.map((row, i) => (i === 1 ? { ...row, measured: undefined } : row)) }))).toContain('MAE baseline & -- & 83.6 \\\\');
  });

  test('arms that read alike are best together; a teacher is not, and stands below a rule', () => {
    const level = lines(ablation => {
      const measured = ablation.rows[5]!.measured!;
      const rows = ablation.rows.map((row, i) => (i === 4 ? { ...row, measured: { ...measured, mean: 0.88001 } } : i === 5 ? { ...row, measured: { ...measured, mean: 0.88 } } : row));
      return { ...ablation, rows, headroom: [{ ...ablation.rows[0]!, label: 'Teacher', measured: { ...measured, mean: 0.99 }, published: undefined }] };
    });
    expect(level.filter(line => line.includes('\\textbf{88.00}'))).toHaveLength(2);
    expect(level.slice(-6, -2)).toEqual(['\\midrule', '\\textit{Teacher} & 99.00 & -- \\\\', '\\bottomrule', '\\end{tabular}']);
  });
});
