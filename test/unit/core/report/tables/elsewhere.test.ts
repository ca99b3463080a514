/** Numbers that were not run here, in every form of a report: beside the others, and in nothing that is made of them. */
import { parse } from 'csv-parse/sync';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import type { ArmDeclaration } from '../../../../../src/core/ablation/declaration.ts';
import { defineKind, z } from '../../../../../src/core/ablation/define.ts';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import type { AblationReport, ArmRow, Report } from '../../../../../src/core/report/model/model.ts';
import type { AdoptedNumber } from '../../../../../src/core/report/records/adopted.ts';
import { resultCsv } from '../../../../../src/core/report/render/csv.ts';
import { renderHtml } from '../../../../../src/core/report/render/html/html.ts';
import { claimLatex, plainLatex, resultLatex, twoWayLatex } from '../../../../../src/core/report/render/latex.ts';
import { renderMarkdown } from '../../../../../src/core/report/render/markdown.ts';
import { foldedTable, plainTable } from '../../../../../src/core/report/tables/plain.ts';
import { twoWayTable } from '../../../../../src/core/report/tables/two-way.ts';
import { renderReport } from '../../../../../src/core/report/write.ts';
import { accuracyRecords } from '../../../../helpers/report/claims.ts';
import { parseMarkup, type ElementLike } from '../../../../helpers/report/dom.ts';
import { HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { claimedInput } from '../../../../helpers/report/claimed.ts';
import { problemsOf } from '../../../../helpers/report/latex.ts';
import { sampleInput, sampleStudy } from '../../../../helpers/report/sample.ts';

const number = (rest: Partial<AdoptedNumber>): AdoptedNumber => ({ ablation: 'relation', arm: 'mae', metric: 'accuracy', seed: 0, value: 0.84, note: 'a colleague', ...rest });
const ONE = [number({ value: 0.84 }), number({ seed: 1, value: 0.85 }), number({ arm: 'qk-vv', seed: 7, value: 0.86 })];
const TWO = [...ONE, number({ seed: null, value: 0.853, note: 'Appendix C' }), number({ arm: 'scratch', seed: null, value: 0.8, note: 'Appendix C' })];
const inputOf = (adopted: readonly AdoptedNumber[]): ReportInput => ({ ...sampleInput([0, 1]), adopted });
const reportOf = (adopted: readonly AdoptedNumber[]): Report => buildReport(inputOf(adopted));
const first = (report: Report): AblationReport => report.ablations[0]!;

/** Cells of the results' last column by arm, of a document with one table of them. */
function lastCells(document: ElementLike): Record<string, string> {
  const table = [...document.querySelectorAll('table')].find(each => [...each.querySelectorAll('thead th')].some(th => th.textContent === 'Elsewhere'))!;
  expect([...table.querySelectorAll('thead th')].at(-1)!.textContent).toBe('Elsewhere');
  return Object.fromEntries([...table.querySelectorAll('tbody tr')].map(tr => [[...tr.children][0]!.textContent, [...tr.children].at(-1)!.textContent.replaceAll('\u00a0', ' ')]));
}

const EXPECTED = {
  'From scratch (no pre-training)': '80.00\u00b61',
  'MAE baseline': '85.30\u00b61; 84.50\u00b62 \u00b1 0.71, n 2',
  'Q-Q, K-K, V-V': '\u2013',
  'Q-Q, K-K, V-V with softmax': '\u2013',
  'Q-K, V-V': '86.00\u00b62 n 1',
  'Q-K, V-V with softmax (default)': '\u2013',
};
const NOTES = ['\u00b61 not run here: Appendix C (without a seed)', '\u00b62 not run here: a colleague (1 to 2 seeds)'];

describe('a column of their own', () => {
  test('the page', () => {
    const document = parseMarkup(renderHtml(reportOf(TWO), new Map(), { script: '' }));
    const cells = lastCells(document);
    // The sign hangs behind what is small.
    expect(cells).toEqual({ ...EXPECTED, 'Q-K, V-V': '86.00 n 1\u00b62' });
    for (const note of NOTES) expect(document.querySelector('body')!.textContent).toContain(note);
    expect(document.querySelector('body')!.textContent).toContain('Elsewhere (\u00b6): numbers that were not run here');
    expect([...document.querySelectorAll('a')].some(a => a.getAttribute('href') === 'adopted.jsonl')).toBe(true);
  });

  test('the README', () => {
    const document = parseMarkup(marked.parse(renderMarkdown(reportOf(TWO), new Map()), { async: false, gfm: true }));
    expect(lastCells(document)).toEqual(EXPECTED);
    for (const note of NOTES) expect(document.querySelector('body')!.textContent).toContain(note);
  });

  test('LaTeX, whole and to paste', () => {
    const report = reportOf(TWO);
    for (const text of [resultLatex(report, first(report)), plainLatex(report, first(report))]) {
      expect(text).toMatch(/& Elsewhere \\\\/);
      expect(text).toMatch(/^Q-K, V-V & .*& 86\.00\\textsuperscript\{\\P\{\}2\}~\{\\scriptsize n~1\} \\\\$/m);
      expect(text).toContain('\\P{}2 not run here: a colleague (1 to 2 seeds)');
      expect(problemsOf(text)).toEqual([]);
    }
  });

  test('CSV has five columns for each source, in the unit of results', () => {
    const rows = parse<Record<string, string>>(resultCsv(first(reportOf(TWO))), { columns: true });
    const of = (arm: string, source: number): (string | undefined)[] =>
      ['note', 'n', 'mean', 'standard_deviation', 'without_seed'].map(name => rows.find(row => row['arm'] === arm)![`elsewhere_${source}_${name}`]);
    expect([of('mae', 1), of('mae', 2)]).toEqual([
      ['Appendix C', '', '', '', '0.853'],
      ['a colleague', '2', '0.845', '0.00707106781187', ''],
    ]);
    expect([of('qk-vv', 1), of('qk-vv', 2)]).toEqual([
      ['', '', '', '', ''],
      ['a colleague', '1', '0.86', '', ''],
    ]);
  });

  test('of one source alone the sign has no number', () => {
    const text = renderMarkdown(reportOf(ONE), new Map());
    expect(text).toContain('| 84.50\u00b6 <sub>\u00b1\u00a00.71, n\u00a02</sub> |');
    expect(text).toContain('\u00b6 not run here: a colleague (1 to 2 seeds)');
  });

  test('a source may have numbers with seeds and one without: they are not averaged', () => {
    const report = reportOf([...ONE, number({ seed: null, value: 0.9 })]);
    expect(
      first(report)
        .rows.find(({ name }) => name === 'mae')!
        .elsewhere.map(({ seeds, mean }) => [seeds, mean]),
    ).toEqual([
      [[], 0.9],
      [[0, 1], 0.845],
    ]);
    expect(renderMarkdown(report, new Map())).toContain('a colleague (without a seed and 1 to 2 seeds)');
  });
});

describe('nothing else', () => {
  test('a report without any has the bytes that it had', async () => {
    const files = await renderReport(sampleInput([0, 1]));
    expect(await renderReport(inputOf([]))).toEqual(files);
    const text = [...files.values()].join('');
    for (const trace of ['Elsewhere', 'adopted', '\u00b6']) expect(text).not.toContain(trace);
  });

  test('no verdict, difference, count, sentence, seed or picture changes, whatever they say', async () => {
    const input = claimedInput();
    const adopted = input.ablations.flatMap(({ name, arms }) => arms.flatMap(({ name: arm }, i) => [0, 1, 2, 77].map(seed => number({ ablation: name, arm, seed, value: (i % 3) / 2 }))));
    const [without, beside] = [buildReport(input), buildReport({ ...input, adopted })];
    const bare = (report: Report): Report => ({
      ...report,
      ablations: report.ablations.map(table => {
        const without = (list: readonly ArmRow[]): ArmRow[] => list.map(row => ({ ...row, elsewhere: [] }));
        return { ...table, rows: without(table.rows), headroom: without(table.headroom), sources: [] };
      }),
    });
    expect(beside.ablations.some(({ sources }) => sources.length > 0)).toBe(true);
    expect(bare(beside)).toEqual(bare(without));
    const [files, others] = [await renderReport(input), await renderReport({ ...input, adopted })];
    const same = [...files.keys()].filter(path => path.endsWith('.svg') || path.includes('claims') || path === 'results.jsonl' || path === 'tables/conditions.csv');
    expect(same.length).toBeGreaterThan(3);
    for (const path of same) expect([path, others.get(path)]).toEqual([path, files.get(path)]);
    expect(claimLatex(beside)).toBe(claimLatex(without));
  });

  test('numbers of arms that are not declared stand nowhere, and an arm that has no other number is still not measured', () => {
    const report = buildReport({ ...sampleInput(), records: [], adopted: [number({}), number({ arm: 'gone' }), number({ metric: 'gone' })] });
    expect(first(report).rows.map(({ state, elsewhere }) => [state, elsewhere.length])).toEqual(['scratch', 'mae', 'a', 'b', 'c', 'd'].map((_, i) => ['missing', i === 1 ? 1 : 0]));
    expect(first(report).finding).toEqual(['No arm is measured yet.']);
  });
});

describe('other forms of tables', () => {
  const places = ['A', 'B'].flatMap(row => ['X', 'Y'].map(column => [row, column] as const));
  const arms = places.map((place): ArmDeclaration<object> => ({ name: place.join('').toLowerCase(), label: place.join(', '), factors: {}, crossed: place }));
  const ablation = { name: 'grid', title: 'A grid', table: 'Table 1', question: 'q', expected: 'e', base: {}, default: 'ax', arms };
  const records = accuracyRecords(Object.fromEntries(arms.map(({ name }, i) => [`grid/${name}`, [0.7 + i / 100]])));

  test('of two crossed axes: small, beside the mean', () => {
    const adopted = [number({ ablation: 'grid', arm: 'ay', value: 0.75 }), number({ ablation: 'grid', arm: 'ay', seed: 1, value: 0.77 })];
    const report = buildReport({ study: sampleStudy, profile: { name: 'sample', seeds: [0] }, ablations: [ablation], records, adopted });
    const table = twoWayTable(first(report))!;
    expect(table.rows[0]!.cells.map(({ text, detail }) => [text, detail])).toEqual([
      ['70.00', undefined],
      ['71.00', 'elsewhere 76.00\u00b6 \u00b1\u00a01.41, n\u00a02'],
      ['70.50', undefined],
    ]);
    expect(table.caption).toContain('; small: elsewhere.');
    expect(table.notes).toContain('\u00b6 not run here: a colleague (2 seeds)');
    expect(renderMarkdown(report, new Map())).toContain('not run here: a colleague (2 seeds)');
    expect(problemsOf(twoWayLatex(report, first(report))!)).toEqual([]);
  });

  test('of several numbers: beside each, with one numbering of the sources', () => {
    const kind = defineKind({
      name: 'other',
      revision: 1,
      recipe: z.record(z.string(), z.json()),
      upstream: {},
      metrics: { mce: { label: 'mCE', unit: 'fraction', better: 'lower', help: 'sample' } },
      cost: () => ({ labelledImages: 0, unlabelledImages: 0, flops: 0 }),
      load: () => Promise.reject(new Error('Sample stages do not run.')),
    });
    const study = { ...sampleStudy, kinds: [...sampleStudy.kinds, kind], report: { ...sampleStudy.report, measures: { mce: { role: 'other', metric: 'mce', standardError: 'none' } } } };
    const adopted = [number({ ablation: 'grid', arm: 'ax', value: 0.75, note: 'B' }), number({ ablation: 'grid', arm: 'ax', metric: 'mce', value: 1.2, note: 'C' })];
    const report = buildReport({ study, profile: { name: 'sample', seeds: [0] }, ablations: [{ ...ablation, measures: ['accuracy', 'mce'] }], records, adopted });
    const table = plainTable(report, first(report));
    expect(table.columns.map(({ label }) => label)).toEqual(['Test accuracy (%) \u2191', 'Elsewhere', 'Elsewhere']);
    expect(table.rows[0]!.cells.map(({ text, sign, detail }) => [text, sign, detail])).toEqual([
      ['70.00', undefined, undefined],
      ['75.00', '\u00b61', 'n\u00a01'],
      ['120.00', '\u00b62', 'n\u00a01'],
    ]);
    expect(table.notes).toEqual(['\u00b61 not run here: B (1 seed)', '\u00b62 not run here: C (1 seed)']);
    expect(foldedTable(table).rows[0]!.cells).toHaveLength(3);
    expect(resultLatex(report, first(report))).toMatch(/120\.00\\textsuperscript\{\\P\{\}2\}/);
  });
});

describe('hostile notes', () => {
  const adopted = HOSTILE_LABELS.flatMap((note, i) => [number({ note, seed: null, value: i / 10 }), number({ note, arm: 'qk-vv', seed: i, value: i / 10 })]);
  const report = reportOf(adopted);

  test('are text on the page and in the README', () => {
    for (const text of [renderHtml(report, new Map(), { script: '' }), marked.parse(renderMarkdown(report, new Map()), { async: false, gfm: true })]) {
      const document = parseMarkup(text);
      expect([...document.querySelectorAll('[onerror], [onload], b, img')]).toEqual([]);
      expect([...document.querySelectorAll('script')].filter(script => script.textContent.includes('pwned'))).toEqual([]);
      for (const a of document.querySelectorAll('a[href]')) expect(a.getAttribute('href')).not.toContain('example.org');
      expect(text).not.toContain('\u202e');
      for (const table of document.querySelectorAll('table')) {
        const columns = table.querySelectorAll('thead th').length;
        for (const tr of table.querySelectorAll('tbody tr:not(.group)')) expect(tr.children).toHaveLength(columns);
      }
    }
  });

  test('are text in LaTeX, and no formula in CSV', () => {
    for (const text of [resultLatex(report, first(report)), plainLatex(report, first(report))]) expect(problemsOf(text)).toEqual([]);
    const rows = parse(resultCsv(first(report)));
    expect(new Set(rows.map(row => row.length)).size).toBe(1);
    const notes = rows.find(row => row[0] === 'mae')!.filter(text => text.includes('example.org') || text.includes('pwned'));
    expect(notes.length).toBeGreaterThan(3);
    for (const text of notes) expect(text).not.toMatch(/^[=+\-@\t\r]/);
  });
});
