import { describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { claimCsv, contentsCsv, curveCsv, resultCsv } from '../../../../../src/core/report/render/csv.ts';
import { gridInput } from '../../../../helpers/report/grid.ts';
import { hostileInput, HOSTILE_LABELS } from '../../../../helpers/report/hostile.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';

/** RFC 4180, written apart from the library that wrote the text. */
function parse(text: string): Record<string, string>[] {
  const cells = [...text.matchAll(/("(?:[^"]|"")*"|[^",\n]*)(,|\n)/g)].map(([, cell, end]) => ({ cell: cell!.replace(/^"([^]*)"$/, '$1').replaceAll('""', '"'), end }));
  const rows: string[][] = [[]];
  for (const { cell, end } of cells) {
    rows.at(-1)!.push(cell);
    if (end === '\n') rows.push([]);
  }
  const [head, ...body] = rows.slice(0, -1);
  return body.map(row => Object.fromEntries(head!.map((name, i) => [name, row[i]!])));
}

describe('result table', () => {
  test('full precision, fractions, published as printed', () => {
    const input = sampleInput([0, 1]);
    const rows = parse(resultCsv(buildReport(input).ablations[0]!));
    expect(rows.map(row => row['arm'])).toEqual(input.ablations[0]!.arms.map(arm => arm.name));
    const mae = rows[1]!;
    const values = input.records.filter(r => r.kind === 'evaluate' && r.uses[0]!.arm === 'mae').map(r => r.result['accuracy'] as number);
    expect([mae['seed_0'], mae['seed_1']].map(Number).sort()).toEqual(values.map(v => Number(v.toPrecision(12))).sort());
    expect(Number(mae['mean'])).toBeCloseTo((values[0]! + values[1]!) / 2, 11);
    expect(mae).toMatchObject({ n: '2', spread_kind: 'sample', published: '83.6', published_table: 'Table 7', published_delta: '-1', delta_low_95: '', labelled_images: '40960' });
    expect(rows[5]).toMatchObject({ default: 'true', delta: '' });
  });

  test('a missing arm has empty numbers', () => {
    const rows = parse(resultCsv(buildReport({ ...sampleInput(), records: [] }).ablations[0]!));
    expect(rows[0]).toMatchObject({ state: 'missing', n: '0', mean: '', delta: '', labelled_images: '' });
  });

  test('hostile labels stay one cell, and no cell is a formula', () => {
    const text = resultCsv(buildReport(hostileInput()).ablations[0]!);
    const rows = parse(text);
    expect(rows).toHaveLength(6);
    expect(rows[1]!['label']).toBe(HOSTILE_LABELS[1]);
    expect(rows[4]!['label']!.startsWith("'=")).toBe(true);
    for (const row of rows) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=@]/);
  });
});

test('curves have a row per point', () => {
  const ablation = buildReport(sampleInput()).ablations[0]!;
  const rows = parse(curveCsv(ablation)!);
  expect(rows).toHaveLength(ablation.curves.flatMap(chart => chart.series.flatMap(s => s.points)).length);
  expect(rows[0]).toEqual({
    role: 'distill',
    metric: 'loss',
    arm: 'qq-kk-vv',
    seed: '0',
    epoch: String(ablation.curves[0]!.series[0]!.points[0]![0]),
    value: String(ablation.curves[0]!.series[0]!.points[0]![1]),
  });
  expect(curveCsv({ ...ablation, curves: [] })).toBeUndefined();
});

test('claims: one row per comparison, with its seeds, sides and the claim\u2019s p', () => {
  const report = buildReport(gridInput([0, 1, 2]));
  const rows = parse(claimCsv(report)!);
  expect(rows).toHaveLength(report.ablations.flatMap(ablation => ablation.claims.flatMap(claim => claim.pairs)).length);
  const [row] = rows;
  const claim = report.ablations[0]!.claims[0]!;
  expect(row!['delta_per_seed']!.split('; ').map(part => Number(part.split(': ')[1]))).toEqual(claim.pairs[0]!.perSeed.map(({ delta }) => delta));
  expect(Number(row!['claim_p'])).toBeCloseTo(claim.p!.value, 10);
  expect(Number(row!['claim_p_holm'])).toBeCloseTo(claim.p!.adjusted, 10);
  const [pair] = claim.pairs;
  expect([row!['p_sign_flip'], row!['p_reproduced'], row!['p_contradicted'], row!['low'], row!['level']].map(Number)).toEqual(
    [pair!.signFlipPValue, pair!.sides!.reproduced, pair!.sides!.contradicted, pair!.interval!.low, pair!.interval!.level].map(value => Number(value!.toPrecision(12))),
  );
  expect([row!['claim_verdict'], row!['claim_before_correction'], row!['claim_seeds'], row!['claim_seeds_declared']]).toEqual([claim.verdict, claim.beforeCorrection, '3', '3']);
});

test('ablations: one row each, with counts and rank correlation', () => {
  const report = buildReport(gridInput([0]));
  const rows = parse(contentsCsv(report));
  expect(rows.map(row => row['ablation'])).toEqual(report.ablations.map(({ name }) => name));
  const first = report.ablations[1]!;
  expect(rows[1]).toMatchObject({ claims: String(first.claims.length), pairs_same: String(first.order.same), kendall_arms: String(first.rank!.arms), kendall_seeds: '' });
  expect(Number(rows[1]!['kendall_tau'])).toBeCloseTo(first.rank!.tau, 10);
});
