/** What changed as a reader sees it: the comment on a pull request, and the section of the page. */
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { compareReports, ofAblations, type Changes } from '../../../../../src/core/report/baseline/baseline.ts';
import { renderComment } from '../../../../../src/core/report/baseline/comment.ts';
import { changesSection } from '../../../../../src/core/report/baseline/section.ts';
import { changeSentence, warningSentences } from '../../../../../src/core/report/baseline/sentences.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { renderHtml } from '../../../../../src/core/report/render/html/html.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { renderReport } from '../../../../../src/core/report/write.ts';
import { accuracyRecords, cell, claim, claimAblation, type Accuracies } from '../../../../helpers/report/claims.ts';
import { compare, earlierReport, laterReport, rerun } from '../../../../helpers/report/changes.ts';
import { parseMarkup } from '../../../../helpers/report/dom.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

const folder = 'https://example.org/o/r/blob/abc/reports/sample';
const every = (): boolean => true;
const commentOn = (
  before: readonly ReportRecord[] | undefined,
  now: readonly ReportRecord[],
  hasFigure: (id: string) => boolean = every,
  change: (changes: Changes) => Changes = same => same,
): string => renderComment({ report: buildReport(laterReport(now)), changes: change(compare(before, now)), folder, hasFigure });

describe('numbers from elsewhere', () => {
  const records = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] });
  const number = (value: number, seed: number, ablation = 'table') => ({ ablation, arm: 'a', metric: 'accuracy', seed, value, note: 'a colleague' });
  const changesOf = (before: ReturnType<typeof number>[] | undefined, adopted: ReturnType<typeof number>[]): Changes =>
    compareReports({ ...laterReport(records), adopted }, { ...earlierReport(records), ...(before && { adopted: before }) });
  const told = (changes: Changes): string => renderComment({ report: buildReport(laterReport(records)), changes, folder, hasFigure: every });
  const [two, other] = [
    [number(0.8, 0), number(0.8, 1)],
    [number(0.9, 1), number(0.7, 2)],
  ];

  it('are told where they change, though they change nothing', () => {
    const changes = changesOf(two, other);
    expect(changes.adopted).toEqual({ added: 2, removed: 2 });
    expect(told(changes)).toContain('Nothing changed: the same 2 arms, results and verdicts.');
    expect(told(changes)).toContain('<sub>Numbers from elsewhere, which decide nothing: 2 new, 2 gone.</sub>');
    expect(JSON.stringify(changesSection(changes))).toContain('Numbers from elsewhere, which decide nothing: 2 new, 2 gone.');
  });

  it('are not where they are the same, nor against a store, which has none', () => {
    for (const changes of [changesOf(two, [...two].reverse()), changesOf(undefined, two)]) expect(told(changes)).not.toContain('elsewhere');
  });

  it('of the chosen ablations alone', () => {
    const all = [...two, number(0.5, 0, 'another')];
    const chosen = ofAblations(new Set(['another']), { records, adopted: all }, { ...earlierReport(records), adopted: all });
    expect([chosen.adopted, chosen.baseline.adopted]).toEqual([[all[2]], [all[2]]]);
  });
});

