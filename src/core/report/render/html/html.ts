/** Report -> one self-contained HTML page: no requests, complete without its script, in print and on a phone. */
import { createHash } from 'node:crypto';
import type { Spec } from 'vega';
import { agreementTable } from '../../charts/agreement.ts';
import { stageTable } from '../../tables/appendix.ts';
import { failed, recipes } from './appendix.ts';
import { assumptionTable, contentsTable, inconsistencyTable, referenceTable } from '../../tables/context.ts';
import { overviewTable } from '../../charts/axis-chart.ts';
import { claimForestTable } from '../../charts/claim-forest.ts';
import { bar, claimParts, orderParts } from './bars.ts';
import { share } from '../../charts/vega/sharing.ts';
import type { PageChart, PageData } from '../../charts/vega/views.ts';
import { ablationAnchor } from '../../tables/anchors.ts';
import { claimOverview, claimTable } from '../../tables/claims.ts';
import { curveTable } from '../../tables/curves.ts';
import { AGREEMENT, FOREST, OVERVIEW, resultFigureId, type ReportFigure } from '../../charts/figures.ts';
import { plural } from '../../../text/format.ts';
import { htmlTable } from './table.ts';
import { html, raw, type Markup } from './markup.ts';
import type { AblationReport, Report } from '../../model/model.ts';
import { styleOf, styleSheet } from './style.ts';
import { withinPage, type Figure } from '../../charts/svg/svg.ts';
import { costTable, factTable, failureTable, resultTable, type Table } from '../../tables/results.ts';
import { reportKicker, reportTitle, seedsText } from '../../model/wording.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing loads; the one style sheet and the one script are known by their hashes. */
const policy = (script: string): string => `default-src 'none'; style-src ${hashOf(styleSheet)};${script === '' ? '' : ` script-src ${hashOf(script)};`} base-uri 'none'; form-action 'none'`;

export interface PageParts {
  /** Makes the charts live; without it the page is the same and stands still. */
  readonly script?: string;
  /** A section on what changed against another report, which a committed report does not have. */
  readonly changes?: Markup;
}

export function renderHtml(report: Report, figures: Figures, { script = '', changes }: PageParts = {}): string {
  const title = reportTitle(report);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}, profile ${report.profile}</title>
<style>${raw(styleSheet)}</style>
</head>
<body>
<div class="page">
${head(report)}
<main>
${overview(report, figures)}
${claims(report)}${changes}
${report.ablations.map(ablation => section(report, ablation, figures))}
${setting(report)}
</main>
${footer()}
</div>
${script === '' ? undefined : scripts(figures, script)}
</body>
</html>
`.text;
}

function head(report: Report): Markup {
  const { arms } = report;
  const seeds = seedsText(report);
  const [lead, ...rest] = report.verdict;
  const facts = report.facts.filter(fact => fact.lead === true);
  return html`<header class="head">
<p class="kicker">${reportKicker(report)}</p>
<h1>${reportTitle(report)}</h1>
${cautions(report)}
<div class="lead">
<div>
<p class="verdict"><strong>${lead}</strong> ${rest.join(' ')}</p>
</div>
<dl class="keys">
<div><dt>Arms measured</dt><dd>${arms.done + arms.partial} of ${arms.total}${armDetail(report)}</dd></div>
<div><dt>${report.seeds.declared.length === 1 ? 'Seed' : 'Seeds'}</dt><dd>${seeds.text}${seeds.detail === undefined ? undefined : html` <small>${seeds.detail}</small>`}</dd></div>
${(facts.length === 0 ? report.facts.slice(0, 1) : facts).map(fact => html`<div class="whole"><dt>${fact.label}</dt><dd>${fact.value}</dd></div>`)}
${report.claims.total === 0 ? undefined : html`<div class="whole"><dt><a href="#claims">Claims of the paper</a></dt><dd>${bar(claimParts(report.claims))}</dd></div>`}
<div class="whole"><dt>Order of arm pairs against the paper</dt><dd>${bar(orderParts(report.order)) ?? html`<small>no pair measured yet</small>`}</dd></div>
</dl>
</div>
${report.ablations.length < 2 ? undefined : html`<nav aria-label="Ablations">${htmlTable(contentsTable(report), 'overview fixed compact')}</nav>`}
</header>`;
}

/** The first one in full: it says how to read the whole; the others when asked for, where there are several. */
function cautions({ notes }: Report): Markup | undefined {
  const [first, ...others] = notes;
  if (first === undefined) return undefined;
  const more = others.map(note => html`<p>${note}</p>`);
  const shown = others.length < 2 ? more : html`<details><summary>${plural(others.length, 'further note')} on comparing with the paper</summary>${more}</details>`;
  return html`<div class="caution" role="note"><p>${first}</p>${shown}</div>`;
}

function armDetail({ arms }: Report): Markup | undefined {
  const parts = [arms.partial > 0 ? `${arms.partial} in part` : '', arms.failed > 0 ? `${arms.failed} failed` : '', arms.missing > 0 ? `${arms.missing} missing` : ''].filter(Boolean);
  return parts.length === 0 ? undefined : html` <small>${parts.join(', ')}</small>`;
}

function overview(report: Report, figures: Figures): Markup | undefined {
  const [forest, headline, agreement] = [figures.get(FOREST), figures.get(OVERVIEW), figures.get(AGREEMENT)];
  if (forest === undefined && headline === undefined && agreement === undefined) return undefined;
  return html`<section id="at-a-glance" aria-labelledby="at-a-glance-title">
