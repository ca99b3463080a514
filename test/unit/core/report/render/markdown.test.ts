import { wholeInput } from '../../../../helpers/report/whole.ts';
import { marked } from 'marked';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import { FOREST, renderFigures, type ReportFigure } from '../../../../../src/core/report/charts/figures.ts';
import { textWidth } from '../../../../../src/core/report/charts/vega/text-width.ts';
import { escapeMarkdown, renderMarkdown } from '../../../../../src/core/report/render/markdown.ts';
import { resultTable } from '../../../../../src/core/report/tables/results.ts';
import { oneLine } from '../../../../../src/core/text/clean.ts';
import { parseMarkup, type ElementLike } from '../../../../helpers/report/dom.ts';
import { gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

async function readme(input: ReportInput): Promise<{ text: string; document: ElementLike }> {
  const report = buildReport(input);
  const text = renderMarkdown(report, await renderFigures(report));
  return { text, document: parseMarkup(marked.parse(text, { async: false, gfm: true })) };
}

describe('README of the sample, as GitHub reads it', () => {
  test('headings, verdict and caution', async () => {
    const { document } = await readme(sampleInput());
    expect(document.querySelector('h1')!.textContent).toBe('Sample study ablations');
    expect([...document.querySelectorAll('h2')].map(h => h.textContent)).toEqual(['At a glance', 'Table 7: Which relations to distill']);
    expect(document.querySelector('strong')!.textContent).toBe(buildReport(sampleInput()).verdict[0]);
    expect(document.querySelector('blockquote')!.textContent).toContain('nothing on this page was measured');
  });

  test('the result table', async () => {
    const { document } = await readme(sampleInput());
    const table = document.querySelector('table')!;
    const rows = [...table.querySelectorAll('tr')].map(tr => [...tr.children].map(cell => cell.textContent.replaceAll('\u00a0', ' ')));
    expect(rows[0]).toEqual(['Arm', 'Test accuracy (%)', '\u0394 to default', 'Published', 'Published \u0394']);
    expect(rows[2]).toEqual(['MAE baseline', '85.06 \u00b1 0.36', '\u22122.28 \u00b1 0.49', '83.6', '\u22121.0']);
    expect(rows).toHaveLength(7);
    const means = rows.slice(1).map(([, mean]) => mean!.slice(0, 5));
    expect([...table.querySelectorAll('td:nth-child(2) strong')].map(strong => strong.textContent.slice(0, 5))).toEqual([[...means].sort().at(-1)]);
    expect([...table.querySelectorAll('td:first-child strong')].map(strong => strong.textContent)).toEqual(['Q-K, V-V with softmax (default)']);
  });

  test('where nothing is claimed the chart of the table is its figure; it links the tables that the report has', async () => {
    const { document } = await readme(sampleInput());
    expect([...document.querySelectorAll('img')].map(img => img.getAttribute('src'))).toEqual(['figures/relation-result.svg']);
    for (const img of document.querySelectorAll('img')) expect(img.getAttribute('alt')!.length).toBeGreaterThan(40);
    expect([...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))).toEqual([
      'tables/relation.csv',
      'tables/relation.tex',
      'tables/relation-plain.tex',
      'tables/relation-curves.csv',
      'results.jsonl',
      'provenance.json',
      'index.html',
    ]);
  });
});