describe('the first line', () => {
  const two = { 'table/a': [0.8], 'table/b': [0.7] };
  const all = { 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.721] };
  const noVerdict = 'No verdict changes.';

  it.each<[string, readonly ReportRecord[] | undefined, readonly ReportRecord[], string]>([
    ['nothing', accuracyRecords(two), accuracyRecords(two), 'Nothing changed: the same 2 arms, results and verdicts.'],
    ['no report before', undefined, accuracyRecords(all), 'All of it is new, as main (0123456789ab) has no report of this profile: 2 arms, 6 runs.'],
    ['one more seed', accuracyRecords(two), accuracyRecords({ ...two, 'table/b': [0.7, 0.71] }), `+1 run. ${noVerdict} table, B: seed 1 = 71.00 (seed 0 = 70.00).`],
    [
      'more seeds than are named',
      accuracyRecords({ 'table/c': [0.7] }),
      accuracyRecords({ 'table/c': [0.7, 0.6, 0.6, 0.6, 0.7] }),
      `+4 runs. ${noVerdict} table, C: mean of 4 seeds = 62.50 (seed 0 = 70.00).`,
    ],
    ['a seed less', accuracyRecords({ ...two, 'table/b': [0.7, 0.71] }), accuracyRecords(two), `\u22121 run. ${noVerdict} table, B: no longer seed 1 = 71.00 (seed 0 = 70.00).`],
    ['another seed', accuracyRecords({ 'table/c': [0.7] }), accuracyRecords({ 'table/c': [null, 0.71] }), `+1 run, \u22121 run. ${noVerdict} table, C: seed 1 = 71.00 in place of seed 0 = 70.00.`],
    ['a new arm', accuracyRecords(two), accuracyRecords({ ...two, 'table/c': [0.9] }), `+1 run. ${noVerdict} table, C: new, seed 0 = 90.00.`],
    [
      'an edited arm',
      accuracyRecords({ ...two, 'table/c': [0.9] }),
      [...accuracyRecords(two), ...rerun({ 'table/c': [0.8] })],
      `1 run replaced. ${noVerdict} table, C: seed 0 = 80.00 (90.00 before).`,
    ],
    ['a rerun to the same numbers', accuracyRecords(two), rerun(two), `2 runs replaced, with the same numbers. ${noVerdict}`],
    [
      'all seeds of an arm',
      accuracyRecords({ 'table/c': [0.8, 0.81, 0.82] }),
      rerun({ 'table/c': [0.81, 0.822, 0.831] }),
      `3 runs replaced. ${noVerdict} table, C: mean of 3 seeds = 82.10 (81.00 before), better.`,
    ],
    [
      'a verdict',
      accuracyRecords(two),
      accuracyRecords(all),
      '+4 runs. 1 verdict changes: \u201cA is above B\u201d is supported (interim before). table, A: seed 1 = 81.00, seed 2 = 82.00 (seed 0 = 80.00). table, B: seed 1 = 71.00, seed 2 = 72.10 (seed 0 = 70.00).',
    ],
    [
      'the direction of a claim',
      accuracyRecords(two),
      [...accuracyRecords({ 'table/a': [0.8] }), ...rerun({ 'table/b': [0.9] })],
      'No verdict changes; of the hypotheses without one, 1 is pointing elsewhere.',
    ],
    ['a claim that can be compared', accuracyRecords({ 'table/a': [0.8] }), accuracyRecords(two), 'No verdict changes; of the hypotheses without one, 1 is compared for the first time.'],
    ['an arm that is gone', accuracyRecords({ ...two, 'table/c': [0.9] }), accuracyRecords(two), `\u22121 run. ${noVerdict}`],
  ])('%s', (_, before, now, sentence) => {
    const changes = compare(before, now);
    expect(changeSentence(changes)).toContain(sentence);
    expect(changeSentence(changes)).not.toMatch(/undefined|NaN| {2}/);
  });

  it('counts arms where they are many, and tells the one that moved most', () => {
    const names = Array.from({ length: 5 }, (_, i) => `arm${i}`);
    const values = (shift: number): Accuracies => Object.fromEntries(names.map((name, i) => [`table/${name}`, [0.5 + shift * i]]));
    const changes = compareReports(
      laterReport([...rerun(values(0.01)), ...accuracyRecords({ 'table/late': [0.4] })], { ablations: [claimAblation('table', [...names, 'late'], [])] }),
      earlierReport(accuracyRecords(values(0))),
    );
    expect(changeSentence(changes)).toBe('+1 run, 5 runs replaced. Arms: 1 new, 4 with other results. The largest change: table, ARM4: seed 0 = 54.00 (50.00 before).');
  });

  it('a claim of the paper is reproduced, where a hypothesis is supported', () => {
    const above = claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: 'above', sentence: 'A is above B.' });
    const ablations = [claimAblation('table', ['a', 'b'], [above], { a: cell(85), b: cell(84) })];
    const [before, report] = [earlierReport(accuracyRecords(two)), laterReport(accuracyRecords(all), { ablations })];
    const changes = compareReports(report, before);
    expect(changeSentence(changes)).toContain('1 verdict changes: \u201cA is above B\u201d is reproduced (interim before).');
    const text = renderComment({ report: buildReport(report), changes, folder, hasFigure: every });
    expect(text).toMatch(/^\| Claim \| Before \| Now \| Because of \|$/m);
    expect(text).toContain('| Claims of the paper reproduced | 0 | **1** |');
  });

  it('counts verdicts where they are many, by what became of them', () => {
    const claims = Array.from({ length: 3 }, (_, i) => claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: `c${i}`, sentence: `Claim ${i}.` }));
    const ablations = [claimAblation('table', ['a', 'b'], claims)];
    const changes = compareReports(laterReport(accuracyRecords(all), { ablations }), earlierReport(accuracyRecords(two)));
    expect(changeSentence(changes)).toContain('3 verdicts change: 3 from interim to supported.');
  });

  it('of a report without claims speaks of no verdict', () => {
    const ablations = [claimAblation('table', ['a'], [])];
    expect(changeSentence(compareReports(laterReport(accuracyRecords({ 'table/a': [0.8, 0.9] }), { ablations }), earlierReport(accuracyRecords({ 'table/a': [0.8] }))))).toBe(
      '+1 run. table, A: seed 1 = 90.00 (seed 0 = 80.00).',
    );
  });

  it('warns before all else of what is gone, and why', () => {
    const before = accuracyRecords({ ...two, 'table/c': [0.9], 'former/x': [0.5] });
    const changes = compare(before, accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] }));
    const warning = '2 arms and 2 records of main (0123456789ab) are gone: table, C (declared, but without a result); former/x (declared no more).';
    expect(warningSentences(changes)).toEqual([warning]);
    const text = commentOn(before, accuracyRecords(two));
    expect(text.split('\n').slice(0, 4)).toEqual(['> [!CAUTION]', `> **sample: ${warning}**`, '', '**sample: \u22122 runs. No verdict changes.**']);
    expect(changesSection(changes).blocks.slice(0, 2)).toMatchObject([{ type: 'caution', blocks: [{ text: [{ text: warning }] }] }, { text: ['\u22122 runs. No verdict changes.'] }]);
    expect(commentOn(accuracyRecords(two), before)).not.toContain('CAUTION');
  });

  it('warns of records that vanish without their arm', () => {
    expect(warningSentences(compare(accuracyRecords({ 'table/a': [0.8, 0.9] }), accuracyRecords({ 'table/a': [0.8] })))).toEqual(['1 record of main (0123456789ab) is gone.']);
  });

  it('an arm of another name is not lost, and says so', () => {
    const named = (arm: string) => accuracyRecords({ 'table/a': [0.8] }).map(record => ({ ...record, uses: record.uses.map(use => ({ ...use, arm })) }));
    expect(warningSentences(compare(named('old'), named('c')))).toEqual(['1 arm of main (0123456789ab) is gone: table/old (its runs are those of table, C now).']);
  });

  it('what a commit has beyond the checkout is not called removed', () => {
    const changes = compare(accuracyRecords({ ...two, 'table/c': [0.9] }), accuracyRecords(two), { ahead: true });
    expect(warningSentences(changes)[0]).toMatch(/It has commits that are not in this checkout, which may have added them: merge it, and compare again\.$/);
  });
});

