/** Blocks of a report as HTML. */
import type { ReportFigure } from '../../charts/figures.ts';
import { withinPage, type Figure } from '../../charts/svg/svg.ts';
import { withSmallPrint, type Block, type Inline, type Look, type Voice } from '../outline/blocks.ts';
import { html, raw, type Markup } from './markup.ts';
import { htmlPictures } from './pictures.ts';
import { styleOf } from './style.ts';
import { htmlTable } from './table.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

const LOOKS: Readonly<Record<Look, string>> = {
  results: 'fixed results',
  crossed: 'fixed crossed',
  claims: 'claims cards',
  contents: 'overview fixed compact',
  reference: 'reference cards compact',
  values: 'fixed compact',
  facts: 'facts compact',
  fields: 'pathtable cards compact',
  recipes: 'pathtable recipetable compact',
  keys: 'keytable compact',
};

const VOICES: Readonly<Record<Voice, Markup | undefined>> = {
  plain: undefined,
  verdict: raw(' class="verdict"'),
  question: raw(' class="question"'),
  quiet: raw(' class="finding muted"'),
  small: raw(' class="small"'),
};

export const htmlBlocks = (blocks: readonly Block[], figures: Figures): Markup[] =>
  withSmallPrint(blocks).map(block =>
    'type' in block
      ? html`${htmlBlock(block, figures)}
`
      : html`<ul class="notes">${block.map(({ text }) => html`<li>${inlines(text)}</li>`)}</ul>
`,
  );

function htmlBlock(block: Block, figures: Figures): Markup | undefined {
  const inner = (blocks: readonly Block[]): Markup[] => htmlBlocks(blocks, figures);
  switch (block.type) {
    case 'section':
      return html`<section id="${block.id}" aria-labelledby="${block.id}-title">
${
  block.kicker === undefined
    ? undefined
    : html`<p class="kicker">${block.kicker}</p>
`
}<h2 id="${block.id}-title">${block.title}</h2>
${inner(block.blocks)}</section>`;
    case 'heading':
      return html`<h3${block.id === undefined ? undefined : html` id="${block.id}"`}>${block.title}</h3>`;
    case 'paragraph':
      return html`<p${VOICES[block.voice ?? 'plain']}>${inlines(block.text)}</p>`;
    case 'table':
      return htmlTable(block.table, LOOKS[block.look]);
    case 'figure': {
      const figure = figures.get(block.id);
      return figure === undefined ? undefined : htmlFigure(figure);
    }
    case 'pictures':
      return htmlPictures(block.table);
    case 'details':
      return html`<details><summary>${block.summary}</summary>${inner(block.blocks)}</details>`;
    case 'gallery':
      return html`<div class="charts">${block.items.map(item => html`<div>${inner(item)}</div>`)}</div>`;
    case 'list':
      return html`<ul class="notes">${block.items.map(item => html`<li>${inlines(item)}</li>`)}</ul>`;
    case 'caution':
      return html`<div class="caution" role="note">${inner(block.blocks)}</div>`;
    case 'numbers':
      return html`<dl class="keys">${block.items.map(
        ({ label, value, detail }) => html`<div><dt>${label}</dt><dd>${value}${detail === undefined ? undefined : html` <small>${detail}</small>`}</dd></div>`,
      )}</dl>`;
    case 'navigation':
      return html`<nav aria-label="${block.label}">${inner(block.blocks)}</nav>`;
  }
}

const inlines = (text: readonly Inline[]): Markup[] => text.map(inline);

function inline(part: Inline): Markup {
  if (typeof part === 'string') return html`${part}`;
  const linked = part.href === undefined ? html`${part.text}` : html`<a href="${part.href}">${part.text}</a>`;
  return part.strong === true ? html`<strong>${linked}</strong>` : linked;
}

function htmlFigure({ id, alt, caption, chart, wide, narrow }: ReportFigure): Markup {
  const drawing = (name: string, drawn: Figure): Markup => html`<div class="${name}">${raw(withinPage(drawn))}</div>`;
  const drawings = narrow === undefined ? drawing('scroll', wide) : [drawing('wide scroll', wide), drawing('narrow scroll', narrow)];
  return html`<figure data-chart="${id}"><div class="drawing" role="img" aria-label="${alt}">${drawings}</div>${chart.kind === 'lines' && chart.series.length > 1 ? legend(chart.series) : undefined}${
    caption === undefined ? undefined : html`<figcaption>${caption}</figcaption>`
  }</figure>`;
}

const legend = (series: readonly { readonly label: string; readonly style: number }[]): Markup =>
  html`<ul class="key">${series.map(({ label, style }) => html`<li class="${styleOf(style)}">${label}</li>`)}</ul>`;
