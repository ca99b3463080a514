/** Arms that rest on a doubtful number: which are named, with which numbers. Nothing here was measured. */
import { describe, expect, it } from 'vitest';
import type { StageKind } from '../../../../../src/core/ablation/kind.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { costTable } from '../../../../../src/core/report/tables/appendix.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { sampleInput, sampleStudy } from '../../../../helpers/report/sample.ts';

const WHY = 'the teacher has nearly the same target for every image';
const spread = { label: 'target spread', unit: 'ratio', better: 'none', help: '', doubtful: { below: 0.01, why: WHY } } as const;
const study = {
  ...sampleStudy,
  kinds: sampleStudy.kinds.map((kind): StageKind => (kind.name === 'distill' ? { ...kind, metrics: { ...kind.metrics, target_spread: spread } } : kind)),
  report: { ...sampleStudy.report, columns: [...sampleStudy.report.columns, { role: 'distill', metric: 'target_spread', label: 'target spread', optional: true }] },
};

/** @param spreads by arm, one for each seed; absent: a record of an older version */
function reported(spreads: Readonly<Record<string, readonly number[]>>, seeds = [0, 1]) {
  const input = sampleInput(seeds);
  const records = input.records.map((record): ReportRecord => {
    const value = record.kind === 'distill' ? spreads[record.uses[0]!.arm]?.[record.seed] : undefined;
    return value === undefined ? record : { ...record, result: { ...record.result, target_spread: value } };
  });
  return buildReport({ ...input, study, records }).ablations[0]!;
}

describe('a table', () => {
  it('names the arms with a doubtful number, once, with the least and the most of their seeds', () => {
    const { warnings } = reported({ 'qk-vv': [2.94e-8, 4.1e-8], 'qk-vv-softmax': [0.4, 0.5], 'qq-kk-vv': [0.009, 0.2] });
    expect(warnings).toEqual([`Expected a target spread of at least 0.01, got less in Q-Q, K-K, V-V (0.009); Q-K, V-V (2.9e-8 to 4.1e-8): ${WHY}.`]);
  });

  it('says nothing where every number is as expected, and where there is none', () => {
    expect(reported({ 'qk-vv': [0.01, 0.3] }).warnings).toEqual([]);
    expect(reported({}).warnings).toEqual([]);
  });

  it('has a column of the numbers where some arm has one: means over the seeds that do, small ones not as 0', () => {
    const without = reported({});
    expect(without.columns.map(({ label }) => label)).not.toContain('target spread');
    const table = costTable(reported({ 'qk-vv': [2e-8, 4e-8], 'qk-vv-softmax': [0.4] }));
    expect(table.columns.at(-1)!.label).toBe('Target spread');
    const cells = Object.fromEntries(table.rows.map(({ header, cells: of }) => [header, of.at(-1)!.text]));
    expect(cells).toMatchObject({ 'Q-K, V-V': '3.0e\u22128', 'Q-K, V-V with softmax (default)': '0.400', 'MAE baseline': '\u2013' });
  });
});
