/** Report -> `README.md`: what GitHub shows of the report in a pull request. Charts are linked SVG files. */
import { agreementTable } from '../charts/agreement.ts';
import { allFailuresTable, recipeTable, stageTable } from '../tables/appendix.ts';
import { assumptionTable, contentsTable, inconsistencyTable, referenceTable } from '../tables/context.ts';
import { overviewTable } from '../charts/axis-chart.ts';
import { ablationAnchor } from '../tables/anchors.ts';
import { claimOverview, claimTable } from '../tables/claims.ts';
import { curveTable } from '../tables/curves.ts';
import { AGREEMENT, FOREST, OVERVIEW, resultFigureId, type ReportFigure } from '../charts/figures.ts';
import { plural } from '../../text/format.ts';
import type { AblationReport, Report } from '../model/model.ts';
import { costTable, factTable, failureTable, resultTable, type Cell, type Table, type TableRow } from '../tables/results.ts';
import { slug } from '../../text/clean.ts';
import { reportKicker, reportTitle, seedsText } from '../model/wording.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

/** Keeps a text from being read as Markdown or HTML within a line: cells of tables, and what stands behind other text. */
const escapeInline = (text: string): string =>
  text
    .replace(/[\\`*_{}[\]|~#$@!<>&]/g, character => ENTITIES[character] ?? `\\${character}`)
    // A bare address would become a link.
    .replace(/:\/\//g, `:${BREAK}//`)
    .replace(/\bwww\./gi, `www${BREAK}.`);

/** The same where the text may start a line: a number with a point would become a list there. */
export const escapeMarkdown = (text: string): string =>
  escapeInline(text)
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^([-+=])/, '\\$1');

/** GitHub looks for mentions (`@name`) and references (`#1`) after Markdown: no backslash or entity stops them, an invisible character does. */
const BREAK = '\u2060';
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '@': `@${BREAK}`, '#': `#${BREAK}`, $: '&#36;' };

