import { describe, expect, it } from 'vitest';
import { warningsOf } from '../../../../../src/cli/report/merge-text.ts';
import { loadExperiments } from '../../../../../src/core/ablation/load.ts';
import { buildPlan } from '../../../../../src/core/plan/plan.ts';
import { usesByKey } from '../../../../../src/core/report/records/collect.ts';
import { mergeRecords } from '../../../../../src/core/report/records/merge.ts';
import type { ReportProvenance } from '../../../../../src/core/report/records/provenance.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { toyExperiments } from '../../../../toy/sweep.ts';

const { study, profile, ablations } = await loadExperiments(toyExperiments, { profile: 'quick', only: 'cut' });
const plan = buildPlan({ study, profile, ablations, seeds: [0] });
const uses = usesByKey(plan);
const records = [...plan.stages.values()].map(({ key, kind, seed, cost }): ReportRecord => ({
  key,
  kind,
  seed,
  state: 'done',
  uses: uses.get(key)!,
  cost,
  result: { weight: 0.5 },
  curves: {},
  resultSha256: 'a'.repeat(64),
}));
const [first, ...rest] = records;
const ranOn = (cpu: string): ReportProvenance =>
  Object.fromEntries(records.map(({ key }) => [key, { cpu, stage: { engine: { name: 'tensorflow', libraryVersion: '2.21.0', mode: 'graph', precision: 'float32' } } }]));
const merged = (mine: readonly ReportRecord[], theirs: readonly ReportRecord[], prefer: 'report' | 'store' = 'report') =>
  mergeRecords({ records: mine, provenance: ranOn('Model A'), adopted: [] }, { records: theirs, provenance: ranOn('Model B'), adopted: [] }, plan, prefer);
const of = (list: readonly ReportRecord[]): ReportRecord => list.find(({ key }) => key === first!.key)!;

describe('mergeRecords', () => {
  it('adds what is new, with the provenance of where it ran', () => {
    const { records: all, added, kept, provenance } = merged(rest, [first!]);
    expect(all).toHaveLength(records.length);
    expect([added, kept.length]).toEqual([[first!.key], rest.length]);
    expect(provenance[first!.key]).toMatchObject({ cpu: 'Model B' });
    expect(provenance[rest[0]!.key]).toMatchObject({ cpu: 'Model A' });
  });

  it('keeps a result that differs, and names both with their engines; or takes the other where that is preferred', () => {
    const other = { ...first!, result: { weight: 0.6 }, resultSha256: 'b'.repeat(64) };
    const kept = merged(records, [other]);
    expect([of(kept.records).result, kept.provenance[first!.key]]).toMatchObject([{ weight: 0.5 }, { cpu: 'Model A' }]);
    const engine = (cpu: string): string => `tensorflow 2.21.0, graph float32, ${cpu}`;
    const { ablation, arm } = first!.uses[0]!;
    expect(warningsOf(kept, study, 'report', 'runs')).toEqual([
      '1 stage has another result in runs than in the report: those of the report stay; --prefer store takes those of runs.',
      `  ${first!.kind} of ${ablation}/${arm}, seed 0 (${first!.key.slice(0, 12)}): the report has weight 0.5 (${engine('Model A')}), runs weight 0.6 (${engine('Model B')})`,
    ]);
    const taken = merged(records, [other], 'store');
    expect([of(taken.records).result, taken.provenance[first!.key], taken.updated]).toMatchObject([{ weight: 0.6 }, { cpu: 'Model B' }, [first!.key]]);
  });

  it('takes the result that has every number of the other and more, which an older version did not give, whichever side has it', () => {
    const more = { ...first!, result: { weight: 0.5, vigour: 1 }, resultSha256: 'b'.repeat(64) };
    for (const prefer of ['report', 'store'] as const) {
      for (const [mine, theirs] of [
        [first!, more],
        [more, first!],
      ] as const) {
        const { conflicts, records: all } = merged([mine, ...rest], [theirs], prefer);
        expect([conflicts, of(all).result, of(all).resultSha256]).toEqual([[], more.result, more.resultSha256]);
      }
    }
    expect(merged([first!], [{ ...more, result: { weight: 0.6, vigour: 1 } }]).conflicts).toHaveLength(1);
  });

  it('names the code of both where the results differ and it does, too; where the results are the same, that of the preferred side', () => {
    const [a, b] = ['a'.repeat(32), 'b'.repeat(32)];
    const conflict = merged([{ ...first!, codeHash: a }], [{ ...first!, result: { weight: 0.6 }, resultSha256: 'b'.repeat(64), codeHash: b }]);
    expect(warningsOf(conflict, study, 'report', 'runs')[1]).toMatch(/weight 0\.5 \(.*, code aaaaaaaaaaaa\), runs weight 0\.6 \(.*, code bbbbbbbbbbbb\)$/);
    const same = (mine: string | undefined, theirs: string | undefined, prefer: 'report' | 'store') =>
      of(merged([{ ...first!, codeHash: mine }], [{ ...first!, codeHash: theirs }], prefer).records).codeHash;
    expect([same(a, b, 'report'), same(a, b, 'store'), same(undefined, b, 'report'), same(a, undefined, 'store')]).toEqual([a, b, b, a]);
  });

  it('finds a curve that was changed, and takes in one that the study draws since', () => {
    const [curve, other]: [number, number][][] = [[[1, 2]], [[1, 3]]];
    const drawn = merged([{ ...first!, curves: { a: curve! } }], [{ ...first!, curves: { a: curve!, b: other! } }]);
    expect([of(drawn.records).curves, drawn.conflicts]).toEqual([{ a: curve, b: other }, []]);
    const changed = merged([{ ...first!, curves: { a: curve! } }], [{ ...first!, curves: { a: other! } }]);
    expect([of(changed.records).curves, changed.conflicts.length]).toEqual([{ a: curve }, 1]);
  });

  it('puts a result in the place of a failure, and a newer failure in that of an older one', () => {
    const failed = (reason: string): ReportRecord => ({ ...first!, state: 'failed', reason, result: {}, resultSha256: undefined });
    expect(of(merged([failed('storm')], [first!]).records).state).toBe('done');
    expect(of(merged([first!], [failed('storm')]).records).state).toBe('done');
    expect(of(merged([failed('storm')], [failed('frost')]).records).reason).toBe('frost');
  });

  it('takes the cost from the present code, and drops what no arm needs', () => {
    const cost = { ...first!.cost, flops: first!.cost.flops + 1 };
    expect(of(merged(records, [{ ...first!, cost }]).records).cost).toEqual(cost);
    const stray = { ...first!, key: 'f'.repeat(32) };
    const { records: all, dropped } = merged([...records, stray], []);
    expect([all.length, dropped.map(({ key }) => key)]).toEqual([records.length, [stray.key]]);
  });
});