<h2 id="at-a-glance-title">${report.overview === undefined || headline === undefined ? 'At a glance' : report.overview.title}</h2>
${forest === undefined ? undefined : figure(forest)}${valuesOf(claimForestTable(report))}
${headline === undefined ? undefined : figure(headline)}${valuesOf(overviewTable(report))}
${agreement === undefined ? undefined : figure(agreement)}${valuesOf(agreementTable(report))}
</section>`;
}

const valuesOf = (data: Table | undefined): Markup | undefined =>
  data === undefined ? undefined : html`<details><summary>Values of \u201c${data.subject}\u201d</summary>${htmlTable(data, 'fixed compact')}</details>`;

function claims(report: Report): Markup | undefined {
  if (report.claims.total === 0) return undefined;
  return html`<section id="claims" aria-labelledby="claims-title">
<h2 id="claims-title">Claims of the paper</h2>
${htmlTable(claimOverview(report), 'claims')}
</section>`;
}

function section(report: Report, ablation: AblationReport, figures: Figures): Markup {
  const id = ablationAnchor(ablation.name);
  const result = figures.get(resultFigureId(ablation));
  return html`<section id="${id}" aria-labelledby="${id}-title">
<p class="kicker">${ablation.table}</p>
<h2 id="${id}-title">${ablation.title}</h2>
<p class="question">${ablation.question}</p>
<p class="finding muted">${ablation.finding.join(' ')}</p>
${htmlTable(resultTable(report, ablation), 'fixed')}
${references(ablation)}
${optional(failureTable(ablation), 'compact')}
${result === undefined ? undefined : figure(result)}
${optional(claimTable(report, ablation), 'claims')}
${optional(inconsistencyTable(ablation), 'claims')}
<p class="notes sense"><strong>Expected.</strong> ${ablation.expected} <strong>Order.</strong> ${report.rule} ${report.valueRule}</p>
${ablation.footnotes.length === 0 ? undefined : html`<ul class="footnotes">${ablation.footnotes.map(note => html`<li>${note}</li>`)}</ul>`}
${folded(report, 'What it took', htmlTable(costTable(ablation), 'fixed compact'))}
${curves(report, ablation, figures)}
</section>`;
}

const optional = (data: Table | undefined, className: string): Markup | undefined => (data === undefined ? undefined : htmlTable(data, className));

/** Published rows up to this number stand open. */
const OPEN_REFERENCES = 5;

function references(ablation: AblationReport): Markup | undefined {
  const data = referenceTable(ablation);
  if (data === undefined) return undefined;
  const body = htmlTable(data, 'reference compact');
  return data.rows.length <= OPEN_REFERENCES ? body : html`<details><summary>${plural(data.rows.length, 'published row')} for reference, never run here</summary>${body}</details>`;
}

/** A report of more ablations than this is for looking up: what supports the results is folded away. */
const OPEN_ABLATIONS = 3;

function folded(report: Report, title: string, body: Markup): Markup {
  if (report.ablations.length <= OPEN_ABLATIONS) return html`<h3>${title}</h3>${body}`;
  return html`<details><summary>${title}</summary>${body}</details>`;
}

function curves(report: Report, ablation: AblationReport, figures: Figures): Markup | undefined {
  const charts = ablation.curves.flatMap(chart => {
    const drawn = figures.get(chart.id);
    return drawn === undefined
      ? []
      : [html`<div>${figure(drawn)}<details><summary>Values of \u201c${chart.title}\u201d</summary>${htmlTable(curveTable(ablation, chart), 'fixed compact')}</details></div>`];
  });
  return charts.length === 0 ? undefined : folded(report, 'Training curves', html`<div class="charts">${charts}</div>`);
}

function setting(report: Report): Markup {
  return html`<section id="setting" aria-labelledby="setting-title">
<h2 id="setting-title">How it was run</h2>
${htmlTable(factTable(report), 'compact')}
${failed(report)}
${assumptions(report)}
${recipes(report)}
<details><summary>${plural(report.stages.length, 'stage')} behind the numbers, with their keys</summary>${htmlTable(stageTable(report), 'keytable compact')}</details>
</section>`;
}

function assumptions(report: Report): Markup | undefined {
  const data = assumptionTable(report);
  return data === undefined ? undefined : html`<h3 id="assumptions">Assumed values</h3>${htmlTable(data, 'pathtable compact')}`;
}

const footer = (): Markup => html`<footer>
<p>Made from the records in <a href="results.jsonl">results.jsonl</a> and the declarations; the same records give the same bytes. Times, versions and machine are in <a href="provenance.json">provenance.json</a>, and each table is a CSV and a LaTeX file in <code>tables/</code>.</p>
</footer>`;

function figure({ id, alt, caption, chart, wide, narrow }: ReportFigure): Markup {
  const drawing = (name: string, drawn: Figure): Markup => html`<div class="${name}">${raw(withinPage(drawn))}</div>`;
  const drawings = narrow === undefined ? drawing('scroll', wide) : [drawing('wide scroll', wide), drawing('narrow scroll', narrow)];
  return html`<figure data-chart="${id}"><div class="drawing" role="img" aria-label="${alt}">${drawings}</div>${chart.kind === 'lines' && chart.series.length > 1 ? legend(chart.series) : undefined}${
    caption === undefined ? undefined : html`<figcaption>${caption}</figcaption>`
  }</figure>`;
}

const legend = (series: readonly { readonly label: string; readonly style: number }[]): Markup =>
  html`<ul class="key">${series.map(({ label, style }) => html`<li class="${styleOf(style)}">${label}</li>`)}</ul>`;

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
