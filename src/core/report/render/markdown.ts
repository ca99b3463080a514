/** Report -> `README.md`: what GitHub shows of the report in a pull request. Charts are linked SVG files. */
import type { ReportFigure } from '../charts/figures.ts';
import type { Report } from '../model/model.ts';
import { blocksOn, withSmallPrint, type Block, type Inline } from './outline/blocks.ts';
import { outlineOf } from './outline/outline.ts';
import type { Cell, Table, TableRow } from '../tables/results.ts';

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
  const { kicker, title, head, body, footer } = outlineOf(report, new Set(figures.keys()));
  const parts = [
    `# ${escapeMarkdown(title)}`,
    `${escapeMarkdown(kicker)}.`,
    ...markdownBlocks(blocksOn('readme', [...head, ...body]), figures),
    ...markdownBlocks(blocksOn('readme', footer), figures),
  ];
  return `${parts.join('\n\n')}\n`;
}

const markdownBlocks = (blocks: readonly Block[], figures: Figures): string[] =>
  withSmallPrint(blocks).flatMap(block => ('type' in block ? markdownBlock(block, figures) : [smallPrint(block.map(({ text }) => inlines(text)))]));

function markdownBlock(block: Block, figures: Figures): string[] {
  const inner = (blocks: readonly Block[]): string[] => markdownBlocks(blocks, figures);
  switch (block.type) {
    case 'section':
      return [`## ${anchor(block.id)}${escapeMarkdown(block.kicker === undefined ? block.title : `${block.kicker}: ${block.title}`)}`, ...inner(block.blocks)];
    case 'heading':
      return [`### ${block.id === undefined ? '' : anchor(block.id)}${escapeMarkdown(block.title)}`];
    case 'paragraph':
      return [inlines(block.text)];
    case 'table':
      return [table(block.table)];
    case 'figure': {
      const figure = figures.get(block.id);
      return figure === undefined ? [] : [image(figure)];
    }
    case 'pictures':
      // GitHub shows no `data:` addresses.
      return [];
    case 'details':
      return [details(block.summary, inner(block.blocks).join('\n\n'))];
    case 'gallery':
      return block.items.flatMap(inner);
    case 'list':
      return [block.items.map(item => `- ${inlines(item)}`).join('\n')];
    case 'caution':
      return [inner(block.blocks).join('\n\n').replace(/^/gm, '> ').replace(/^> $/gm, '>')];
    case 'numbers':
      return [block.items.map(({ label, value, detail }) => `**${escapeInline(label)}:** ${escapeInline(`${value}${detail === undefined ? '' : ` (${detail})`}`)}`).join(' \u00b7 ')];
    case 'navigation':
      return inner(block.blocks);
  }
}

/** A line that starts with one of its own signs is escaped as such. */
const inlines = ([first, ...others]: readonly Inline[]): string => [...(first === undefined ? [] : [inline(first, escapeMarkdown)]), ...others.map(part => inline(part, escapeInline))].join('');

function inline(part: Inline, escape: (text: string) => string): string {
  if (typeof part === 'string') return escape(part);
  const text = escape(part.text);
  const linked = part.href === undefined ? text : `[${text}](${part.href})`;
  return part.strong === true ? `**${linked}**` : linked;
}

/** GitHub keeps the ids of empty links, which makes them anchors. */
const anchor = (id: string): string => `<a id="${id}"></a>`;

const image = ({ id, alt, caption }: ReportFigure): string => [`![${escapeMarkdown(alt)}](figures/${id}.svg)`, ...(caption === undefined ? [] : [smallPrint([escapeInline(caption)])])].join('\n\n');

/** The line of the summary is HTML, where nothing of Markdown is read. */
const details = (summary: string, body: string): string => `<details><summary>${summary.replace(/[&<>@#$]/g, character => ENTITIES[character]!)}</summary>\n\n${body}\n\n</details>`;

/** Sentences one after another. @param lines escaped */
const smallPrint = (lines: readonly string[]): string => lines.map(line => `<sub>${line}</sub>`).join(' ');

export { table as markdownTable };

function table(data: Table): string {
  const header = [escapeInline(data.corner), ...data.columns.map(column => escapeInline(column.label))];
  const rule = ['---', ...data.columns.map(column => (column.align === 'right' ? '---:' : '---'))];
  const rows = data.rows.map(row => {
    const cells = row.group === true ? data.columns.map(() => '') : row.cells.map(cell);
    return line([rowHeader(row), ...cells]);
  });
  return [line(header), line(rule), ...rows, ...(data.notes.length === 0 ? [] : ['', smallPrint(data.notes.map(escapeInline))])].join('\n');
}

function rowHeader({ header, href, id, detail, marked, aside, group, part }: TableRow): string {
  const text = aside === true ? `*${escapeInline(header)}*` : escapeInline(header);
  const linked = href === undefined ? text : `[${text}](#${href})`;
  const strong = marked === true || group === true ? `**${linked}**` : linked;
  const small = detail === undefined || detail === '' ? '' : `<br><sub>${escapeInline(detail)}</sub>`;
  return `${id === undefined ? '' : anchor(id)}${part === true ? '\u2022 ' : ''}${strong}${small}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function cell({ text, sign, detail, tone }: Cell): string {
  const main = escapeInline(`${text}${sign ?? ''}`);
  return `${tone === 'strong' ? `**${main}**` : main}${detail === undefined ? '' : ` <sub>${escapeInline(detail)}</sub>`}`;
}
