/** HTML as a tagged template in which every value is escaped unless it is markup itself: forgetting to escape is not possible. */

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type MarkupValue = string | number | Markup | undefined | readonly MarkupValue[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes text for element content and quoted attributes of HTML and XML. */
export const escapeMarkup = (text: string): string => text.replace(/[&<>"']/g, character => ENTITIES[character]!);

function render(value: MarkupValue): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string') return escapeMarkup(value);
  return typeof value === 'number' ? String(value) : value.map(render).join('');
}

/** `` html`<td title="${label}">${label}</td>` `` */
export const html = (strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup => new Markup(strings.reduce((text, part, i) => text + render(values[i - 1]) + part));

/** Text that already is markup: rendered charts, the style sheet. */
export const raw = (text: string): Markup => new Markup(text);