describe('README of a grid', () => {
  let text: string;
  let document: ElementLike;
  const report = buildReport(gridInput([0]));
  beforeAll(() => {
    text = renderMarkdown(report, new Map());
    document = parseMarkup(marked.parse(text, { async: false, gfm: true }));
  });

  test('the first lines say what was run, and which seeds there are', () => {
    const lines = text.split('\n').filter(line => line !== '');
    expect(lines[0]).toBe('# Sample study ablations');
    expect(lines[1]).toBe('Ablation report, profile grid, changed: distill.schedule.epochs=7.');
    const numbers = lines.find(line => line.startsWith('**') && line.includes(' \u00b7 '))!;
    expect(numbers).toContain('**Seeds:** one seed (seed 0)');
    expect(text.indexOf(numbers)).toBeLessThan(text.indexOf('| Ablation |'));
  });

  test('it has the rules once, the contents, and each ablation with its claims; all else is on the page', () => {
    expect([...document.querySelectorAll('summary')].map(summary => summary.textContent)).toEqual(['How to read the tables', 'How claims and hypotheses are judged']);
    const claimed = report.ablations.filter(({ claims }) => claims.length > 0);
    expect(document.querySelectorAll('table')).toHaveLength(1 + report.ablations.length + claimed.length + report.ablations.filter(({ failures }) => failures.length > 0).length);
    const rows = [...document.querySelectorAll('a[id^=claim-]')];
    expect(rows).toHaveLength(report.ablations.flatMap(({ claims }) => claims).length);
    expect(text).not.toContain('GFLOP');
  });

  test('cells are plain: no escape that only the start of a line needs', () => {
    expect(text).not.toMatch(/\d\\\./);
    expect(text).not.toMatch(/\\[-+]/);
  });
});

describe('hostile texts', () => {
  test.each(HOSTILE_LABELS.map(oneLine))('%j reads back as it is', label => {
    const cell = `| x | y |\n| --- | --- |\n| ${escapeMarkdown(label)} | z |`;
    const document = parseMarkup(marked.parse(cell, { async: false, gfm: true }));
    expect(document.querySelectorAll('td')).toHaveLength(2);
    expect(document.querySelector('td')!.textContent.replaceAll('\u2060', '')).toBe(label);
    expect(document.querySelectorAll('td *')).toHaveLength(0);
  });

  test.each(['1. one', '- item', '+ item', '# head', '> quote', '    code', '=====', 'www.example.org', 'a_b_c', '<!-- x -->'])('%j alone on a line stays a paragraph', text => {
    const document = parseMarkup(marked.parse(escapeMarkdown(text.trim()), { async: false, gfm: true }));
    expect(document.querySelector('p')!.textContent.replaceAll('\u2060', '')).toBe(text.trim());
    expect(document.querySelectorAll('p *, h1, li, blockquote, pre, hr')).toHaveLength(0);
  });

  test('no mention, reference or formula is left for GitHub to read', () => {
    expect(escapeMarkdown('@someone #12 $x$')).toBe('@\u2060someone #\u206012 &#36;x&#36;');
  });

  test('a report of hostile texts keeps its tables and adds no element', async () => {
    const { document } = await readme(hostileInput());
    expect(document.querySelectorAll('script, b, style, svg, [onerror]')).toHaveLength(0);
    for (const img of document.querySelectorAll('img')) expect(img.getAttribute('src')).toMatch(/^figures\/[\w-]+\.svg$/);
    for (const table of document.querySelectorAll('table')) {
      const columns = table.querySelectorAll('thead th').length;
      for (const tr of table.querySelectorAll('tbody tr')) expect(tr.children).toHaveLength(columns);
    }
    for (const a of document.querySelectorAll('a[href]')) expect(a.getAttribute('href')).not.toContain('example.org');
  });
});

test('revisions that are no longer the present ones are told row by row where they differ', () => {
  const input = sampleInput();
  const last = input.records.filter(({ kind, state }) => kind === 'evaluate' && state === 'done');
  const [a, b] = [...new Set(last.map(({ uses }) => uses[0]!.arm))];
  const earlierOf = (arm: string): Record<string, number> | undefined => (arm === a ? { distill: 1 } : arm === b ? { finetune: 1 } : undefined);
  const records = input.records.map(record => (last.includes(record) ? { ...record, earlierRevisions: earlierOf(record.uses[0]!.arm) } : record));
  const report = buildReport({ ...input, records });
  const [first, second] = [a, b].map(arm => report.ablations[0]!.rows.find(({ name }) => name === arm)!);
  expect([first!.earlier, second!.earlier]).toEqual(['distill 1 (now 1)', 'finetune 1 (now 1)']);
  const { notes, rows } = resultTable(report.ablations[0]!);
  expect(notes.find(note => note.startsWith('\u00a7'))).toMatch(/: (?:distill|finetune) 1 \(now 1\) for [^.]+\. (?:distill|finetune) 1 \(now 1\) for [^.]+\.$/);
  expect(rows.filter(({ cells }) => cells.some(({ sign }) => sign === '\u00a7'))).toHaveLength(2);
});

