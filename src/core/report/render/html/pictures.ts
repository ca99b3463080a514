/** A table of pictures as HTML. */
import type { PictureTable } from '../../model/pictures.ts';
import { html, type Markup } from './markup.ts';

/** Pixels of the page that a picture is at least wide where there is room, in whole multiples of its own. */
const WIDE = 96;

/** The last column that all arms share stays in sight where the others are scrolled: it is what they are compared with. */
export function htmlPictures({ title, colours, columns, shared, rows }: PictureTable): Markup {
  const kept = (column: number): Markup | undefined => (column === shared - 1 ? html` class="kept"` : undefined);
  return html`<div class="scroll pictures" role="region" aria-label="${title}" tabindex="0"><table>
<thead><tr>${columns.map((column, i) => html`<th scope="col"${kept(i)}>${column}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({ cells }) => html`<tr>${cells.map((cell, i) => html`<td${kept(i)}>${cell === undefined ? '\u2013' : picture(cell)}</td>`)}</tr>
`,
)}</tbody></table></div>${colours.length === 0 ? undefined : html`<ul class="key swatches">${colours.map(swatch)}</ul>`}`;
}

type Picture = NonNullable<PictureTable['rows'][number]['cells'][number]>;

function picture({ address, alt, width, height }: Picture): Markup {
  const times = Math.ceil(WIDE / width);
  return html`<img src="${address}" alt="${alt}" width="${width * times}" height="${height * times}">`;
}

/** Drawn, as the page's policy allows no style of an element's own. */
const swatch = ({ label, colour }: PictureTable['colours'][number]): Markup =>
  html`<li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" fill="rgb(${colour.join()})"/></svg>${label}</li>`;
