import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import { unshare } from '../../../../../src/core/report/charts/vega/sharing.ts';
import type { PageData } from '../../../../../src/core/report/charts/vega/views.ts';
import { renderFigures } from '../../../../../src/core/report/charts/figures.ts';
import { renderHtml } from '../../../../../src/core/report/render/html/html.ts';
import { pageScript } from '../../../../../src/core/report/render/html/script.ts';
import { escapeMarkup, html, raw } from '../../../../../src/core/report/render/html/markup.ts';
import { parseMarkup, type ElementLike } from '../../../../helpers/report/dom.ts';
import { gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { sampleInput, sampleRecords } from '../../../../helpers/report/sample.ts';
import { ALLOW_TYPESCRIPT } from '../../../../helpers/typescript.ts';

async function pageOf(input: ReportInput): Promise<{ text: string; document: ElementLike }> {
  const report = buildReport(input);
  const text = renderHtml(report, await renderFigures(report));
  return { text, document: parseMarkup(text) };
}

const ONE_SEED = 'Measured with one seed, and published. \u00b1: standard error of the test set';

const tableOf = (document: ElementLike, caption: string): ElementLike => [...document.querySelectorAll('table')].find(t => t.querySelector('caption')!.textContent === caption)!;
const cellsOf = (table: ElementLike, row: string): string[] => {
  const found = [...table.querySelectorAll('tbody tr')].find(tr => tr.querySelector('th')!.textContent === row)!;
  return [...found.querySelectorAll('td')].map(td => td.textContent.replaceAll('\u00a0', ' '));
};

describe('html template', () => {
  test('escapes values and leaves markup alone', () => {
    expect(html`<a title="${'"<&>\''}">${'<b>'}${raw('<i></i>')}${[html`<u>${1}</u>`, undefined]}</a>`.text).toBe('<a title="&quot;&lt;&amp;&gt;&#39;">&lt;b&gt;<i></i><u>1</u></a>');
    expect(escapeMarkup('a & b')).toBe('a &amp; b');
  });
});

describe('page of the sample', () => {
  let page: { text: string; document: ElementLike };
  beforeAll(async () => {
    page = await pageOf(sampleInput());
  });

  test('the first screen has title, caution, verdict, then the key numbers', () => {
    const head = page.document.querySelector('header')!;
    expect([...head.children].map(element => element.getAttribute('class') ?? '')).toEqual(['kicker', '', 'caution', 'verdict']);
    expect(head.querySelector('h1')!.textContent).toBe('Sample study ablations');
    expect(head.querySelector('.verdict')!.textContent).toBe(buildReport(sampleInput()).verdict.join(' '));
    expect(head.querySelector('[role=note]')!.textContent).toContain('nothing on this page was measured');
    const numbers = [...page.document.querySelectorAll('#at-a-glance .keys div')].map(div => [div.querySelector('dt')!.textContent, div.querySelector('dd')!.textContent]);
    expect(numbers).toEqual([
      ['Arms measured', '6 of 6'],
      ['Seeds', 'one seed (seed 0)'],
      ['Data', 'Fashion-MNIST (28 x 28, 10 classes)'],
    ]);
  });

  test('the result table has one row per arm, in order, with measured and published numbers, and no column for seeds that do not differ', () => {
    const table = tableOf(page.document, ONE_SEED);
    expect([...table.querySelectorAll('thead th')].map(th => th.textContent)).toEqual(['Arm', 'Test accuracy (%)', '\u0394 to default', 'Published', 'Published \u0394']);
    expect([...table.querySelectorAll('tbody th')].map(th => th.textContent)).toEqual(sampleInput().ablations[0]!.arms.map(arm => arm.label));
    expect(cellsOf(table, 'MAE baseline')).toEqual(['85.06 \u00b1 0.36', '\u22122.28 \u00b1 0.49', '83.6', '\u22121.0']);
    expect(cellsOf(table, 'From scratch (no pre-training)').slice(2)).toEqual(['81.2*', '\u2013']);
    expect(table.querySelector('tr.marked th')!.textContent).toBe('Q-K, V-V with softmax (default)');
  });

  test('the best mean alone is bold, and with one seed nothing has a colour, a tick or a cross', () => {
    const table = tableOf(page.document, ONE_SEED);
    const means = [...table.querySelectorAll('tbody tr')].map(tr => Number.parseFloat(tr.querySelector('td')!.textContent));
    expect([...table.querySelectorAll('td.strong')].map(td => Number.parseFloat(td.textContent))).toEqual([Math.max(...means)]);
    expect(page.document.querySelectorAll('td.agree, td.disagree')).toHaveLength(0);
    for (const { textContent } of page.document.querySelectorAll('td')) expect(textContent).not.toMatch(/[\u2713\u2715]|standard errors/);
  });

  test('tables are semantic', () => {
    const tables = [...page.document.querySelectorAll('table')];
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      expect(table.querySelector('caption')!.textContent).not.toBe('');
      for (const th of table.querySelectorAll('thead th')) expect(th.getAttribute('scope')).toBe('col');
      const columns = table.querySelectorAll('thead th').length,
        rows = [...table.querySelectorAll('tbody tr')];
      expect([columns, rows.length]).not.toContain(0);
      for (const tr of rows) {
        const group = tr.getAttribute('class') === 'group';
        expect(tr.querySelector('th')!.getAttribute('scope')).toBe(group ? 'rowgroup' : 'row');
        expect(tr.children).toHaveLength(group ? 1 : columns);
        if (group) expect(tr.querySelector('th')!.getAttribute('colspan')).toBe(String(columns));
      }
    }
  });

  test('charts have words, and every curve has a table', () => {
    const drawings = [...page.document.querySelectorAll('figure > .drawing')];
    expect(drawings.length).toBeGreaterThan(0);
    expect(drawings).toHaveLength(page.document.querySelectorAll('figure').length);
    for (const drawing of drawings) {
      expect(drawing.getAttribute('role')).toBe('img');
      expect(drawing.getAttribute('aria-label')!.length).toBeGreaterThan(40);
    }
    const values = tableOf(page.document, 'Validation accuracy in fine-tuning (%), values along the run');
    expect(values.querySelectorAll('tbody tr')).toHaveLength(5);
  });

  test('nothing is loaded and nothing runs', () => {
    expect(page.document.querySelectorAll('script, link, img, iframe, object, embed, form, [onload], [onclick], [style]')).toHaveLength(0);
    const policy = page.document.querySelector('meta[http-equiv="Content-Security-Policy"]')!.getAttribute('content')!;
    const style = /<style>([^]*?)<\/style>/.exec(page.text)![1]!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(policy).not.toContain('unsafe');
    expect(page.text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import|url\(/);
  });

  test('ids are unique', () => {
    const ids = [...page.document.querySelectorAll('[id]')].map(e => e.id);
    expect(ids).toContain('ablation-relation');
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('several seeds: interval, sample deviation, and how they are meant, once for all tables', async () => {
  const input = sampleInput([0, 1, 2]);
  const { document } = await pageOf({ ...input, ablations: [input.ablations[0]!, { ...input.ablations[0]!, name: 'second', title: 'Second' }] });
  const table = tableOf(document, 'Measured with 3 seeds, and published. \u00b1: standard deviation over seeds');
  expect(cellsOf(table, 'MAE baseline')[1]).toMatch(/^\u2212\d\.\d\d \[\u2212\d\.\d\d, \u2212\d\.\d\d\]$/);
  const notes = [...document.querySelectorAll('.notes li')].map(li => li.textContent);
  for (const rule of ['\u00b1 with more seeds: sample standard deviation over seeds.', '\u0394 with more seeds: mean of the differences per seed, in brackets its 95 % t interval.'])
    expect(notes.filter(note => note === rule)).toHaveLength(1);
});

test('seeds have a column where arms differ in them', async () => {
  const input = sampleInput([0, 1, 2]);
  const records = input.records.filter(({ seed, uses }) => uses[0]!.arm !== 'mae' || seed === 0);
  const table = tableOf(
    (await pageOf({ ...input, records })).document,
    'Measured, and published. \u00b1 s.d.: standard deviation over seeds; \u00b1 s.e.: standard error of the test set, of one seed',
  );
  expect(cellsOf(table, 'MAE baseline').slice(0, 2)).toEqual(['1 of 3', '85.06 \u00b1 0.36 s.e.']);
  expect(cellsOf(table, 'Q-K, V-V')[0]).toBe('3');
  expect(table.querySelectorAll('thead th')).toHaveLength(6);
});

test('a mean of one seed of several declared ones says so', async () => {
  const input = sampleInput([0, 1, 2, 3, 4]);
  const { document, text } = await pageOf({ ...input, records: sampleRecords([0]) });
  expect(tableOf(document, ONE_SEED.replace('one seed', '1 of 5 seeds'))).toBeDefined();
  expect([...document.querySelectorAll('.keys dd')].map(dd => dd.textContent)).toContain('1 of 5 seeds (seed 0)');
  expect(text).not.toMatch(/Seeds?:? 0 of/);
});

test('missing and failed arms are shown, with the reason', async () => {
  const records = sampleRecords()
    .filter(r => !['mae', 'scratch'].includes(r.uses[0]!.arm) || r.kind === 'pretrain')
    .map(r => (r.uses[0]!.arm === 'mae' && r.kind === 'pretrain' ? { ...r, state: 'failed' as const, reason: 'loss is NaN', result: {}, curves: {} } : r));
  const { document } = await pageOf({ ...sampleInput(), records });
  const table = tableOf(document, ONE_SEED);
  expect(cellsOf(table, 'From scratch (no pre-training)')).toEqual(['missing', '\u2013', '81.2*', '\u2013']);
  expect(cellsOf(table, 'MAE baseline').slice(0, 2)).toEqual(['failed', '\u2013']);
  expect(tableOf(document, 'Failed stages').textContent).toContain('loss is NaN');
  expect(document.querySelector('dd')!.textContent).toBe('4 of 6 1 failed, 1 missing');
});

test('values are set against the paper only where they compare', async () => {
  const input = sampleInput();
  const study = { ...input.study, report: { ...input.study.report, comparable: () => true, notes: () => [] } };
  const { document } = await pageOf({ ...input, study });
  expect(cellsOf(tableOf(document, ONE_SEED), 'MAE baseline').at(-1)).toBe('+1.46');
  expect(document.querySelector('[role=note]')).toBeNull();
});

test('no table has a column in which no row has anything', async () => {
  const { arms, ...ablation } = sampleInput().ablations[0]!;
  const own = { ...ablation, arms: arms.map(({ name, label }) => ({ name, label, factors: {} })) };
  for (const input of [sampleInput(), gridInput([0]), { ...sampleInput(), ablations: [own] }, { ...sampleInput(), records: [] }]) {
    const tables = [...(await pageOf(input)).document.querySelectorAll('table')];
    for (const table of tables) {
      const rows = [...table.querySelectorAll('tbody tr')].filter(tr => tr.getAttribute('class') !== 'group').map(tr => [...tr.querySelectorAll('td')].map(td => td.textContent));
      [...table.querySelectorAll('thead th')]
        .slice(1)
        .forEach(({ textContent }, i) => expect([textContent, rows.some(cells => !['\u2013', 'default', ''].includes(cells[i]!))]).toEqual([textContent, true]));
    }
  }
});

test('changes against another report stand first after the head', async () => {
  const report = buildReport(sampleInput());
  const document = parseMarkup(renderHtml(report, await renderFigures(report), { changes: { type: 'section', id: 'changes', title: 'Changes', blocks: [{ type: 'paragraph', text: ['None.'] }] } }));
  expect([...document.querySelector('main')!.children].map(({ id }) => id)).toEqual(['changes', 'at-a-glance', 'ablation-relation', 'setting', 'appendix']);
});

test('several ablations have a list of contents, whose links have their target', async () => {
  const input = sampleInput();
  const { document } = await pageOf({ ...input, ablations: [input.ablations[0]!, { ...input.ablations[0]!, name: 'second', title: 'Second' }] });
  expect([...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))).toEqual(['#ablation-relation', '#ablation-second']);
  const ids = [...document.querySelectorAll('[id]')].map(e => `#${e.id}`);
  expect(ids).toEqual(expect.arrayContaining([...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href'))));
});

describe('the script', () => {
  test('is known to the policy by its hash, and nothing else may run', async () => {
    const script = await pageScript();
    const report = buildReport(sampleInput());
    const page = renderHtml(report, await renderFigures(report), { script });
    const policy = parseMarkup(page).querySelector('meta[http-equiv="Content-Security-Policy"]')!.getAttribute('content')!;
    const inline = /<script>([^]*?)<\/script>/.exec(page)![1]!;
    expect(inline).toBe(script);
    expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(inline).digest('base64')}';`);
    expect(policy).not.toMatch(/unsafe|connect-src|https?:/);
    expect(script).not.toMatch(/<\/script|<!--|\r/i);
  });

  test('gets its numbers as data that cannot end its block', async () => {
    const report = buildReport(hostileInput());
    const figures = await renderFigures(report);
    const page = renderHtml(report, figures, { script: 'void 0;' });
    const data = /<script type="application\/json" id="chart-data">([^]*?)<\/script>\n<script>void 0;<\/script>/.exec(page)![1]!;
    expect(data).not.toMatch(/[<\u2028\u2029]/);
    const { charts, specs } = JSON.parse(data) as PageData;
    expect(Object.keys(charts)).toEqual([...figures.keys()]);
    for (const { id, live } of figures.values()) {
      expect(Object.keys(charts[id]!.views)).toEqual([...live.views.keys()]);
      for (const [name, spec] of live.views) expect(unshare(specs, charts[id]!.views[name]!)).toEqual(JSON.parse(JSON.stringify(spec)));
    }
    expect(data).toContain('\\u003cscript>window.pwned');
  });

  test('is the same each time', async () => {
    const bundle = (): string =>
      execFileSync(
        process.execPath,
        ['--import', ALLOW_TYPESCRIPT, '--input-type=module', '-e', `import { pageScript } from './src/core/report/render/html/script.ts'; process.stdout.write(await pageScript());`],
        { encoding: 'utf8' },
      );
    expect(createHash('sha256').update(bundle()).digest('hex')).toBe(
      createHash('sha256')
        .update(await pageScript())
        .digest('hex'),
    );
  });
});

test('the committed pages weigh no more than 1.5 MB', () => {
  const reports = fileURLToPath(new URL('../../../../../reports', import.meta.url));
  const pages = readdirSync(reports)
    .map(name => join(reports, name, 'index.html'))
    .filter(page => existsSync(page));
  expect(pages.length).toBeGreaterThan(0);
  for (const page of pages) expect(statSync(page).size, page).toBeLessThanOrEqual(1.5e6);
});

test('hostile texts stay texts', async () => {
  const { document, text } = await pageOf(hostileInput());
  expect(document.querySelectorAll('script, img, b b, [onerror], [onload]')).toHaveLength(0);
  expect(document.querySelectorAll('style')).toHaveLength(1);
  expect([...document.querySelectorAll('tbody th')].map(th => th.textContent)).toContain(HOSTILE_LABELS[0]);
  expect(text).not.toContain('\u202e');
});