describe('the comment', () => {
  const before = accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });

  it('says in one line that nothing changed', () => {
    const text = commentOn(before, before);
    expect(text).toContain('**sample: Nothing changed: the same 2 arms, results and verdicts.**');
    expect(text).toContain('Report of profile sample against main (0123456789ab).');
    expect(text.trim().split('\n')).toHaveLength(3);
  });

  it('has what changed, in tables without a row that did not, and links', () => {
    const now = rerun({ 'table/a': [0.9, 0.91, 0.92], 'table/b': [0.7, 0.71, 0.72], 'table/c': [0.6] });
    const text = commentOn(before, now);
    expect(text).toContain('| Arms measured | 2 | **3** |');
    expect(text).toMatch(/^\| table: A \| \u2191 better \| 81\.00 .* \| 91\.00 .* \| \+10\.00 .*3 common seeds.* \| \u00b1 2\.19 \|$/m);
    const names = [...text.matchAll(/^\| ([^|]+?) (?:<br>.*)?\|/gm)].map(([, name]) => name);
    expect(names.filter(name => name !== '---')).toEqual(['Arm', 'table: A', 'table: C', 'Of the whole report', 'Arms measured']);
    expect(text).toContain('[Report](https://example.org/o/r/blob/abc/reports/sample/README.md)');
    expect(text).not.toContain('CAUTION');
  });

  it('leaves out a column that is empty in every row', () => {
    const text = commentOn(accuracyRecords({ 'table/a': [0.8] }), accuracyRecords({ 'table/a': [0.8, 0.9] }));
    expect(text).toMatch(/^\| Arm \| Change \| Before \| Now \|$/m);
    expect(text).not.toContain('interval of the differences');
  });

  it('no tick, cross or arrow where there is one seed, whatever the numbers', () => {
    for (const value of [0.01, 0.99])
      expect(commentOn(accuracyRecords({ 'table/a': [0.8], 'table/b': [0.5] }), rerun({ 'table/a': [value], 'table/b': [0.5] }))).not.toMatch(/[\u2190-\u21ff\u2713\u2715]/);
  });

  it('shows the figure of the ablation that moved most, of the claims where a verdict changed, and none that there is not', () => {
    const shown = (text: string) => /!\[(.*)\]\((.*)\)/.exec(text)?.slice(1);
    const input = (records: readonly ReportRecord[]) => laterReport(records, { ablations: [claimAblation('first', ['a'], []), claimAblation('second', ['a'], []), claimAblation('third', ['a'], [])] });
    const [was, is] = [
      { 'first/a': [0.5], 'second/a': [0.5], 'third/a': [0.5] },
      { 'first/a': [0.51], 'second/a': [0.4], 'third/a': [0.5] },
    ];
    const text = (hasFigure: (id: string) => boolean) => {
      const report = input(rerun(is));
      return renderComment({ report: buildReport(report), changes: compareReports(report, earlierReport(accuracyRecords(was))), folder, hasFigure });
    };
    expect(shown(text(every))).toEqual(['Results of \u201csecond\u201d', `${folder}/figures/second-result.svg?raw=true`]);
    expect(shown(text(id => id !== 'second-result'))![1]).toContain('/first-result.svg');
    expect(shown(text(id => id === 'third-result'))).toBeUndefined();
    const strong = rerun({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.721] });
    expect(shown(commentOn(accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] }), strong))![1]).toBe(`${folder}/figures/forest.svg?raw=true`);
  });

  it('shouts where one stage has two results', () => {
    const now = accuracyRecords({ 'table/a': [0.8001, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });
    const text = commentOn(before, now);
    expect(text).toMatch(/^> \[!CAUTION\]\n> \*\*sample: 1 stage has other numbers though its key is the same/);
    expect(text).toMatch(/\| evaluate of table\/a, seed 0.*\| accuracy \| 0\\?\.8 \| \*\*0\\?\.8001\*\* \|/);
  });

  it('stays short however much changed, and says how much more there is', () => {
    const names = Array.from({ length: 80 }, (_, i) => `arm${i}`);
    const many = claimAblation(
      'table',
      names,
      names.slice(1).map((arm, i) => claim([{ type: 'greater', arm, than: 'arm0' }], { name: `c${i}`, sentence: `Claim ${i}.` })),
    );
    const all = (value: number): Accuracies => Object.fromEntries(names.map((name, i) => [`table/${name}`, [value + i / 1000, value + i / 1000 + 0.001, value + i / 1000 + 0.003]]));
    const now = accuracyRecords(all(0.5)).map(record => ({ ...record, result: { ...record.result, accuracy: 1 - (record.result['accuracy'] as number) } }));
    const big = laterReport(now, { ablations: [many] });
    const text = renderComment({ report: buildReport(big), changes: compareReports(big, earlierReport(accuracyRecords(all(0.5)))), folder, hasFigure: every });
    expect(text.trim().split('\n').length).toBeLessThanOrEqual(60);
    expect(text).toContain('And 71 more arms.');
    expect(text).toMatch(/And \d+ more hypotheses\./);
  });

  it('a baseline without the report is no error, and its tables are in the report', () => {
    const text = commentOn(undefined, before);
    expect(text).toContain('**sample: All of it is new');
    expect(text).not.toMatch(/^\|/m);
  });

  it('hostile names stay text', async () => {
    const name = '<!-- x --> @everyone | [a](javascript:1) **b** #1';
    const text = commentOn(before, rerun({ 'table/a': [0.9, 0.91, 0.92] }), every, changes => ({ ...changes, baseline: name, arms: changes.arms.map(arm => ({ ...arm, label: name })) }));
    expect(text).not.toMatch(/<!--|@everyone|#1|\[a\]\(javascript/);
    expect(parseMarkup(await marked.parse(text)).querySelector('p')!.textContent).toContain('**b**');
  });
});

