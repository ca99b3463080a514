/** A table of pictures as HTML. */
import type { PictureTable } from '../../model/pictures.ts';
import { html, type Markup } from './markup.ts';

/** Pixels of the page that a picture is at least wide, in whole multiples of its own. */
const WIDE = 96;

export function htmlPictures({ title, columns, rows }: PictureTable): Markup {
  return html`<div class="scroll pictures" role="region" aria-label="${title}" tabindex="0"><table>
<caption>${title}</caption>
<thead><tr>${columns.map(column => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({ cells }) => html`<tr>${cells.map(
    cell =>
      html`<td>${
        cell === undefined ? '\u2013' : html`<img src="${cell.address}" alt="${cell.alt}" width="${cell.width * Math.ceil(WIDE / cell.width)}" height="${cell.height * Math.ceil(WIDE / cell.width)}">`
      }</td>`,
  )}</tr>
`,
)}</tbody></table></div>`;
}
