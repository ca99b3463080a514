import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareReports, hasChanges, ofAblations, type Baseline, type Changes } from '../../../../../src/core/report/baseline/baseline.ts';
import { parseClaimStates } from '../../../../../src/core/report/baseline/claims.ts';
import { conflictTable } from '../../../../../src/core/report/baseline/tables.ts';
import { changesSection } from '../../../../../src/core/report/baseline/html.ts';
import { renderComment } from '../../../../../src/core/report/baseline/comment.ts';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import { claimCsv } from '../../../../../src/core/report/render/csv.ts';
import { renderHtml } from '../../../../../src/core/report/render/html/html.ts';
import { parseProvenance, serializeProvenance } from '../../../../../src/core/report/records/provenance.ts';
import { enginesOf } from '../../../../../src/core/report/records/engines.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { renderReport } from '../../../../../src/core/report/write.ts';
import { accuracyRecords, claim, claimAblation, TEST_ERROR, type Accuracies } from '../../../../helpers/report/claims.ts';
import { parseMarkup } from '../../../../helpers/report/dom.ts';
import { sampleInput, sampleStudy } from '../../../../helpers/report/sample.ts';

const above = claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: 'above', sentence: 'A is above B.' });
const ablation = claimAblation('table', ['a', 'b', 'c'], [above]);

const input = (records: readonly ReportRecord[], more: Partial<ReportInput> = {}): ReportInput => ({
  study: sampleStudy,
  profile: { name: 'sample', seeds: [0, 1, 2] },
  ablations: [ablation],
  records,
  ...more,
});
const baseline = (records: readonly ReportRecord[] | undefined, more: Partial<Baseline> = {}): Baseline => ({ label: 'main (0123456789ab)', records, engines: {}, claims: undefined, ...more });

/** Records of a later run: whatever decides their numbers has changed, and with it their keys. */
const rerun = (accuracies: Accuracies): ReportRecord[] => accuracyRecords(accuracies).map(record => ({ ...record, key: `${record.key.slice(0, -1)}x` }));
const compare = (before: readonly ReportRecord[], now: readonly ReportRecord[], more: Partial<Baseline> = {}): Changes => compareReports(input(now), baseline(before, more));
const outcomes = ({ arms }: Changes): Record<string, string> => Object.fromEntries(arms.map(arm => [arm.name, arm.outcome]));