export function renderMarkdown(report: Report, figures: Figures): string {
  const [lead, ...rest] = report.verdict;
  const parts = [
    `# ${escapeMarkdown(reportTitle(report))}`,
    escapeMarkdown(whatWasRun(report)),
    ...(report.notes.length === 0 ? [] : [report.notes.map(note => `> ${escapeMarkdown(note)}`).join('\n>\n')]),
    `**${escapeMarkdown(lead ?? '')}** ${rest.map(escapeInline).join(' ')}`,
    ...captioned(figures.get(FOREST)),
    ...captioned(figures.get(OVERVIEW)),
    ...valuesOf(overviewTable(report)),
    ...captioned(figures.get(AGREEMENT)),
    ...valuesOf(agreementTable(report)),
    ...(report.ablations.length < 2 ? [] : ['## Ablations', table(contentsTable(report))]),
    details('How to read the tables', notes([report.rule, report.valueRule])),
    ...claims(report),
    ...report.ablations.flatMap(ablation => section(report, ablation, figures)),
    ...appendix(report),
    footer(report),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Scale, what the study puts first about it, and seeds. */
function whatWasRun(report: Report): string {
  const seeds = seedsText(report);
  const facts = report.facts.filter(fact => fact.lead === true).map(({ label, value }) => `${label}: ${value}`);
  return `${[reportKicker(report), ...facts, `${report.seeds.declared.length === 1 ? 'Seed' : 'Seeds'}: ${seeds.text}${seeds.detail === undefined ? '' : ` (${seeds.detail})`}`].join('. ')}.`;
}

function claims(report: Report): string[] {
  if (report.claims.total === 0) return [];
  const { notes: rules, ...overview } = claimOverview(report);
  return [
    '## Claims of the paper',
    table({ ...overview, notes: [] }),
    details('How claims are judged', notes(rules)),
    'The same comparisons as [CSV](tables/claims.csv) and as [LaTeX](tables/claims.tex).',
  ];
}

function section(report: Report, ablation: AblationReport, figures: Figures): string[] {
  const references = referenceTable(ablation);
  return [
    `<a id="${ablationAnchor(ablation.name)}"></a>`,
    `## ${escapeMarkdown(`${ablation.table}: ${ablation.title}`)}`,
    escapeMarkdown(ablation.question),
    ablation.finding.map(escapeMarkdown).join(' '),
    table(resultTable(report, ablation)),
    ...captioned(figures.get(resultFigureId(ablation))),
    ...optional(failureTable(ablation)),
    ...optional(claimTable(report, ablation), '### Claims'),
    ...optional(inconsistencyTable(ablation), '### Where the paper disagrees with itself'),
    `**Expected.** ${escapeInline(ablation.expected)}`,
    ...(ablation.footnotes.length === 0 ? [] : [ablation.footnotes.map(note => `- ${escapeMarkdown(note)}`).join('\n')]),
    ...(references === undefined ? [] : [details(`${plural(references.rows.length, 'published row')} for reference, never run here`, table(references))]),
    details('What it took', table(costTable(ablation))),
    ...curves(ablation, figures),
    `The same numbers as ${tableLinks(ablation)}.`,
  ];
}

function tableLinks({ name, curves: charts }: AblationReport): string {
  const path = `tables/${slug(name)}`;
  const ofCurves = charts.length === 0 ? '' : `; [curves](${path}-curves.csv)`;
  return `[CSV](${path}.csv) and as [LaTeX](${path}.tex)${ofCurves}`;
}

function appendix(report: Report): string[] {
  return [
    '## How it was run',
    table(factTable(report)),
    ...optional(allFailuresTable(report), '### What failed'),
    ...optional(assumptionTable(report), '### Assumed values'),
    ...recipes(report),
    details(`${plural(report.stages.length, 'stage')} behind the numbers, with their keys`, table(stageTable(report))),
  ];
}

function recipes(report: Report): string[] {
  const tables = report.ablations.flatMap(ablation => {
    const data = recipeTable(ablation);
    return data === undefined ? [] : [details(`${ablation.table}: ${ablation.title}`, table(data))];
  });
  if (tables.length === 0) return [];
  return ['### Recipes', 'Each arm as its difference from the default arm of its ablation. The default arms in full: [tables/recipes.csv](tables/recipes.csv).', ...tables];
}

const optional = (data: Table | undefined, ...before: readonly string[]): string[] => (data === undefined ? [] : [...before, table(data)]);

/** Folded away: a dozen charts would hide the tables between them. */
function curves(ablation: AblationReport, figures: Figures): string[] {
  const charts = ablation.curves.flatMap(chart => {
    const drawn = figures.get(chart.id);
    return drawn === undefined ? [] : [image(drawn), table(curveTable(ablation, chart))];
  });
  return charts.length === 0 ? [] : [details('Training curves', charts.join('\n\n'))];
}

const valuesOf = (data: Table | undefined): string[] => (data === undefined ? [] : [details(`Values of \u201c${data.subject}\u201d`, table(data))]);

const captioned = (figure: ReportFigure | undefined): string[] =>
  figure === undefined ? [] : [image(figure), ...(figure.caption === undefined ? [] : [`<sub>${escapeInline(figure.caption)}</sub>`])];

const image = ({ id, alt }: ReportFigure): string => `![${escapeMarkdown(alt)}](figures/${id}.svg)`;

/** The line of the summary is HTML, where nothing of Markdown is read. */
const details = (summary: string, body: string): string => `<details><summary>${summary.replace(/[&<>@#$]/g, character => ENTITIES[character]!)}</summary>\n\n${body}\n\n</details>`;

const footer = ({ ablations }: Report): string =>
  'Made from the records in [results.jsonl](results.jsonl) and the declarations; the same records give the same bytes. ' +
  (ablations.length < 2 ? '' : 'The list of ablations as CSV: [tables/ablations.csv](tables/ablations.csv). ') +
  'Times, versions and machine are in [provenance.json](provenance.json). [index.html](index.html) is the same report as one page.';

/** Small print. */
const notes = (lines: readonly string[]): string => lines.map(note => `<sub>${escapeInline(note)}</sub>`).join('<br>\n');

export { table as markdownTable };

function table(data: Table): string {
  const header = [escapeInline(data.corner), ...data.columns.map(column => escapeInline(column.label))];
  const rule = ['---', ...data.columns.map(column => (column.align === 'right' ? '---:' : '---'))];
  const rows = data.rows.map(row => {
    const cells = row.group === true ? data.columns.map(() => '') : row.cells.map(cell);
    return line([rowHeader(row), ...cells]);
  });
  return [line(header), line(rule), ...rows, ...(data.notes.length === 0 ? [] : ['', notes(data.notes)])].join('\n');
}

/** GitHub keeps the ids of empty links, which makes them anchors. */
function rowHeader({ header, href, id, detail, marked, aside, group, part }: TableRow): string {
  const text = aside === true ? `*${escapeInline(header)}*` : escapeInline(header);
  const linked = href === undefined ? text : `[${text}](#${href})`;
  const strong = marked === true || group === true ? `**${linked}**` : linked;
  const small = detail === undefined || detail === '' ? '' : `<br><sub>${escapeInline(detail)}</sub>`;
  return `${id === undefined ? '' : `<a id="${id}"></a>`}${part === true ? '\u2022 ' : ''}${strong}${small}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function cell({ text, sign, detail, tone }: Cell): string {
  const main = escapeInline(`${text}${sign ?? ''}`);
  return `${tone === 'strong' ? `**${main}**` : main}${detail === undefined ? '' : ` <sub>${escapeInline(detail)}</sub>`}`;
}
