import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareReports, hasChanges, ofAblations, type Changes } from '../../../../../src/core/report/baseline/baseline.ts';
import { parseClaimStates, type ClaimState, type PrintedClaims } from '../../../../../src/core/report/baseline/claims.ts';
import { conflictTable } from '../../../../../src/core/report/baseline/tables.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { claimCsv } from '../../../../../src/core/report/render/csv.ts';
import { parseProvenance, serializeProvenance } from '../../../../../src/core/report/records/provenance.ts';
import { enginesOf } from '../../../../../src/core/report/records/engines.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import type { Direction, Verdict } from '../../../../../src/core/report/statistics/verdict.ts';
import { accuracyRecords } from '../../../../helpers/report/claims.ts';
import { compare, earlierReport, laterReport, rerun } from '../../../../helpers/report/changes.ts';

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
    expect(changes.arms.map(arm => [arm.before?.perSeed.length, arm.now?.perSeed.length])).toEqual([
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

  it('with fewer seeds than are declared nothing is judged, however large the difference', () => {
    const two = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.8, 0.8] });
    const changes = compare(two, rerun({ 'table/a': [0.9], 'table/b': [0.7, 0.71] }));
    expect(outcomes(changes)).toEqual({ 'table/a': 'other results', 'table/b': 'other results' });
    expect(changes.arms.map(({ difference }) => difference)).toEqual([
      { value: expect.closeTo(0.1, 10) as number, noise: undefined, pairs: 1 },
      { value: expect.closeTo(-0.095, 10) as number, noise: undefined, pairs: 2 },
    ]);
  });

  it('seeds beyond the declared ones are in no judgement', () => {
    const changes = compare(accuracyRecords({ 'table/a': [0.8, 0.81, 0.82, 0.1] }), rerun({ 'table/a': [0.81, 0.822, 0.831, 0.9] }));
    expect(changes.arms).toMatchObject([{ outcome: 'better', difference: { value: expect.closeTo(0.011, 10) as number, pairs: 3 } }]);
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

  it('without a common seed nothing is compared', () => {
    const changes = compare(accuracyRecords({ 'table/a': [0.8, 0.81] }), rerun({ 'table/a': [null, null, 0.9, 0.91] }));
    expect(changes.arms).toMatchObject([{ outcome: 'other seeds', difference: undefined }]);
  });

  it('arms that share their runs stand once', () => {
    const shared = (records: ReportRecord[]): ReportRecord[] => records.map(record => ({ ...record, uses: [...record.uses, ...record.uses.map(use => ({ ...use, arm: 'c' }))] }));
    const changes = compare(shared(accuracyRecords({ 'table/a': [0.8] })), shared(rerun({ 'table/a': [0.9] })));
    expect(changes.arms).toMatchObject([{ name: 'table/a', also: ['table/c'], outcome: 'other results' }]);
  });

  it('swapping the sides swaps the outcomes, whatever the numbers', () => {
    const values = fc.array(fc.option(fc.integer({ min: 0, max: 1000 }).map(n => n / 1000)), { minLength: 1, maxLength: 5 });
    const opposite: Readonly<Record<string, string>> = { new: 'gone', gone: 'new', better: 'worse', worse: 'better', 'more seeds': 'fewer seeds', 'fewer seeds': 'more seeds' };
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

  it('are not told where one side has a number that the other, of an older version, lacks', () => {
    const more = before.map(record => ({ ...record, result: { ...record.result, spread: 1 }, resultSha256: 'c'.repeat(64) }));
    expect([compare(before, more).conflicts, compare(more, before).conflicts]).toEqual([[], []]);
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
    const changes = compareReports(laterReport(now, { engines: engine('Model 2') }), earlierReport(before, { engines: engine('Model 1') }));
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

describe('runs and records', () => {
  const before = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] });
  const runs = (now: readonly ReportRecord[]) => compare(before, now).runs;

  it('are counted by what stands in the place of each', () => {
    expect(runs(before)).toEqual({ added: 0, removed: 0, replaced: 0 });
    expect(runs(accuracyRecords({ 'table/a': [0.8, 0.81], 'table/b': [0.7] }))).toEqual({ added: 1, removed: 0, replaced: 0 });
    expect(runs(accuracyRecords({ 'table/a': [0.8] }))).toEqual({ added: 0, removed: 1, replaced: 0 });
    expect(runs([...rerun({ 'table/a': [0.9] }), ...accuracyRecords({ 'table/b': [0.7] })])).toEqual({ added: 0, removed: 0, replaced: 1 });
    // The same key with another number, and a run of another name.
    expect(runs(accuracyRecords({ 'table/a': [0.9], 'table/b': [0.7] }))).toEqual({ added: 0, removed: 0, replaced: 1 });
    expect(runs(before.map(record => ({ ...record, uses: record.uses.map(use => ({ ...use, arm: `${use.arm}2` })) })))).toEqual({ added: 0, removed: 0, replaced: 0 });
  });

  it('that several arms share count once', () => {
    const shared = accuracyRecords({ 'table/a': [0.8] }).map(record => ({ ...record, uses: [...record.uses, ...record.uses.map(use => ({ ...use, arm: 'c' }))] }));
    expect(compare([], shared).runs).toEqual({ added: 1, removed: 0, replaced: 0 });
  });

  it('vanish where nothing stands in their place, be it with their arm or below a result that stays', () => {
    const withTraining = (records: readonly ReportRecord[]): ReportRecord[] =>
      records.flatMap(record => [{ ...record, key: `${record.key.slice(0, -1)}t`, kind: 'finetune', uses: record.uses.map(use => ({ ...use, role: 'finetune' })) }, record]);
    const vanished = (now: readonly ReportRecord[]) => compare(withTraining(before), now).vanished;
    expect(vanished(withTraining(before))).toBe(0);
    expect(vanished(withTraining(accuracyRecords({ 'table/a': [0.8] })))).toBe(2);
    expect(vanished(before)).toBe(2);
    // An edited recipe: another run has the place.
    expect(vanished([...rerun({ 'table/a': [0.9] }), ...withTraining(accuracyRecords({ 'table/b': [0.7] }))])).toBe(0);
    // A failure is no result.
    expect(vanished(withTraining(before).map(record => (record.kind === 'finetune' ? { ...record, state: 'failed' as const } : record)))).toBe(2);
  });
});

describe('both sides as a whole', () => {
  it('count what is declared no more', () => {
    const before = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7], 'table/old': [0.6], 'former/x': [0.5] });
    const printed = parseClaimStates('ablation,claim,claim_verdict,claim_direction\ntable,above,reproduced,\nformer,x,reproduced,\n')!;
    const changes = compare(before, accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] }), { claims: printed });
    expect([changes.before!.arms, changes.now.arms]).toEqual([4, 2]);
    expect([changes.before!.claims.length, changes.now.claims.length]).toEqual([2, 1]);
  });
});