describe('arms', () => {
  const before = accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });

  it('the same records: nothing changed', () => {
    const changes = compare(before, before);
    expect(hasChanges(changes)).toBe(false);
    expect(changes).toMatchObject({ arms: [], sameArms: 2, claims: [], conflicts: [] });
  });

  it('new and gone by what is measured, also where it is declared no more', () => {
    const changes = compare(before, accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/c': [0.7] }));
    expect(outcomes(changes)).toEqual({ 'table/b': 'gone', 'table/c': 'new' });
    expect(changes.arms.map(arm => [arm.before?.n, arm.now?.n])).toEqual([
      [3, undefined],
      [undefined, 1],
    ]);
    expect(outcomes(compare(accuracyRecords({ 'old/x': [0.5] }), []))).toEqual({ 'old/x': 'gone' });
  });

  it('better and worse beyond the t interval of the differences per seed', () => {
    // Differences of a: 0.010, 0.012, 0.011, so a mean of 0.011 with a half-width of 4.3027 * 0.001 / sqrt(3).
    const changes = compare(before, rerun({ 'table/a': [0.81, 0.822, 0.831], 'table/b': [0.69, 0.698, 0.709] }));
    expect(outcomes(changes)).toEqual({ 'table/a': 'better', 'table/b': 'worse' });
    expect(changes.arms[0]!.difference!.value).toBeCloseTo(0.011, 10);
    expect(changes.arms[0]!.difference!.noise).toBeCloseTo((4.302653 * 0.001) / Math.sqrt(3), 7);
    expect(changes.arms[0]!.difference!.pairs).toBe(3);
  });

  it('the same mean with a wide spread over seeds is noise: the pairing decides', () => {
    expect(outcomes(compare(before, rerun({ 'table/a': [0.85, 0.79, 0.823], 'table/b': [0.7, 0.71, 0.72] })))).toEqual({ 'table/a': 'within noise' });
  });

  it('one seed has a direction, beyond twice the error of the test set, and no more', () => {
    const one = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.8] });
    const far = 2 * Math.hypot(TEST_ERROR, TEST_ERROR);
    expect(outcomes(compare(one, rerun({ 'table/a': [0.8 + 1.01 * far], 'table/b': [0.8 + 0.99 * far] })))).toEqual({ 'table/a': 'up', 'table/b': 'within noise' });
  });

  it('seeds that all moved by the same little amount are not certain: the test set stands in', () => {
    const changes = compare(accuracyRecords({ 'table/a': [0.5, 0.25, 0.75] }), rerun({ 'table/a': [0.5003, 0.2503, 0.7503] }));
    expect(outcomes(changes)).toEqual({ 'table/a': 'within noise' });
  });

  it('seeds added or left out change the estimate, not the arm', () => {
    const [three, five] = [accuracyRecords({ 'table/a': [0.8, 0.81, 0.82] }), accuracyRecords({ 'table/a': [0.8, 0.81, 0.82, 0.9, 0.95] })];
    expect(outcomes(compare(three, five))).toEqual({ 'table/a': 'more seeds' });
    expect(outcomes(compare(five, three))).toEqual({ 'table/a': 'fewer seeds' });
    expect(outcomes(compare(accuracyRecords({ 'table/a': [0.8, 0.81] }), accuracyRecords({ 'table/a': [null, 0.81, 0.82] })))).toEqual({ 'table/a': 'other seeds' });
  });

  it('without a common seed the means are compared as independent', () => {
    const changes = compare(accuracyRecords({ 'table/a': [0.8, 0.81] }), rerun({ 'table/a': [null, null, 0.9, 0.91] }));
    expect(changes.arms).toMatchObject([{ outcome: 'up', difference: { pairs: 0 } }]);
    expect(changes.arms[0]!.difference!.value).toBeCloseTo(0.1, 10);
    expect(changes.arms[0]!.difference!.noise).toBeCloseTo(2 * Math.sqrt(2 * 0.005 ** 2), 10);
  });

  it('arms that share their runs stand once', () => {
    const shared = (records: ReportRecord[]): ReportRecord[] => records.map(record => ({ ...record, uses: [...record.uses, ...record.uses.map(use => ({ ...use, arm: 'c' }))] }));
    const changes = compare(shared(accuracyRecords({ 'table/a': [0.8] })), shared(rerun({ 'table/a': [0.9] })));
    expect(changes.arms).toMatchObject([{ name: 'table/a', also: ['table/c'], outcome: 'up' }]);
  });

  it('swapping the sides swaps the outcomes, whatever the numbers', () => {
    const values = fc.array(fc.option(fc.integer({ min: 0, max: 1000 }).map(n => n / 1000)), { minLength: 1, maxLength: 5 });
    const opposite: Readonly<Record<string, string>> = { new: 'gone', gone: 'new', better: 'worse', worse: 'better', up: 'down', down: 'up', 'more seeds': 'fewer seeds', 'fewer seeds': 'more seeds' };
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [before, now] = [accuracyRecords({ 'table/a': a }), rerun({ 'table/a': b })];
        const [there, back] = [outcomes(compare(before, now))['table/a'], outcomes(compare(now, before))['table/a']];
        expect(back).toBe(there === undefined ? undefined : (opposite[there] ?? there));
      }),
    );
  });
});

describe('results of one stage', () => {
  const before = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] });
  const now = accuracyRecords({ 'table/a': [0.8001], 'table/b': [0.7] });

  it('that differ though the key is the same are told with the number', () => {
    expect(compare(before, now).conflicts).toEqual([
      { key: before[0]!.key, kind: 'evaluate', place: 'table/a, seed 0', fields: [{ name: 'accuracy', before: '0.8', now: '0.8001' }], engines: undefined },
    ]);
  });

  it('are not told where only the other side failed, or the cost is counted otherwise', () => {
    expect(
      compare(
        before.map(record => ({ ...record, state: 'failed' as const, result: {} })),
        now,
      ).conflicts,
    ).toEqual([]);
    expect(
      compare(
        before,
        before.map(record => ({ ...record, cost: { ...record.cost, flops: 5 } })),
      ).conflicts,
    ).toEqual([]);
  });

  it('also by their curve, or by the hash alone', () => {
    const curve = (end: number) =>
      before.map(record => ({
        ...record,
        curves: {
          loss: [
            [0, 1],
            [1, end],
          ] as [number, number][],
        },
      }));
    expect(compare(curve(0.5), curve(0.4)).conflicts[0]!.fields).toEqual([{ name: 'curve of loss', before: 'ends at 0.5', now: 'ends at 0.4' }]);
    const hash = (letter: string) => before.map(record => ({ ...record, resultSha256: letter.repeat(64) }));
    expect(compare(hash('a'), hash('b')).conflicts[0]!.fields).toEqual([{ name: 'SHA-256 of result.json', before: 'a'.repeat(12), now: 'b'.repeat(12) }]);
  });

  it('name the engines where they differ', () => {
    const engine = (cpu: string) => enginesOf(parseProvenance(serializeProvenance({ [before[0]!.key]: { cpu, stage: { engine: { name: 'tensorflow', libraryVersion: '2.21.0' } } } })));
    const changes = compareReports(input(now, { engines: engine('Model 2') }), baseline(before, { engines: engine('Model 1') }));
    expect(changes.conflicts[0]!.engines).toEqual({ before: 'tensorflow 2.21.0, Model 1', now: 'tensorflow 2.21.0, Model 2' });
  });

  it('name the code of both where it is known and differs', () => {
    const by = (records: readonly ReportRecord[], letter: string | undefined) => records.map(record => ({ ...record, codeHash: letter?.repeat(32) }));
    expect(conflictTable(compare(by(before, 'a'), by(now, 'b')))!.rows[0]!.cells.at(-1)).toEqual({ text: 'code aaaaaaaaaaaa; now bbbbbbbbbbbb' });
    for (const [a, b] of [
      ['a', 'a'],
      ['a', undefined],
      [undefined, undefined],
    ] as const)
      expect(compare(by(before, a), by(now, b)).conflicts[0]!.codes).toBeUndefined();
  });
});