describe('the page', () => {
  const now = rerun({ 'table/a': [0.9, 0.91, 0.92], 'table/b': [0.7, 0.71, 0.72] });
  const before = accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });

  it('has the section only when it is compared, with the first line of the comment', () => {
    const report = buildReport(laterReport(now));
    expect(renderHtml(report, new Map())).not.toContain('id="changes"');
    const page = parseMarkup(renderHtml(report, new Map(), { changes: changesSection(compare(before, now)) }));
    expect([...page.querySelectorAll('main > section')].map(({ id }) => id).slice(0, 2)).toEqual(['changes', 'at-a-glance']);
    expect([...page.querySelectorAll('#changes caption')].map(caption => caption.textContent)).toEqual(['Arms that changed: test accuracy (%)']);
    expect(page.querySelector('#changes p')!.textContent).toBe(changeSentence(compare(before, now)));
  });

  it('folds away what nothing follows from, where there is much of it', () => {
    const names = Array.from({ length: 20 }, (_, i) => `arm${i}`);
    const many = claimAblation('table', names, []);
    const all = (shifts: (i: number) => readonly [number, number, number]): Accuracies =>
      Object.fromEntries(names.map((name, i) => [`table/${name}`, shifts(i).map((shift, seed) => 0.5 + seed / 100 + shift)]));
    const big = laterReport(rerun(all(i => (i === 0 ? [0.1, 0.11, 0.12] : [0.001, -0.001, 0.002]))), { ablations: [many] });
    const page = parseMarkup(renderHtml(buildReport(big), new Map(), { changes: changesSection(compareReports(big, earlierReport(accuracyRecords(all(() => [0, 0, 0]))))) }));
    expect(page.querySelector('#changes summary')!.textContent).toBe('19 arms within noise, or with more seeds');
    expect([...page.querySelectorAll('#changes tbody th')].map(th => th.textContent).filter(text => text.startsWith('table: '))[0]).toBe('table: ARM0');
  });

  it('of all files of a report only the page tells of the comparison', async () => {
    const sample = sampleInput();
    const plain = await renderReport(sample);
    const compared = await renderReport(sample, compareReports(sample, earlierReport(undefined)));
    expect([...compared].filter(([path, text]) => plain.get(path) !== text).map(([path]) => path)).toEqual(['index.html']);
  });
});
