/** Report -> one self-contained HTML page: no requests, complete without its script, in print and on a phone. */
import { createHash } from 'node:crypto';
import type { Spec } from 'vega';
import { share } from '../../charts/vega/sharing.ts';
import type { PageChart, PageData } from '../../charts/vega/views.ts';
import type { ReportFigure } from '../../charts/figures.ts';
import type { Report } from '../../model/model.ts';
import { blocksOn, type Block } from '../outline/blocks.ts';
import { outlineOf } from '../outline/outline.ts';
import { htmlBlocks } from './blocks.ts';
import { html, raw, type Markup } from './markup.ts';
import { styleSheet } from './style.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing loads; the one style sheet and the one script are known by their hashes. */
const policy = (script: string, pictures: boolean): string =>
  `default-src 'none'; style-src ${hashOf(styleSheet)};${script === '' ? '' : ` script-src ${hashOf(script)};`}${pictures ? ' img-src data:;' : ''} base-uri 'none'; form-action 'none'`;

export interface PageParts {
  /** Makes the charts live; without it the page is the same and stands still. */
  readonly script?: string;
  /** A section on what changed against another report, which a committed report does not have. */
  readonly changes?: Block;
}

export function renderHtml(report: Report, figures: Figures, { script = '', changes }: PageParts = {}): string {
  const { kicker, title, head, body, footer } = outlineOf(report, new Set(figures.keys()));
  const blocks = (of: readonly Block[]): Markup[] => htmlBlocks(blocksOn('page', of), figures);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(
    script,
    report.ablations.some(({ pictures }) => pictures.length > 0),
  )}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}, profile ${report.profile}</title>
<style>${raw(styleSheet)}</style>
</head>
<body>
<div class="page">
<header class="head">
<p class="kicker">${kicker}</p>
<h1>${title}</h1>
${blocks(head)}</header>
<main>
${blocks([...(changes === undefined ? [] : [changes]), ...body])}</main>
<footer>
${blocks(footer)}</footer>
</div>
${script === '' ? undefined : scripts(figures, script)}
</body>
</html>
`.text;
}

/** A block of data never runs, whatever it says; without a `<` it cannot end itself. */
function scripts(figures: Figures, script: string): Markup {
  return html`<script type="application/json" id="chart-data">${raw(escapeJson(JSON.stringify(pageData(figures))))}</script>
<script>${raw(script)}</script>`;
}

function pageData(figures: Figures): PageData {
  const specs: Spec[] = [];
  const charts = [...figures.values()].map(({ id, live }): [string, PageChart] => {
    const views = [...live.views].map(([name, spec]) => [name, specs.push(spec) - 1] as const);
    return [id, { ...live, views: Object.fromEntries(views) }];
  });
  return { charts: Object.fromEntries(charts), specs: share(specs) };
}

const escapeJson = (text: string): string => text.replace(/[<\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
