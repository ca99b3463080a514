/** Report -> LaTeX: its tables for a paper, with booktabs. */
import { claimOverview } from './claimtables.ts';
import type { AblationReport, Report } from './model.ts';
import { resultTable, type Cell, type Table, type TableRow } from './tables.ts';
import { slug } from './text.ts';

/** Characters that LaTeX reads as commands or ligatures, and those that its fonts have only in mathematics. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}', '{': '\\{', '}': '\\}', $: '\\$', '&': '\\&', '#': '\\#', '%': '\\%', _: '\\_', '^': '\\textasciicircum{}', '~': '\\textasciitilde{}',
  // Behind the end of a row these two would be its options.
  '[': '{[}', '*': '{*}',
  '<': '$<$', '>': '$>$', '|': '\\textbar{}', '"': '\\textquotedbl{}', '`': '\\textasciigrave{}',
  '\u2212': '$-$', '\u00b1': '$\\pm$', '\u00d7': '$\\times$', '\u00b7': '$\\cdot$', '\u2248': '$\\approx$', '\u2264': '$\\le$', '\u2265': '$\\ge$', '\u2192': '$\\rightarrow$',
  '\u0394': '$\\Delta$', '\u03c4': '$\\tau$', '\u2713': '$\\surd$', '\u2715': '$\\times$', '\u2022': '\\textbullet{}', '\u2020': '\\textdagger{}', '\u2021': '\\textdaggerdbl{}',
  '\u2013': '--', '\u2014': '---', '\u2018': '`', '\u2019': '\'', '\u201c': '``', '\u201d': '\'\'', '\u2026': '\\ldots{}', '\u00a0': '~', '\u200b': '',
};

/** What fonts in the T1 encoding have: ASCII, Latin-1 and Latin Extended-A. */
const LAST_LETTER = 0x17f;

/** Text as LaTeX sets it. A character that its fonts do not have is named by its number rather than lost. */
export const escapeLatex = (text: string): string => Array.from(text).map((character, i, all) => escaped(character, all[i + 1])).join('');

function escaped(character: string, next: string | undefined): string {
  // Two would become one dash.
  if (character === '-' && next === '-') return '-{}';
  const known = CHARACTERS[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0)!;
  if (code < 0x20) return ' ';
  return code <= LAST_LETTER ? character : `\\texttt{U+${code.toString(16).toUpperCase().padStart(4, '0')}}`;
}

export function resultLatex(report: Report, ablation: AblationReport): string {
  return float(resultTable(report, ablation), `${ablation.table}: ${ablation.title}. Profile ${report.profile}`, `tab:${slug(ablation.name)}`);
}

/** Undefined when no claim is declared. Over as many pages as it takes. */
export function claimLatex(report: Report): string | undefined {
  return report.claims.total === 0 ? undefined : longTable(claimOverview(report), `Claims of the paper and their verdicts. Profile ${report.profile}`, 'tab:claims');
}

const head = (packages: string): string => `% Made by ablate report. Needs \\usepackage[T1]{fontenc} and \\usepackage{${packages}}.`;

/** @param caption plain text, as everything else that comes in */
function float(table: Table, caption: string, label: string): string {
  return `${[
    head('booktabs'),
    '\\begin{table}',
    '\\centering',
    '\\footnotesize',
    '\\setlength{\\tabcolsep}{4pt}',
    `\\caption{${escapeLatex(caption)}}`,
    `\\label{${label}}`,
    `\\begin{tabular}{l${columnLetters(table)}}`,
    '\\toprule',
    headRow(table),
    '\\midrule',
    ...table.rows.map(row => tableRow(row, table, '~')),
    '\\bottomrule',
    '\\end{tabular}',
    ...notes(table),
    '\\end{table}',
  ].join('\n')}\n`;
}

function longTable(table: Table, caption: string, label: string): string {
  return `${[
    head('booktabs,longtable'),
    '\\begingroup',
    '\\footnotesize',
    '\\setlength{\\tabcolsep}{4pt}',
    `\\begin{longtable}{p{0.33\\linewidth}${columnLetters(table)}}`,
    `\\caption{${escapeLatex(caption)}}\\label{${label}} \\\\`,
    '\\toprule',
    headRow(table),
    '\\midrule',
    '\\endhead',
    '\\bottomrule',
    '\\endfoot',
    ...table.rows.map(row => tableRow(row, table, '\\newline ')),
    '\\end{longtable}',
    ...notes(table),
    '\\endgroup',
  ].join('\n')}\n`;
}

const columnLetters = ({ columns }: Table): string => columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('');

const rowOf = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;

const headRow = ({ corner, columns }: Table): string => rowOf([corner, ...columns.map(column => column.label)].map(escapeLatex));

/** @param apart between a header and what stands small beside or below it */
function tableRow({ header, detail, group, part, marked, cells }: TableRow, { columns }: Table, apart: string): string {
  const text = escapeLatex(header);
  if (group === true) return `\\addlinespace\n\\multicolumn{${columns.length + 1}}{l}{\\textbf{${text}}} \\\\`;
  const small = detail === undefined || detail === '' ? '' : `${apart}{\\scriptsize ${escapeLatex(detail)}}`;
  return rowOf([`${part === true ? '\\quad ' : ''}${marked === true ? `\\textbf{${text}}` : text}${small}`, ...cells.map(cell)]);
}

function cell({ text, sign, detail, tone }: Cell): string {
  const main = tone === 'strong' ? `\\textbf{${escapeLatex(text)}}` : escapeLatex(text);
  return `${main}${sign === undefined ? '' : `\\textsuperscript{${escapeLatex(sign)}}`}${detail === undefined ? '' : ` {\\scriptsize ${escapeLatex(detail)}}`}`;
}

const notes = (table: Table): string[] => table.notes.map(note => `\n{\\scriptsize ${escapeLatex(note)}\\par}`);