describe('claims', () => {
  const weak = accuracyRecords({ 'table/a': [0.8], 'table/b': [0.7] });
  const strong = rerun({ 'table/a': [0.8, 0.81, 0.82], 'table/b': [0.7, 0.71, 0.721] });
  const state = (verdict: Verdict, sentence: string, direction?: Direction): ClaimState => ({ verdict, direction, sentence, origin: 'own' });
  const printed = (states: Readonly<Record<string, ClaimState>>, current = true): PrintedClaims => ({ states: new Map(Object.entries(states)), current });

  it('whose verdict other results changed', () => {
    const sentence = 'A is above B.';
    expect(compare(weak, strong).claims).toEqual([{ ablation: 'table', name: 'above', sentence, before: state('interim', sentence, 'agrees'), now: state('reproduced', sentence), cause: 'results' }]);
  });

  it('whose verdict the same results now give otherwise than was printed', () => {
    const claims = printed({ 'table/above': state('contradicted', 'A is above B.'), 'table/old': state('reproduced', 'It was so.') });
    expect(compare(strong, strong, { claims }).claims.map(({ sentence, cause, before, now }) => [sentence, cause, before?.verdict, now?.verdict])).toEqual([
      ['A is above B.', 'rules', 'contradicted', 'reproduced'],
      ['It was so.', 'gone', 'reproduced', undefined],
    ]);
    expect(compare(strong, strong, { claims: printed({}) }).claims.map(({ cause }) => cause)).toEqual(['new']);
  });

  it('that an older version of this program judged are judged anew, but for those that are declared no more', () => {
    const claims = printed({ 'table/above': state('undecided', 'A is above B.', 'agrees'), 'table/old': state('reproduced', 'It was so.') }, false);
    const changes = compare(strong, strong, { claims });
    expect(changes.claims.map(({ sentence, cause }) => [sentence, cause])).toEqual([['It was so.', 'gone']]);
    expect(changes.before!.claims.map(({ verdict }) => verdict)).toEqual(['reproduced', 'reproduced']);
  });

  it('are read from the table of the report', () => {
    const report = buildReport(laterReport(strong));
    expect(parseClaimStates(claimCsv(report)!)).toEqual(printed({ 'table/above': state('reproduced', 'A is above B.') }));
    // As older versions of this program wrote it: with words that are known, by other rules.
    expect(parseClaimStates('ablation,claim,sentence,source,claim_verdict,claim_direction,claim_published,published_gap\nt,c,It is.,section 4,undecided,agrees,supports,0.2\n')).toEqual({
      states: new Map([['t/c', { verdict: 'undecided', direction: 'agrees', sentence: 'It is.', origin: 'published' }]]),
      current: false,
    });
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
  });
});

describe('some ablations only', () => {
  it('leaves the others out of both sides', () => {
    const records = accuracyRecords({ 'table/a': [0.8], 'other/x': [0.5] });
    const notRun = { verdict: 'not run' as const, direction: undefined, sentence: 'C.', origin: 'own' as const };
    const states = new Map([
      ['table/c', notRun],
      ['other/c', notRun],
    ]);
    const some = ofAblations(new Set(['table']), { records, adopted: [] }, earlierReport(records, { claims: { states, current: true } }));
    expect(some.records.flatMap(record => record.uses.map(use => use.ablation))).toEqual(['table']);
    expect(some.baseline.records).toHaveLength(1);
    expect([...some.baseline.claims!.states.keys()]).toEqual(['table/c']);
  });
});