describe('claims', () => {
  const weak = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] });
  const strong = rerun({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.721] });

  it('whose verdict other results changed', () => {
    expect(compare(weak, strong).claims).toEqual([
      { ablation: 'table', name: 'above', sentence: 'A is above B.', before: { verdict: 'interim', direction: 'agrees' }, now: { verdict: 'reproduced', direction: undefined }, cause: 'results' },
    ]);
  });

  it('whose verdict the same results now give otherwise than was printed', () => {
    const printed = new Map([
      ['table/above', { verdict: 'contradicted' as const, direction: undefined }],
      ['table/old', { verdict: 'reproduced' as const, direction: undefined }],
    ]);
    expect(compare(strong, strong, { claims: printed }).claims.map(({ name, cause, before, now }) => [name, cause, before?.verdict, now?.verdict])).toEqual([
      ['above', 'rules', 'contradicted', 'reproduced'],
      ['old', 'gone', 'reproduced', undefined],
    ]);
    expect(compare(strong, strong, { claims: new Map() }).claims.map(({ cause }) => cause)).toEqual(['new']);
  });

  it('are read from the table of the report', () => {
    const report = buildReport(input(strong));
    expect(parseClaimStates(claimCsv(report)!)).toEqual(new Map([['table/above', { verdict: 'reproduced', direction: undefined }]]));
    expect(parseClaimStates('name,verdict\nx,reproduced\n')).toBeUndefined();
    expect(parseClaimStates('ablation,claim,claim_verdict,claim_direction\nt,c,proved,\n')).toBeUndefined();
    expect(parseClaimStates('ablation,claim,claim_verdict,claim_direction\nt,c"","reproduced\n')).toBeUndefined();
    expect(parseClaimStates('')).toBeUndefined();
  });
});

describe('cost', () => {
  it('counts what is new and what is gone, each stage once', () => {
    const cost = { labelledImages: 10, unlabelledImages: 5, flops: 7 };
    const priced = (records: ReportRecord[]) => records.map(record => ({ ...record, cost }));
    const changes = compare(priced(accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] })), priced(accuracyRecords({ 'table/a': [0.8, 0.81, 0.82] })));
    expect(changes.added).toEqual({ stages: 2, cost: { labelledImages: 20, unlabelledImages: 10, flops: 14 } });
    expect(changes.removed).toEqual({ stages: 1, cost });
    expect([changes.before!.stages, changes.now.stages]).toEqual([2, 3]);
  });
});

describe('some ablations only', () => {
  it('leaves the others out of both sides', () => {
    const records = accuracyRecords({ 'table/a': [0.8], 'other/x': [0.5] });
    const some = ofAblations(
      new Set(['table']),
      records,
      baseline(records, {
        claims: new Map([
          ['table/c', { verdict: 'not run', direction: undefined }],
          ['other/c', { verdict: 'not run', direction: undefined }],
        ]),
      }),
    );
    expect(some.records.flatMap(record => record.uses.map(use => use.ablation))).toEqual(['table']);
    expect(some.baseline.records).toHaveLength(1);
    expect([...some.baseline.claims!.keys()]).toEqual(['table/c']);
  });
});

