/** Report -> `README.md`: what GitHub shows of the report in a pull request. Charts are linked SVG files. */
import { assumptionTable, contentsTable, inconsistencyTable, referenceTable } from './asides.ts';
import { ablationAnchor, claimOverview, claimTable } from './claimtables.ts';
import { dotPlotId, type ReportFigure } from './figures.ts';
import { plural } from './format.ts';
import type { AblationReport, Report } from './model.ts';
import { costTable, curveTable, factTable, failureTable, resultTable, stageTable, type Cell, type Table, type TableRow } from './tables.ts';
import { slug } from './text.ts';
import { dotPlotCaption, reportKicker, reportTitle } from './wording.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

/** Keeps a text from being read as Markdown or HTML anywhere in a line, cells of tables included. */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]|~#$@!<>&]/g, character => (ENTITIES[character] ?? `\\${character}`))
    // A bare address would become a link, and a number with a point at the start of a line a list.
    .replace(/:\/\//g, ':\u200b//')
    .replace(/\bwww\./gi, 'www\u200b.')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-+=])/, '\\$1');

/** GitHub reads `@name` as a mention and `#1` as a reference even behind a backslash: entities stop both. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '@': '&#64;', '#': '&#35;', $: '&#36;' };

export function renderMarkdown(report: Report, figures: Figures): string {
  const [lead, ...rest] = report.verdict;
  const parts = [
    `# ${escapeMarkdown(reportTitle(report))}`,
    escapeMarkdown(`${reportKicker(report)}.`),
    ...report.notes.map(note => `> ${escapeMarkdown(note)}`),
    `**${escapeMarkdown(lead ?? '')}** ${rest.map(escapeMarkdown).join(' ')}`,
    ...(report.ablations.length < 2 ? [] : [table(contentsTable(report))]),
    ...(report.claims.total === 0 ? [] : ['## Claims of the paper', table(claimOverview(report)), 'The same comparisons as CSV: [tables/claims.csv](tables/claims.csv).']),
    ...report.ablations.flatMap(ablation => section(report, ablation, figures)),
    '## How it was run',
    table(factTable(report)),
    ...optional(assumptionTable(report), '### Assumed values'),
    details(`${plural(report.stages.length, 'stage')} behind the numbers, with their keys`, table(stageTable(report))),
    footer(),
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(report: Report, ablation: AblationReport, figures: Figures): string[] {
  const references = referenceTable(ablation);
  const dots = figures.get(dotPlotId(ablation));
  return [
    `<a id="${ablationAnchor(ablation.name)}"></a>`,
    `## ${escapeMarkdown(`${ablation.table}: ${ablation.title}`)}`,
    escapeMarkdown(ablation.question),
    ablation.finding.map(escapeMarkdown).join(' '),
    table(resultTable(report, ablation)),
    ...(references === undefined ? [] : [details(`${plural(references.rows.length, 'published row')} for reference, never run here`, table(references))]),
    ...optional(failureTable(ablation)),
    ...(dots === undefined ? [] : [image(dots), `<sub>${escapeMarkdown(dotPlotCaption(ablation))}</sub>`]),
    ...optional(claimTable(report, ablation), '### Claims'),
    ...optional(inconsistencyTable(ablation), '### Where the paper disagrees with itself'),
    `**Expected.** ${escapeMarkdown(ablation.expected)}`,
    `**Order.** ${escapeMarkdown(report.rule)}`,
    ...(ablation.footnotes.length === 0 ? [] : [ablation.footnotes.map(note => `- ${escapeMarkdown(note)}`).join('\n')]),
    '### What it took',
    table(costTable(ablation)),
    ...curves(ablation, figures),
    `The same numbers as CSV: [tables/${slug(ablation.name)}.csv](tables/${slug(ablation.name)}.csv).`,
  ];
}

const optional = (data: Table | undefined, ...before: readonly string[]): string[] => (data === undefined ? [] : [...before, table(data)]);

function curves(ablation: AblationReport, figures: Figures): string[] {
  const charts = ablation.curves.flatMap(chart => {
    const drawn = figures.get(chart.id);
    return drawn === undefined ? [] : [image(drawn), details(`Values of \u201c${chart.title}\u201d`, table(curveTable(ablation, chart)))];
  });
  return charts.length === 0 ? [] : ['### Training curves', ...charts];
}

const image = ({ id, alt }: ReportFigure): string => `![${escapeMarkdown(alt)}](figures/${id}.svg)`;

const details = (summary: string, body: string): string => `<details><summary>${escapeMarkdown(summary)}</summary>\n\n${body}\n\n</details>`;

const footer = (): string =>
  'Made from the records in [results.jsonl](results.jsonl) and the declarations; the same records give the same bytes. ' +
  'Times, versions and machine are in [provenance.json](provenance.json). [index.html](index.html) is the same report as one page.';

export { table as markdownTable };

function table(data: Table): string {
  const header = [escapeMarkdown(data.corner), ...data.columns.map(column => escapeMarkdown(column.label))];
  const rule = ['---', ...data.columns.map(column => (column.align === 'right' ? '---:' : '---'))];
  const rows = data.rows.map(row => {
    const cells = row.group === true ? data.columns.map(() => '') : row.cells.map(cell);
    return line([rowHeader(row), ...cells]);
  });
  const notes = data.notes.map(note => `<sub>${escapeMarkdown(note)}</sub>`).join('<br>\n');
  return [line(header), line(rule), ...rows, ...(notes === '' ? [] : ['', notes])].join('\n');
}

/** GitHub keeps the ids of empty links, which makes them anchors. */
function rowHeader({ header, href, id, detail, marked, group, part }: TableRow): string {
  const text = escapeMarkdown(header);
  const linked = href === undefined ? text : `[${text}](#${href})`;
  const strong = marked === true || group === true ? `**${linked}**` : linked;
  const small = detail === undefined || detail === '' ? '' : `<br><sub>${escapeMarkdown(detail)}</sub>`;
  return `${id === undefined ? '' : `<a id="${id}"></a>`}${part === true ? '\u2022 ' : ''}${strong}${small}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function cell({ text, sign, detail, tone }: Cell): string {
  const main = escapeMarkdown(`${text}${sign ?? ''}`);
  return `${tone === 'strong' ? `**${main}**` : main}${detail === undefined ? '' : ` <sub>${escapeMarkdown(detail)}</sub>`}`;
}
