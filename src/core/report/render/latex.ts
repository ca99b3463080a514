/** Report -> LaTeX: its tables for a paper, with booktabs. */
import { claimOverview } from '../tables/claims.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { resultRules, resultTable, withoutEmptyColumns, type Cell, type TableRow } from '../tables/results.ts';
import { slug } from '../../text/clean.ts';

/** Characters that LaTeX reads as commands or ligatures, and those that its fonts have only in mathematics. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '^': '\\textasciicircum{}',
  '~': '\\textasciitilde{}',
  // Behind the end of a row these two would be its options.
  '[': '{[}',
  '*': '{*}',
  '<': '$<$',
  '>': '$>$',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '`': '\\textasciigrave{}',
  '\u2212': '$-$',
  '\u00b1': '$\\pm$',
  '\u00d7': '$\\times$',
  '\u00b7': '$\\cdot$',
  '\u2248': '$\\approx$',
  '\u2264': '$\\le$',
  '\u2265': '$\\ge$',
  '\u2192': '$\\rightarrow$',
  '\u0394': '$\\Delta$',
  '\u03c4': '$\\tau$',
  '\u2713': '\\checkmark{}',
  '\u2715': '$\\times$',
  '\u2022': '\\textbullet{}',
  '\u2020': '\\textdagger{}',
  '\u2021': '\\textdaggerdbl{}',
  '\u2013': '--',
  '\u2014': '---',
  '\u2018': '`',
  '\u2019': "'",
  '\u201c': '``',
  '\u201d': "''",
  '\u2026': '\\ldots{}',
  '\u00a0': '~',
  '\u200b': '',
};

/** What fonts in the T1 encoding have: ASCII, and Latin-1 and Latin Extended-A but for a few letters. */
const IN_FONTS = /^[\u0020-\u007e\u00a1-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e]$/;

/** Text as LaTeX sets it. A character that its fonts do not have is named by its number rather than lost. @internal */
export const escapeLatex = (text: string): string =>
  Array.from(text)
    .map((character, i, all) => escaped(character, all[i + 1]))
    .join('');

function escaped(character: string, next: string | undefined): string {
  // Two would become one dash.
  if (character === '-' && next === '-') return '-{}';
  const known = CHARACTERS[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0)!;
  if (code < 0x20 || (code > 0x7e && code < 0xa0)) return ' ';
  return IN_FONTS.test(character) ? character : `\\texttt{U+${code.toString(16).toUpperCase().padStart(4, '0')}}`;
}

const PACKAGES = '\\usepackage[T1]{fontenc} \\usepackage{amssymb,booktabs,longtable,tabularx}';

/** One ablation as a float as wide as its column, for which arms take the room that the numbers leave. */
export function resultLatex(report: Report, ablation: AblationReport): string {
  const { corner, rows, columns, caption, notes } = withoutEmptyColumns(resultTable(report, ablation));
  return lines([
    head('In two columns make it table* for the width of both.'),
    '\\begin{table}',
    '\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}',
    `\\caption{${escapeLatex(captionOf(ablation, report))}}\\label{tab:${slug(ablation.name)}}`,
    `\\begin{tabularx}{\\linewidth}{@{}>{\\raggedright\\arraybackslash}X${'r'.repeat(columns.length)}@{}}`,
    '\\toprule',
    rowOf([corner, ...columns.map(column => column.label)].map(escapeLatex)),
    '\\midrule',
    ...rows.map(row => tableRow(row, columns.length, '~')),
    '\\bottomrule',
    '\\end{tabularx}',
    ...notesBelow([`${caption}.`, ...resultRules({ ablations: [ablation] }), ...notes]),
    '\\end{table}',
  ]);
}

const captionOf = ({ title, table }: AblationReport, { profile }: Report): string => `${title} (${table}), profile ${profile}`;

/** Shares of the page's width, with its gaps the whole of it: claim, verdict, difference, what it needs, both p, published. */
const CLAIM_COLUMNS = [
  ['left', 0.26],
  ['left', 0.14],
  ['right', 0.15],
  ['right', 0.09],
  ['right', 0.08],
  ['right', 0.08],
  ['right', 0.11],
] as const;

/** All claims, over as many pages as it takes; undefined when none is declared. */
export function claimLatex(report: Report): string | undefined {
  if (report.claims.total === 0) return undefined;
  const { corner, columns, rows, notes } = claimOverview(report);
  const spec = CLAIM_COLUMNS.map(([side, share]) => `>{\\ragged${side === 'left' ? 'right' : 'left'}\\arraybackslash}p{${share}\\linewidth}`).join('');
  const header = ['\\toprule', rowOf([corner, ...columns.map(column => column.label)].map(escapeLatex)), '\\midrule'];
  return lines([
    head('Over pages, so in one column only.'),
    '\\begingroup\\footnotesize\\setlength{\\tabcolsep}{2pt}',
    `\\begin{longtable}{@{}${spec}@{}}`,
    `\\caption{${escapeLatex(`Claims of the paper and their verdicts, profile ${report.profile}`)}}\\label{tab:claims} \\\\`,
    ...header,
    '\\endfirsthead',
    ...header,
    '\\endhead',
    '\\bottomrule',
    '\\endfoot',
    ...rows.map(row => `${tableRow(row, columns.length, '\\linebreak ')}${row.group === true ? '' : '\\addlinespace[2pt]'}`),
    '\\end{longtable}',
    ...notesBelow(notes),
    '\\endgroup',
  ]);
}

const head = (hint: string): string => `% Made by ablate report. Needs ${PACKAGES}. ${hint}`;

const lines = (of: readonly string[]): string => `${of.join('\n')}\n`;

const rowOf = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;

/** @param apart between a text and what stands small beside or below it */
function tableRow({ header, detail, group, marked, aside, cells }: TableRow, columns: number, apart: string): string {
  const text = aside === true ? `\\textit{${escapeLatex(header)}}` : escapeLatex(header);
  if (group === true) return `\\addlinespace\n\\multicolumn{${columns + 1}}{@{}l}{\\textbf{${text}}} \\\\*`;
  return rowOf([`${marked === true ? `\\textbf{${text}}` : text}${small(detail, apart)}`, ...cells.map(of => cell(of, apart))]);
}

const small = (detail: string | undefined, apart: string): string => (detail === undefined || detail === '' ? '' : `${apart}{\\scriptsize ${escapeLatex(detail)}}`);

function cell({ text, sign, detail, tone }: Cell, apart: string): string {
  const main = tone === 'strong' ? `\\textbf{${escapeLatex(text)}}` : escapeLatex(text);
  return `${main}${sign === undefined ? '' : `\\textsuperscript{${escapeLatex(sign)}}`}${small(detail, apart)}`;
}

const notesBelow = (notes: readonly string[]): string[] =>
  notes.length === 0 ? [] : ['\\par\\smallskip\\noindent\\parbox{\\linewidth}{\\scriptsize\\raggedright', ...notes.map(note => `${escapeLatex(note)}\\par`), '}'];
