/** Report -> LaTeX: its tables for a paper, with booktabs. */
import { claimOverview } from '../tables/claims.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { tablesOf } from '../model/tables-of.ts';
import { claimsCaption } from '../model/words.ts';
import { plainTable } from '../tables/plain.ts';
import { measuredWith, resultRules, resultTable, withoutEmptyColumns, type Cell, type Table, type TableColumn, type TableRow } from '../tables/results.ts';
import { twoWayTable } from '../tables/two-way.ts';
import { slug } from '../../text/clean.ts';
import { escapeLatex } from './latex-text.ts';

/** One ablation as one pastes it into a paper: arm, mean and deviation, published value. Notes are comments. */
export const plainLatex = (report: Report, ablation: AblationReport): string => pasted(plainTable(report, ablation), ablation, 'plain');

/** Two crossed axes of one ablation in the same form; undefined where there are none. */
export function twoWayLatex(report: Report, ablation: AblationReport): string | undefined {
  const table = twoWayTable(ablation);
  return table && pasted({ ...table, caption: `${titleOf(report, ablation)}. ${table.caption}` }, ablation, 'two-way');
}

/** As wide as it comes out, without small print. */
function pasted(table: Table, { name }: AblationReport, form: string): string {
  return file(`Errors and notes stand in ${slug(name)}.tex.`, [
    ...table.notes.map(note => `% ${escapeLatex(note)}`),
    '\\begin{table}',
    '\\centering\\small\\setlength{\\tabcolsep}{4pt}',
    captionOf(table.caption, `${name}-${form}`),
    `\\begin{tabular}{l${sides(table.columns)}}`,
    '\\toprule',
    headerOf(table),
    '\\midrule',
    ...table.rows.flatMap((row, i, rows) => [
      ...(row.aside === true && rows[i - 1]?.aside !== true ? ['\\midrule'] : []),
      ...(row.marked === true ? [SHADED] : []),
      tableRow({ ...row, marked: false }, table.columns.length, '~'),
    ]),
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ]);
}

/** The row behind it. */
const SHADED = '\\rowcolor[gray]{.92}';

/** One ablation with all that its tables say, one for each number: floats as wide as their column, for which arms take the room that the numbers leave. */
export const resultLatex = (report: Report, ablation: AblationReport): string =>
  file(
    'In two columns make it table* for the width of both.',
    tablesOf(ablation).flatMap((table, i) => resultFloat(report, table, i === 0 ? ablation.name : `${ablation.name}-${table.measure.name}`)),
  );

function resultFloat(report: Report, ablation: AblationReport, label: string): string[] {
  const table = withoutEmptyColumns(resultTable(ablation));
  return [
    '\\begin{table}',
    '\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}',
    captionOf(titleOf(report, ablation), label),
    `\\begin{tabularx}{\\linewidth}{@{}>{\\raggedright\\arraybackslash}X${sides(table.columns)}@{}}`,
    '\\toprule',
    headerOf(table),
    '\\midrule',
    ...table.rows.map(row => tableRow(row, table.columns.length, '~')),
    '\\bottomrule',
    '\\end{tabularx}',
    ...notesBelow([`${measuredWith(ablation)}.`, ...resultRules({ ablations: [ablation] }), ...table.notes]),
    '\\end{table}',
  ];
}

/** All claims, over as many pages as it takes; undefined when none is declared. */
export function claimLatex(report: Report): string | undefined {
  if (report.claims.total === 0) return undefined;
  const table = claimOverview(report);
  const header = ['\\toprule', headerOf(table), '\\midrule'];
  return file('Over pages, so in one column only.', [
    '\\begingroup\\footnotesize\\setlength{\\tabcolsep}{2pt}',
    `\\begin{longtable}{@{}${columnsOf(table)}@{}}`,
    `${captionOf(`${claimsCaption(report.ablations.flatMap(({ claims }) => claims))} and their verdicts, profile ${report.profile}`, 'claims')} \\\\`,
    ...header,
    '\\endfirsthead',
    ...header,
    '\\endhead',
    '\\bottomrule',
    '\\endfoot',
    ...table.rows.map(row => `${tableRow(row, table.columns.length, '\\linebreak ')}${row.group === true ? '' : '\\addlinespace[2pt]'}`),
    '\\end{longtable}',
    ...notesBelow(table.notes),
    '\\endgroup',
  ]);
}

