/** Report -> one self-contained HTML page: no scripts, no requests, complete in print and on a phone. */
import { createHash } from 'node:crypto';
import { decidable, type OrderCount } from './compare.ts';
import { dotPlotId, type ReportFigure } from './figures.ts';
import { formatCount, plural } from './format.ts';
import { escapeMarkup, html, raw, type Markup } from './markup.ts';
import type { AblationReport, Report } from './model.ts';
import { styleSheet } from './style.ts';
import { inlineSvg, type Figure } from './svg.ts';
import { costTable, curveTable, factTable, failureTable, resultTable, stageTable, type Cell, type Table } from './tables.ts';
import { slug } from './text.ts';
import { dotPlotCaption, reportKicker, reportTitle } from './wording.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

/** Nothing loads and nothing runs; the one style sheet is known by its hash. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(styleSheet).digest('base64')}'; base-uri 'none'; form-action 'none'`;

export function renderHtml(report: Report, figures: Figures): string {
  const title = reportTitle(report);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}, profile ${report.profile}</title>
<style>${raw(styleSheet)}</style>
</head>
<body>
<div class="page">
${head(report)}
<main>
${report.ablations.map(ablation => section(report, ablation, figures))}
${setting(report)}
</main>
${footer()}
</div>
</body>
</html>
`.text;
}

function head(report: Report): Markup {
  const { arms } = report;
  const [lead, ...rest] = report.verdict;
  return html`<header class="head">
<p class="kicker">${reportKicker(report)}</p>
<div class="lead">
<div>
<h1>${reportTitle(report)}</h1>
<p class="verdict"><strong>${lead}</strong> ${rest.join(' ')}</p>
</div>
<dl class="keys">
<div><dt>Arms measured</dt><dd>${arms.done + arms.partial} of ${arms.total}${armDetail(report)}</dd></div>
<div><dt>${report.seeds.length === 1 ? 'Seed' : 'Seeds'}</dt><dd>${report.seeds.join(', ')}</dd></div>
${report.facts.slice(0, 1).map(fact => html`<div class="whole"><dt>${fact.label}</dt><dd>${fact.value}</dd></div>`)}
<div class="whole"><dt>Order of arm pairs against the paper</dt><dd>${orderBar(report.order)}</dd></div>
</dl>
</div>
${report.notes.length === 0 ? undefined : html`<p class="caution" role="note">${report.notes.join(' ')}</p>`}
${contents(report)}
</header>`;
}

function armDetail({ arms }: Report): Markup | undefined {
  const parts = [
    arms.partial > 0 ? `${arms.partial} in part` : '',
    arms.failed > 0 ? `${arms.failed} failed` : '',
    arms.missing > 0 ? `${arms.missing} missing` : '',
  ].filter(Boolean);
  return parts.length === 0 ? undefined : html` <small>${parts.join(', ')}</small>`;
}

/** A bar with a share for each outcome, and the counts as text below. */
function orderBar(order: OrderCount): Markup {
  const parts = [
    { name: 'same', label: 'as published', count: order.same },
    { name: 'opposite', label: 'opposite', count: order.opposite },
    { name: 'noise', label: 'within noise', count: order.withinNoise },
    { name: 'rest', label: 'not separated by the paper', count: order.publishedNoise },
  ];
  const total = decidable(order) + order.publishedNoise;
  if (total === 0) return html`<small>no pair measured yet</small>`;
  let x = 0;
  const bars = parts.flatMap(({ name, count }) => {
    const width = (100 * count) / total;
    const bar = html`<rect class="${name}" x="${x.toFixed(2)}%" width="${Math.max(0, width - 0.6).toFixed(2)}%" height="10" rx="1.5"/>`;
    x += width;
    return count === 0 ? [] : [bar];
  });
  return html`<svg class="bar" aria-hidden="true" focusable="false">${bars}</svg><ul class="legend">${parts.map(
    part => html`<li class="${part.name}"><b>${formatCount(part.count)}</b> ${part.label}</li>`,
  )}</ul>`;
}

function contents(report: Report): Markup | undefined {
  if (report.ablations.length < 2) return undefined;
  return html`<nav aria-label="Ablations"><ul class="contents">${report.ablations.map(
    a => html`<li><a href="#${anchor(a.name)}">${a.table}: ${a.title}</a></li>`,
  )}</ul></nav>`;
}