describe('the comment', () => {
  const folder = 'https://example.org/o/r/blob/abc/reports/sample';
  const readme = '# R\n\n![Dot plot of *X*](figures/first.svg)\n\n![Second](figures/second.svg)\n';
  const comment = (changes: Changes, records: readonly ReportRecord[], more: object = {}): string => renderComment({ report: buildReport(input(records)), changes, folder, readme, ...more });
  const before = accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });

  it('says in one line that nothing changed', () => {
    const text = comment(compare(before, before), before);
    expect(text).toContain('### Ablation report, profile sample, against main (0123456789ab)');
    expect(text).toContain('No arm, claim or result changed.');
    expect(text.trim().split('\n')).toHaveLength(3);
  });

  it('has the headline table, what changed, the first chart and links', () => {
    const now = rerun({ 'table/a': [0.9, 0.91, 0.92], 'table/b': [0.7, 0.71, 0.72], 'table/c': [0.6] });
    const text = comment(compare(before, now), now);
    expect(text).toContain('| Arms measured | 2 | **3** |');
    expect(text).toMatch(/^\| table: A \| \u2191 better \| 81\.00 .* \| 91\.00 .* \| \+10\.00 \| \u00b1 1\.02 .*3 common seeds.* \|$/m);
    expect(text).toContain('Arms: 1 better, 1 new; 1 as before.');
    expect(text).toContain('![Dot plot of *X*](https://example.org/o/r/blob/abc/reports/sample/figures/first.svg?raw=true)');
    expect(text).toContain('[Report](https://example.org/o/r/blob/abc/reports/sample/README.md)');
    expect(text).not.toContain('CAUTION');
  });

  it('shouts where one stage has two results', () => {
    const now = accuracyRecords({ 'table/a': [0.8001, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });
    const text = comment(compare(before, now), now);
    expect(text).toMatch(/> \[!CAUTION\]\n> 1 stage has other numbers though its key is the same/);
    expect(text).toMatch(/\| evaluate of table\/a, seed 0.*\| accuracy \| 0\\?\.8 \| 0\\?\.8001 \|/);
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
    const big = input(now, { ablations: [many] });
    const text = renderComment({ report: buildReport(big), changes: compareReports(big, baseline(accuracyRecords(all(0.5)))), folder, readme });
    expect(text.trim().split('\n').length).toBeLessThanOrEqual(60);
    expect(text).toContain('And 71 more arms.');
    expect(text).toMatch(/And \d+ more claims\./);
  });

  it('a baseline without the report is no error', () => {
    const changes = compareReports(input(before), baseline(undefined));
    const text = comment(changes, before);
    expect(text).toContain('all of it is new');
    expect(text).toContain('| Arms measured | – | **2** |');
  });

  it('hostile names stay text', () => {
    const name = '<!-- x --> @everyone | [a](javascript:1) #1';
    const changes = { ...compare(before, rerun({ 'table/a': [0.9, 0.91, 0.92] })), baseline: name };
    const text = comment(changes, before);
    expect(text).not.toMatch(/<!--|@everyone|#1|\[a\]\(javascript/);
  });
});

describe('the page', () => {
  const now = rerun({ 'table/a': [0.9, 0.91, 0.92], 'table/b': [0.7, 0.71, 0.72] });
  const before = accuracyRecords({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.72] });

  it('has the section only when it is compared, after the claims', () => {
    const report = buildReport(input(now));
    expect(renderHtml(report, new Map())).not.toContain('id="changes"');
    const page = parseMarkup(renderHtml(report, new Map(), { changes: changesSection(compare(before, now)) }));
    expect([...page.querySelectorAll('main > section')].map(section => section.getAttribute('id')).slice(0, 3)).toEqual(['claims', 'changes', 'ablation-table']);
    const captions = [...page.querySelectorAll('#changes caption')].map(caption => caption.textContent);
    expect(captions).toEqual(['Before and now', 'Arms that changed: test accuracy (%)']);
    expect(page.querySelector('#changes p')!.textContent).toContain('Arms: 1 better; 1 as before.');
  });

  it('folds away what nothing follows from, where there is much of it', () => {
    const names = Array.from({ length: 20 }, (_, i) => `arm${i}`);
    const many = claimAblation('table', names, []);
    const all = (shift: (i: number) => number): Accuracies => Object.fromEntries(names.map((name, i) => [`table/${name}`, [0.5 + shift(i)]]));
    const big = input(rerun(all(i => (i === 0 ? 0.1 : 0.001))), { ablations: [many] });
    const page = parseMarkup(`<main>${changesSection(compareReports(big, baseline(accuracyRecords(all(() => 0))))).text}</main>`);
    expect(page.querySelector('#changes summary')!.textContent).toBe('19 arms within noise, or with more seeds');
    expect([...page.querySelectorAll('#changes tbody th')].map(th => th.textContent).filter(text => text.startsWith('table: '))[0]).toBe('table: ARM0');
  });

  it('of all files of a report only the page tells of the comparison', async () => {
    const sample = sampleInput();
    const plain = await renderReport(sample);
    const compared = await renderReport(sample, compareReports(sample, baseline(undefined)));
    expect([...compared].filter(([path, text]) => plain.get(path) !== text).map(([path]) => path)).toEqual(['index.html']);
  });
});
