/** Style sheet of the HTML report: light and dark, print, and narrow screens. */
import { darkRules, palette } from './palette.ts';

const variables = (scheme: 'light' | 'dark'): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour[scheme]}`)
    .join(';');

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
.head{padding:1.75rem 0 0}
.lead{margin-top:1rem;display:grid;grid-template-columns:minmax(0,1fr) minmax(0,25rem);gap:1.25rem 3.5rem;align-items:start}
.verdict{font-size:1.0625rem;margin:0}
.keys{display:grid;grid-template-columns:1fr 1fr;gap:0;margin:.25rem 0 0;border-top:1px solid var(--rule)}
.keys div{padding:.5rem 0 .55rem;border-bottom:1px solid var(--rule)}
.keys .whole{grid-column:1/-1}
.keys dt{font-size:.8125rem;color:var(--muted)}
.keys dd{margin:0;font-size:1.0625rem;font-weight:600;font-variant-numeric:tabular-nums}
.keys dd small{font-weight:400;font-size:.875rem;color:var(--muted)}
.bar{display:block;width:100%;height:10px;margin:.35rem 0 .3rem}
.bar .same{fill:var(--agree)}.bar .opposite{fill:var(--disagree)}.bar .lean{fill:var(--agree);opacity:.45}.bar .against{fill:var(--disagree);opacity:.45}.bar .noise{fill:var(--muted)}.bar .rest{fill:var(--rule)}
.keys .legend{font-weight:400}.legend{display:flex;flex-wrap:wrap;gap:0 1rem;margin:0;padding:0;list-style:none;font-size:.8125rem;color:var(--muted)}
.legend b{font-weight:600;font-variant-numeric:tabular-nums}
.legend .same b{color:var(--agree)}.legend .opposite b{color:var(--disagree)}.legend .lean b,.legend .against b,.legend .noise b,.legend .rest b{color:var(--ink)}
.caution{margin:1.1rem 0 0;padding:.6rem .9rem;border-left:3px solid var(--published);background:var(--band);font-size:.9375rem;max-width:none}
.caution p{margin:0;max-width:none}.caution p+p{margin-top:.35rem}
.head nav{margin-top:1.25rem}
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
.r{text-align:right}
tr.marked th,tr.marked td{background:var(--band)}
tr.marked th{font-weight:600}
td small{font-weight:400;font-size:.8125rem;color:var(--muted);margin-left:.35em}
.sign{display:inline-block;width:0;white-space:nowrap;color:var(--muted)}.strong{font-weight:600}.agree{color:var(--agree)}.disagree{color:var(--disagree)}td.muted{color:var(--muted)}
.claims tbody th{min-width:15rem;overflow-wrap:normal}.claims th small,.claims td small{display:block;margin:0;color:var(--muted);font-weight:400;font-size:.8125rem;white-space:normal}
.claims td{vertical-align:top}.claims tbody th{vertical-align:top}.claims td small{min-width:6.5rem}
tr.group th{padding-top:1.1rem;font-weight:600;border-bottom:1px solid var(--muted)}tr.part th{padding-left:1.5rem;color:var(--muted)}tr:target th,tr:target td{background:var(--band)}
.overview tbody th{width:34%}
.reference tbody th,.reference td{color:var(--muted)}
.compact table{font-size:.875rem}
.compact th,.compact td{padding-top:.3rem;padding-bottom:.3rem}
.pathtable tbody th,code,.keytable tbody th{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
.notes{margin:0 0 1rem;padding:0;list-style:none;font-size:.8125rem;max-width:52rem}
.sense{margin-top:.75rem}.footnotes{margin:.25rem 0 0;padding-left:1.2rem;font-size:.875rem;color:var(--muted);max-width:52rem}
figure{margin:1.25rem 0 0}
figure svg{display:block;overflow:visible}
figure .narrow{display:none}
figcaption{font-size:.8125rem;margin-top:.35rem;max-width:52rem}
details{margin:.5rem 0 0}
summary{cursor:pointer;color:var(--accent);font-size:.875rem;padding:.2rem 0;width:fit-content}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(31rem,100%),1fr));gap:1rem 2rem;align-items:start}.charts>div{min-width:0}
footer{margin:2.5rem 0 3rem;padding-top:1rem;border-top:1px solid var(--rule);font-size:.875rem}
`;

const media = `
@media (max-width:56rem){.charts{grid-template-columns:repeat(auto-fill,minmax(min(20.5rem,100%),1fr))}.lead{grid-template-columns:minmax(0,1fr)}figure .wide{display:none}figure .narrow{display:block}}
@media (max-width:34rem){.page{padding:0 1rem}h1{font-size:1.625rem}h2{font-size:1.3125rem}.head{padding-top:1.5rem}th,td{padding-left:.5rem;padding-right:.5rem}.fixed tbody th,.fixed thead th:first-child{position:sticky;left:0;background:var(--page);min-width:7.5rem;max-width:9.5rem}.fixed tr.marked th{background:var(--band)}}
@media print{@page{margin:15mm}html,body{font-size:12px}.page{max-width:none;padding:0}.scroll{overflow:visible}figure .wide{display:block}figure .narrow{display:none}figure svg{max-width:100%;height:auto}.charts{grid-template-columns:1fr 1fr}.charts .wide{display:none}.charts .narrow{display:block}.charts>div,figure,tr,h2,h3,.keys{break-inside:avoid}h2,h3,caption,thead{break-after:avoid}.lead{grid-template-columns:minmax(0,1fr) minmax(0,22rem)}details:not([open]),.contents{display:none}a{color:inherit}}
`;

const dark = `@media screen and (prefers-color-scheme:dark){:root{${variables('dark')}}${darkRules('figure')}}`;

export const styleSheet = `:root{${variables('light')}}${layout}${head}${body}${media}${dark}`.replaceAll('\n', '');
