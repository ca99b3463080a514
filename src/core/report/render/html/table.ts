/** A table of the report as HTML. */
import { html, raw, type Markup } from './markup.ts';
import { left, NONE, type Cell, type Table, type TableRow } from '../../tables/results.ts';

/** A table with this class shows each row as a card where the page is too narrow for its columns: every cell brings its label. */
const CARDS = 'cards';

/** Scrolls in a box of its own when it is wider than the page; the box takes the keyboard's focus for that. */
export function htmlTable(data: Table, className: string): Markup {
  const labelled = className.split(' ').includes(CARDS);
  // Most tables have figures alone, and say so once for all of their cells.
  const figures = data.columns.every(column => column.align === 'right');
  const columns = figures ? data.columns.map(({ label }) => left(label)) : data.columns;
  return html`<div class="scroll ${className}" role="region" aria-label="${data.subject}: ${data.caption}" tabindex="0"><table${figures ? raw(' class="n"') : undefined}>
<caption>${data.caption}</caption>
<thead><tr><th scope="col">${data.corner}</th>${columns.map(column => html`<th scope="col"${align(column.align)}>${column.label}</th>`)}</tr></thead>
${bodies(data.rows).map(
  rows => html`<tbody>
${rows.map(row => tableRow(row, columns, labelled))}</tbody>
`,
)}</table></div>
${data.notes.length === 0 ? undefined : html`<ul class="notes">${data.notes.map(note => html`<li>${note}</li>`)}</ul>`}`;
}

/** A row that heads others starts a group of its own. */
function bodies(rows: readonly TableRow[]): TableRow[][] {
  const groups: TableRow[][] = [];
  for (const row of rows) {
    if (groups.length === 0 || row.group === true) groups.push([]);
    groups.at(-1)!.push(row);
  }
  return groups;
}

function tableRow(row: TableRow, columns: Table['columns'], labelled: boolean): Markup {
  const header = row.href === undefined ? html`${row.header}` : html`<a href="#${row.href}">${row.header}</a>`;
  const detail = row.detail === undefined || row.detail === '' ? undefined : html` <small>${row.detail}</small>`;
  const classes = [row.marked === true ? 'marked' : '', row.aside === true ? 'aside' : '', row.part === true ? 'part' : '', row.group === true ? 'group' : ''].filter(Boolean).join(' ');
  const attributes = html`${row.id === undefined ? undefined : html` id="${row.id}"`}${classes === '' ? undefined : html` class="${classes}"`}`;
  if (row.group === true)
    return html`<tr${attributes}><th colspan="${columns.length + 1}" scope="rowgroup">${header}${detail}</th></tr>
`;
  return html`<tr${attributes}><th scope="row">${header}${detail}</th>${row.cells.map((c, i) => cell(c, columns[i]!.align, labelled ? columns[i]!.label : undefined))}</tr>
`;
}

const align = (side: 'left' | 'right'): Markup | undefined => (side === 'right' ? raw(' class="r"') : undefined);

/** @param label of its column, where the row may be shown as a card */
function cell({ text, sign, detail, tone }: Cell, side: 'left' | 'right', label: string | undefined): Markup {
  const none = label !== undefined && text === NONE.text && detail === undefined;
  const classes = [side === 'right' ? 'r' : text.length > 40 ? 'wrap' : '', tone === 'plain' ? '' : (tone ?? ''), none ? 'none' : ''].filter(Boolean).join(' ');
  const attributes = html`${classes === '' ? undefined : html` class="${classes}"`}${label === undefined ? undefined : html` data-label="${label}"`}`;
  // Hangs at the end of the cell, so that figures stay aligned.
  const hung = sign === undefined ? undefined : html`<span class="sign">${sign}</span>`;
  return html`<td${attributes}>${text}${detail === undefined ? hung : html` <small>${detail}${hung}</small>`}</td>`;
}
