/** Style sheet of the HTML report: light and dark, print, and narrow screens. */
import { FONT, FONT_SIZE } from '../../charts/vega/text-width.ts';
import { darkRules, DASHES, palette, series } from '../../charts/vega/palette.ts';

const variables = (scheme: 'light' | 'dark'): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour[scheme]}`)
    .join(';');

/** Class of a legend entry whose line is drawn by `armStyle(style)`. */
export const styleOf = (style: number): string => {
  const dash = Math.floor(style / series.length) % DASHES.length;
  return `c${style % series.length}${dash === 0 ? '' : ` d${dash}`}`;
};

const swatches = (scheme: 'light' | 'dark'): string => series.map((colour, i) => `.c${i}{--c:${colour[scheme]}}`).join('');

const layout = `
*,*::before,*::after{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;overflow-wrap:break-word}
.page{max-width:72rem;margin:0 auto;padding:0 1.5rem}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:2px}
h1,h2,h3{line-height:1.2;letter-spacing:-.012em;font-weight:650;margin:0;text-wrap:balance}
h1{font-size:2rem;letter-spacing:-.022em}
h2{font-size:1.5rem}
h3{font-size:1.0625rem;margin:2.25rem 0 .5rem}
p{margin:0 0 .75rem;max-width:46rem}
.kicker{margin:0 0 .25rem;color:var(--muted);font-size:.875rem}
.muted,.notes,figcaption,footer{color:var(--muted)}
`;

const head = `
.head{padding:1.25rem 0 0}
.verdict{font-size:1.125rem;line-height:1.5;margin:1rem 0 0;max-width:54rem}
.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(12rem,100%),1fr));gap:0 2rem;margin:1.25rem 0 0;border-top:1px solid var(--rule)}
.keys div{padding:.45rem 0 .5rem;border-bottom:1px solid var(--rule)}
.keys dt{font-size:.8125rem;color:var(--muted)}
.keys dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.keys dd small{font-weight:400;font-size:.875rem;color:var(--muted)}
.caution{margin:.8rem 0 0;padding:.5rem .9rem;border-left:3px solid var(--published);background:var(--band);font-size:.9375rem;max-width:none}
.caution p{margin:0;max-width:none}.caution p+p,details>p+p{margin-top:.35rem}
nav{margin-top:1.25rem}
`;

const body = `
section{padding-top:1.4rem;margin-top:1.4rem;border-top:1px solid var(--rule)}main>section:first-child{border-top:0;margin-top:0}
.question,.finding{max-width:none;margin:.3rem 0}.question{font-size:1.0625rem}
.scroll{overflow-x:auto;max-width:100%}
.scroll:focus-visible{outline-offset:0}
table{border-collapse:collapse;width:100%;margin:.7rem 0 .5rem;font-size:.9375rem;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding:0 0 .4rem}
th,td{padding:.42rem .75rem;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
th:first-child{padding-left:.5rem}
thead th{font-weight:600;font-size:.8125rem;color:var(--muted);border-bottom:1px solid var(--muted);vertical-align:bottom;line-height:1.25}
tbody th{font-weight:400;min-width:9rem;overflow-wrap:anywhere}
td{white-space:nowrap}
td.wrap{white-space:normal;min-width:9rem;overflow-wrap:anywhere}
.r,.n td,.n thead th+th{text-align:right}
tr.marked th,tr.marked td{background:var(--band)}
tr.marked th{font-weight:600}
td small,tbody th small{font-weight:400;font-size:.8125rem;color:var(--muted);margin-left:.35em}
.sign{display:inline-block;width:0;white-space:nowrap;color:var(--muted)}.strong{font-weight:600}.agree{color:var(--agree)}.disagree{color:var(--disagree)}td.muted{color:var(--muted)}
.claims tbody th{min-width:15rem;overflow-wrap:normal}.claims th small,.claims td small{display:block;margin:0;color:var(--muted);font-weight:400;font-size:.8125rem;white-space:normal}
.claims td{vertical-align:top}.claims tbody th{vertical-align:top}.claims td small{min-width:6.5rem}
tr.group th{padding-top:1.1rem;font-weight:600;border-bottom:1px solid var(--muted)}tr.part th{padding-left:1.5rem;color:var(--muted)}tr:target th,tr:target td{background:var(--band)}
.overview tbody th{width:34%}
.reference tbody th,.reference td,tr.aside th,tr.aside td{color:var(--muted)}
.compact table{font-size:.875rem}
.compact th,.compact td{padding-top:.3rem;padding-bottom:.3rem}
.recipetable tbody th{min-width:17rem}.pathtable tbody th,code,.keytable tbody th{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
.notes{margin:0 0 1rem;padding:0;list-style:none;font-size:.8125rem;max-width:52rem}
.sense{margin-top:.75rem}.footnotes{margin:.25rem 0 0;padding-left:1.2rem;font-size:.875rem;color:var(--muted);max-width:52rem}
figure{margin:1.25rem 0 0}
figure svg{display:block;overflow:visible;font:${FONT_SIZE}px ${FONT}}
figure .narrow{display:none}
figcaption{font-size:.8125rem;margin-top:.35rem;max-width:52rem}
details{margin:.5rem 0 0}details+p{margin-top:1rem}
summary{cursor:pointer;color:var(--accent);font-size:.875rem;padding:.2rem 0;width:fit-content}
.pictures th,.pictures td{text-align:center;padding:.2rem .3rem}.pictures th{width:7.6rem;min-width:5.6rem;overflow-wrap:anywhere}.pictures img{display:block;margin:auto;width:100%;max-width:7rem;min-width:5rem;height:auto;image-rendering:pixelated}.pictures .kept{position:sticky;left:0;background:var(--page)}
.swatches{color:var(--muted);margin-bottom:.35rem}.swatches li{align-items:center}.swatches li::before{display:none}.swatches svg{flex:none;margin-right:.4rem;outline:1px solid var(--rule)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:1rem 1.5rem;align-items:start}.charts>div{min-width:0}.charts>div:has(>details[open]){grid-column:1/-1}
footer{margin:2.5rem 0 3rem;padding-top:1rem;border-top:1px solid var(--rule);font-size:.875rem}
`;

const charts = `
.key{display:flex;flex-wrap:wrap;gap:0 1.1rem;margin:.35rem 0 0;padding:0;list-style:none;font-size:.8125rem;line-height:1.5rem}
.key li{display:flex;min-height:1.5rem;max-width:100%}
.key li::before{content:"";flex:none;width:1.35rem;margin:.68rem .45rem 0 0;border-top:2.5px solid var(--c)}.d1::before{border-top-style:dashed!important}.d2::before{border-top-style:dotted!important}
.choose .key li::before,.key .plain::before{display:none!important}
.key button{font:inherit;line-height:inherit;color:inherit;background:none;border:0;padding:0;text-align:left;cursor:pointer;overflow-wrap:anywhere}
.key button:hover{text-decoration:underline;text-underline-offset:.2em}
.key button[aria-pressed=false]{color:var(--muted);text-decoration:line-through}
.choose button,.plain button{border:1px solid var(--muted);border-radius:3px;padding:0 .5rem;margin:.15rem 0;line-height:1.4rem}.choose .key{gap:.15rem .5rem}
.plain button[aria-pressed=false]{text-decoration:none;color:inherit}.plain button[aria-pressed=true]{background:var(--ink);color:var(--page);border-color:var(--ink)}
.live{position:relative;width:fit-content;max-width:100%}
.canvas{position:absolute;top:0;left:0;height:0;overflow:hidden;visibility:hidden}
.drawn>.drawing{display:none}.drawn>.canvas{position:static;height:auto;overflow-x:auto;visibility:visible}
.tip,.ring{position:absolute;pointer-events:none}
.tip{z-index:1;width:max-content;max-width:min(17rem,100%);padding:.35rem .6rem;border-radius:4px;background:var(--ink);color:var(--page);font-size:.8125rem;line-height:1.4;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.ring{width:16px;height:16px;margin:-8px 0 0 -8px;border:2px solid var(--ink);border-radius:50%}
.voice{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;

const media = `
@media (max-width:56rem){figure .wide{display:none}figure .narrow{display:block}}
@media (max-width:34rem){.page{padding:0 .75rem}h1{font-size:1.625rem}h2{font-size:1.3125rem}.head{padding-top:1.25rem}
table{font-size:.875rem}th,td{padding:.4rem .3rem}th:first-child{padding-left:.25rem}thead th{font-size:.75rem}td{white-space:normal}td.wrap,.cards th,.recipetable tbody th{min-width:0}
.fixed td small,.fixed tbody th small{display:block;margin:0;font-size:.75rem}.fixed tbody th,.fixed thead th:first-child{position:sticky;left:0;background:var(--page);min-width:5.25rem;max-width:9.5rem}.fixed tr.marked th{background:var(--band)}
.cards table,.cards caption,.cards tbody{display:block}.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.cards tr{display:grid;grid-template-columns:1fr 1fr;gap:.15rem .75rem;padding:.5rem 0;border-bottom:1px solid var(--rule)}.cards th,.cards td{border:0;padding:0 .25rem;text-align:left}.cards tbody th,.cards .wrap{grid-column:1/-1}.cards tr.part th{padding-left:.25rem}.cards tr.marked{background:var(--band)}
.cards td.none{display:none}.cards td::before{content:attr(data-label);display:block;font-size:.75rem;font-weight:400;color:var(--muted)}}
@media print{@page{margin:15mm}html,body{font-size:12px}.page{max-width:none;padding:0}.scroll{overflow:visible}figure .wide{display:block}figure .narrow{display:none}figure svg{width:auto;max-width:100%;height:auto;max-height:240mm}.charts{grid-template-columns:1fr 1fr}.live>.drawing{display:block}.live>.canvas,.tip,.ring,.choose,.key .plain{display:none!important}.key button{text-decoration:none!important;color:inherit!important}.charts>div,figure,tr,h2,h3,.keys{break-inside:avoid}h2,h3,caption,thead{break-after:avoid}details:not([open]){display:none}a{color:inherit}}
`;

const dark = `@media screen and (prefers-color-scheme:dark){:root{${variables('dark')}}${darkRules('figure')}${swatches('dark')}}`;

export const styleSheet = `:root{${variables('light')}}${swatches('light')}${layout}${head}${body}${charts}${media}${dark}`.replaceAll('\n', '');