describe('code of a kind', () => {
  const input = sampleInput();
  const last = input.records.filter(({ kind, state }) => kind === 'evaluate' && state === 'done');
  const told = (codeOf: (i: number) => string | undefined) => {
    const records = input.records.map(record => (last.includes(record) ? { ...record, codeHash: codeOf(last.indexOf(record)) } : record));
    const report = buildReport({ ...input, records });
    return { report, notes: report.ablations.flatMap(ablation => resultTable(ablation).notes).filter(note => note.startsWith('This table mixes')) };
  };
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];

  test('that is known of some records and unknown of others is no mixture: the report is as without it, but for the keys', () => {
    expect(told(i => (i === 0 ? a : undefined)).notes).toEqual([]);
    expect(told(() => a).notes).toEqual([]);
    expect(told(() => undefined).report).toEqual(buildReport(input));
  });

  test('is told of each table that mixes it, with how many stages are of which, and of how many it is unknown', () => {
    const { notes } = told(i => [a, b, undefined][i % 3]);
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes) expect(note).toMatch(/: evaluate: \w+ \(\d+ stages?\), \w+ \(\d+ stages?\), \w+ \(\d+ stages?\)\./);
    expect(notes[0]).toContain('aaaaaaaaaaaa (');
    expect(notes[0]).toContain('unknown (');
  });
});

describe('README of the whole grid with one seed', () => {
  let lines: string[];
  let document: ElementLike;
  beforeAll(async () => {
    const report = buildReport(await wholeInput('smoke'));
    expect(report.ablations).toHaveLength(18);
    const forest = { id: FOREST, alt: 'All claims.', caption: 'A row for each.' } as ReportFigure;
    const markdown = renderMarkdown(report, new Map([[FOREST, forest]]));
    lines = markdown.trimEnd().split('\n');
    document = parseMarkup(marked.parse(markdown, { async: false, gfm: true }));
  });

  test('has at most 480 lines for all tables of the paper and ours', () => {
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length).toBeLessThanOrEqual(480);
  });

  test('no table is wider than GitHub shows it: what does not break in its columns fits', () => {
    // 830 px of text; a cell has 13 px on each side and one of border, and GitHub\u2019s font is 16 px, small print three quarters of it.
    for (const table of document.querySelectorAll('table')) {
      const columns = [...table.querySelectorAll('tr')].map(tr => [...tr.children].map(cell => Math.max(...cell.textContent.split(/[ /-]/).map(word => textWidth(word, 16, true)))));
      const width = columns[0]!.map((_, i) => 27 + Math.max(...columns.map(row => row[i] ?? 0))).reduce((sum, column) => sum + column, 1);
      expect([table.querySelector('th')!.textContent, columns[0]!.length, width < 830]).toEqual([table.querySelector('th')!.textContent, expect.any(Number), true]);
      expect(columns[0]!.length).toBeLessThanOrEqual(6);
    }
  });

  test('strategies by sizes stand in one table with their means, in place of fifteen rows', () => {
    const table = [...document.querySelectorAll('table')].find(each => each.textContent.includes('Class token') && each.textContent.includes('ViT-S'))!;
    expect([...table.querySelectorAll('thead th')].map(th => th.textContent)).toEqual(['Test accuracy (%)', 'ViT-T', 'ViT-S', 'ViT-B', 'Mean']);
    expect([...table.querySelectorAll('tbody tr')].map(tr => tr.querySelector('td')!.textContent)).toEqual(['From scratch', 'MAE', 'Class token', 'Features', 'Relations', 'Mean']);
  });
});