/** Of the page's width: a character of a column, all columns without the gaps between them, and at least the first of them. */
const [CHARACTER, ALL, NAMES] = [0.0135, 0.91, 0.24];

/** Columns that together are as wide as the page, each as wide as what does not break in it; what is left is for the names. */
function columnsOf({ columns, rows }: Table): string {
  const wanted = columns.map(({ label }, i) => CHARACTER * Math.max(unbroken(label), ...rows.flatMap(({ cells }) => (cells[i] === undefined ? [] : [unbrokenCell(cells[i])]))));
  const sum = wanted.reduce((total, width) => total + width, 0);
  const shrink = Math.min(1, (ALL - NAMES) / sum);
  const column = (side: 'left' | 'right', width: number): string => `>{\\ragged${side === 'left' ? 'right' : 'left'}\\arraybackslash}p{${width.toFixed(3)}\\linewidth}`;
  return [column('left', ALL - shrink * sum), ...columns.map(({ align }, i) => column(align, shrink * wanted[i]!))].join('');
}

/** A detail is set smaller, and a sign before a word stays with it. */
const unbrokenCell = ({ text, detail = '' }: Cell): number => Math.max(unbroken(text.replace(/^. /u, '_')), 0.85 * unbroken(detail));

const unbroken = (text: string): number => Math.max(...text.split(' ').map(word => word.length));

/** What of the text needs which package. */
const PACKAGES: readonly (readonly [string, RegExp])[] = [
  ['amssymb', /\\checkmark/],
  ['booktabs', /\\toprule/],
  ['colortbl', /\\rowcolor/],
  ['longtable', /\{longtable\}/],
  ['tabularx', /\{tabularx\}/],
];

function file(hint: string, body: readonly string[]): string {
  const text = body.join('\n');
  const packages = PACKAGES.flatMap(([name, use]) => (use.test(text) ? [name] : []));
  return `% Made by ablate report. Needs \\usepackage[T1]{fontenc} \\usepackage{${packages.join(',')}}. ${hint}\n${text}\n`;
}

const titleOf = ({ profile }: Report, { title, table }: AblationReport): string => `${title} (${table}), profile ${profile}`;

const captionOf = (text: string, label: string): string => `\\caption{${escapeLatex(text)}}\\label{tab:${slug(label)}}`;

const headerOf = ({ corner, columns }: Table): string => rowOf([corner, ...columns.map(column => column.label)].map(escapeLatex));

const sides = (columns: readonly TableColumn[]): string => columns.map(({ align }) => align.charAt(0)).join('');

const rowOf = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;

/** @param apart between a text and what stands small beside or below it */
function tableRow(row: TableRow, columns: number, apart: string): string {
  if (row.group === true) return `\\addlinespace\n\\multicolumn{${columns + 1}}{@{}l}{\\textbf{${nameOf(row)}}} \\\\*`;
  return rowOf([`${nameOf(row)}${small(row.detail, apart)}`, ...row.cells.map(cell => `${valueOf(cell)}${small(cell.detail, apart)}`)]);
}

const small = (detail: string | undefined, apart: string): string => (detail === undefined || detail === '' ? '' : `${apart}{\\scriptsize ${escapeLatex(detail)}}`);

function nameOf({ header, marked, aside }: TableRow): string {
  const text = escapeLatex(header);
  return aside === true ? `\\textit{${text}}` : marked === true ? `\\textbf{${text}}` : text;
}

function valueOf({ text, sign, tone }: Cell): string {
  const main = tone === 'strong' ? `\\textbf{${escapeLatex(text)}}` : escapeLatex(text);
  return `${main}${sign === undefined ? '' : `\\textsuperscript{${escapeLatex(sign)}}`}`;
}

const notesBelow = (notes: readonly string[]): string[] =>
  notes.length === 0 ? [] : ['\\par\\smallskip\\noindent\\parbox{\\linewidth}{\\scriptsize\\raggedright', ...notes.map(note => `${escapeLatex(note)}\\par`), '}'];