const anchor = (name: string): string => `ablation-${slug(name)}`;

function section(report: Report, ablation: AblationReport, figures: Figures): Markup {
  const id = anchor(ablation.name);
  const failed = failureTable(ablation);
  const dots = figures.get(dotPlotId(ablation));
  return html`<section id="${id}" aria-labelledby="${id}-title">
<p class="kicker">${ablation.table}</p>
<h2 id="${id}-title">${ablation.title}</h2>
<p class="question">${ablation.question}</p>
<p class="finding muted">${ablation.finding.join(' ')}</p>
${table(resultTable(report, ablation), 'fixed')}
${failed === undefined ? undefined : table(failed, 'compact')}
${dots === undefined ? undefined : figure(dots, dotPlotCaption(ablation))}
<p class="notes sense"><strong>Expected.</strong> ${ablation.expected} <strong>Order.</strong> ${report.rule}</p>
${ablation.footnotes.length === 0 ? undefined : html`<ul class="footnotes">${ablation.footnotes.map(note => html`<li>${note}</li>`)}</ul>`}
<h3>What it took</h3>
${table(costTable(ablation), 'fixed compact')}
${curves(ablation, figures)}
</section>`;
}

function curves(ablation: AblationReport, figures: Figures): Markup | undefined {
  const charts = ablation.curves.flatMap(chart => {
    const drawn = figures.get(chart.id);
    return drawn === undefined ? [] : [html`<div>${figure(drawn)}<details><summary>Values of \u201c${chart.title}\u201d</summary>${table(curveTable(chart), 'fixed compact')}</details></div>`];
  });
  return charts.length === 0 ? undefined : html`<h3>Training curves</h3><div class="charts">${charts}</div>`;
}

function setting(report: Report): Markup {
  return html`<section id="setting" aria-labelledby="setting-title">
<h2 id="setting-title">How it was run</h2>
${table(factTable(report), 'compact')}
<details><summary>${plural(report.stages.length, 'stage')} behind the numbers, with their keys</summary>${table(stageTable(report), 'keytable compact')}</details>
</section>`;
}

const footer = (): Markup => html`<footer>
<p>Made from the records in <a href="results.jsonl">results.jsonl</a> and the declarations; the same records give the same bytes. Times, versions and machine are in <a href="provenance.json">provenance.json</a>, and each table is a CSV file in <code>tables/</code>.</p>
</footer>`;

/** Scrolls in a box of its own when it is wider than the page; the box takes the keyboard's focus for that. */
function table(data: Table, className: string): Markup {
  return html`<div class="scroll ${className}" role="region" aria-label="${data.subject}: ${data.caption}" tabindex="0"><table>
<caption>${data.caption}</caption>
<thead><tr><th scope="col">${data.corner}</th>${data.columns.map(column => html`<th scope="col"${align(column.align)}>${column.label}</th>`)}</tr></thead>
<tbody>
${data.rows.map(
  row => html`<tr${row.marked === true ? raw(' class="marked"') : undefined}><th scope="row">${row.header}</th>${row.cells.map((c, i) => cell(c, data.columns[i]!.align))}</tr>
`,
)}</tbody>
</table></div>
${data.notes.length === 0 ? undefined : html`<ul class="notes">${data.notes.map(note => html`<li>${note}</li>`)}</ul>`}`;
}

const align = (side: 'left' | 'right'): Markup | undefined => (side === 'right' ? raw(' class="r"') : undefined);

function cell({ text, sign, detail, tone }: Cell, side: 'left' | 'right'): Markup {
  const classes = [side === 'right' ? 'r' : text.length > 40 ? 'wrap' : '', tone ?? ''].filter(Boolean).join(' ');
  return html`<td${classes === '' ? undefined : html` class="${classes}"`}>${text}${sign === undefined ? undefined : html`<span class="sign">${sign}</span>`}${detail === undefined ? undefined : html` <small>${detail}</small>`}</td>`;
}

function figure({ alt, wide, narrow }: ReportFigure, caption?: string): Markup {
  const part = (name: string, drawn: Figure): Markup => html`<div class="${name} scroll">${raw(inlineSvg(drawn, escapeMarkup(alt)))}</div>`;
  return html`<figure>${part('wide', wide)}${part('narrow', narrow)}${caption === undefined ? undefined : html`<figcaption>${caption}</figcaption>`}</figure>`;
}
