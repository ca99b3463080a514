import { describe, expect, test } from 'vitest';
import { orderTable } from '../../../../../src/core/report/tables/context.ts';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import type { AblationReport, ArmRow } from '../../../../../src/core/report/model/model.ts';
import type { ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { packItems } from '../../../../../src/core/store/items.ts';
import type { Cell } from '../../../../../src/core/report/tables/results.ts';
import { sampleAblation, sampleInput, sampleKey, sampleRecords } from '../../../../helpers/report/sample.ts';

const only = (input: ReportInput): AblationReport => buildReport(input).ablations[0]!;
const rowOf = (ablation: AblationReport, arm: string): ArmRow => ablation.rows.find(row => row.name === arm)!;
const ofArm = (record: ReportRecord, arm: string): boolean => record.uses.length === 1 && record.uses[0]!.arm === arm;
const withRecords = (change: (records: ReportRecord[]) => ReportRecord[], seeds: readonly number[] = [0]): ReportInput => ({
  ...sampleInput(seeds),
  records: change(sampleRecords(seeds)),
});
const withAccuracy = (values: Readonly<Record<string, number>>) => (records: ReportRecord[]) =>
  records.map(r => (r.kind === 'evaluate' ? { ...r, result: { accuracy: values[r.uses[0]!.arm] ?? 0.8, accuracy_se: 0.004 } } : r));

describe('rows', () => {
  test('one seed: value, binomial error, difference to the default, published numbers', () => {
    const ablation = only(withRecords(withAccuracy({ mae: 0.85, 'qk-vv-softmax': 0.87 })));
    const mae = rowOf(ablation, 'mae');
    expect(mae).toMatchObject({ state: 'done', wanted: 1, isDefault: false, agreement: 'one seed', valueGap: undefined });
    expect(mae.measured).toEqual({ n: 1, mean: 0.85, spread: { kind: 'binomial', value: 0.004 }, perSeed: [{ seed: 0, value: 0.85, standardError: 0.004 }] });
    expect(mae.delta!.value).toBeCloseTo(-0.02, 12);
    expect(mae.published).toMatchObject({ value: 83.6, delta: -1, elsewhere: false, inferred: false });
    expect(rowOf(ablation, 'qk-vv-softmax')).toMatchObject({ isDefault: true, delta: undefined, agreement: undefined });
  });

  test('one seed that left the results of its items: the error is that of the items on which the two arms differ', () => {
    // Of 100 items both find 62 right, the default 8 more and MAE 3 more: sqrt(11 - 25 / 100) / 100. As independent: 0.066.
    const right = (arm: string): boolean[] => Array.from({ length: 100 }, (_, i) => i < 62 || (arm === 'mae' ? i >= 97 : i < 70));
    const items = (arm: string): string => Buffer.from(packItems(right(arm))).toString('base64');
    const records = withAccuracy({ mae: 0.65, 'qk-vv-softmax': 0.7 })(sampleRecords()).map(record => (record.kind === 'evaluate' ? { ...record, items: items(record.uses[0]!.arm) } : record));
    const { delta } = rowOf(only({ ...sampleInput(), records }), 'mae');
    expect(delta).toMatchObject({ n: 1, error: 'images', interval: undefined });
    expect(delta!.standardError).toBeCloseTo(0.0327871926215, 12);
  });

  test('several seeds: sample standard deviation and paired interval', () => {
    const values = [0.84, 0.85, 0.86];
    const input = withRecords(
      records => records.map(r => (r.kind === 'evaluate' ? { ...r, result: { accuracy: values[r.seed]! + (ofArm(r, 'mae') ? -0.02 : (r.seed - 1) / 1000), accuracy_se: 0.004 } } : r)),
      [0, 1, 2],
    );
    const mae = rowOf(only(input), 'mae');
    expect(mae.measured!.mean).toBeCloseTo(0.83, 12);
    expect(mae.measured!.spread.kind).toBe('sample');
    expect(mae.measured!.spread.value).toBeCloseTo(0.01, 12);
    // Differences -0.019, -0.02 and -0.021. scipy 1.17.1: t.ppf(0.975, 2) = 4.302652729749462.
    expect(mae.delta!.interval!.high).toBeCloseTo(-0.02 + (4.302652729749462 * 0.001) / Math.sqrt(3), 8);
  });

  test('numbers are of the declared seeds; those beyond stand apart, and alone they are exploratory', () => {
    const declaring = (seeds: readonly number[]): ArmRow => rowOf(only({ ...sampleInput([0, 1, 2]), profile: { name: 'sample', seeds: [...seeds] } }), 'mae');
    const all = declaring([0, 1, 2]);
    const some = declaring([0, 1]);
    expect(some).toMatchObject({ state: 'done', wanted: 2, exploratory: false, measured: { n: 2 }, delta: { n: 2 }, extraSeeds: [{ seed: 2, value: all.measured!.perSeed[2]!.value }] });
    expect(declaring([5, 6])).toMatchObject({ state: 'partial', exploratory: true, measured: { n: 3 }, extraSeeds: [] });
    const report = buildReport({ ...sampleInput([0, 1, 2]), profile: { name: 'sample', seeds: [5, 1] } });
    expect(report.seeds).toEqual({ declared: [1, 5], measured: [1], extra: [0, 2] });
    expect(report.ablations[0]!.footnotes).toContain('Seeds 0, 2, beyond those that the profile declares, are exploratory: in no number here, and in the CSV.');
  });

  test('a published cell of another table is shown without a difference, and counts in no pair', () => {
    const ablation = only(sampleInput());
    expect(rowOf(ablation, 'scratch').published).toMatchObject({ value: 81.2, table: 'Table 8', elsewhere: true, delta: undefined });
    expect(rowOf(ablation, 'scratch').agreement).toBeUndefined();
    const { same, opposite, withinNoise, oneSeed, publishedNoise } = ablation.order;
    expect([same + opposite + withinNoise, oneSeed]).toEqual([0, 6]);
    expect(publishedNoise).toBe(4);
  });

  test('an arm without a published value has none', () => {
    const arms = sampleAblation.arms.map(arm => {
      const { published, ...rest } = arm;
      return arm.name === 'mae' || published === undefined ? rest : arm;
    });
    const ablation = only({ ...sampleInput(), ablations: [{ ...sampleAblation, arms }] });
    expect(rowOf(ablation, 'mae')).toMatchObject({ published: undefined, agreement: undefined });
    expect(rowOf(ablation, 'mae').delta).toBeDefined();
  });

  test('values are compared with the paper only where the profile allows', () => {
    const input = withRecords(withAccuracy({ mae: 0.85 }));
    const comparable = { ...input, study: { ...input.study, report: { ...input.study.report, comparable: () => true } } };
    expect(rowOf(only(comparable), 'mae').valueGap).toBeCloseTo(0.85 - 0.836, 12);
  });

  test('extra columns come from the stage with their role', () => {
    const ablation = only(sampleInput());
    expect(ablation.columns.map(c => c.unit)).toEqual(['loss', 'loss', 'ratio']);
    expect(rowOf(ablation, 'mae').extra).toEqual([undefined, undefined, undefined]);
    expect(rowOf(ablation, 'qk-vv').extra[2]).toBeCloseTo(0.97 / 3.4, 12);
  });
});

describe('what is not there', () => {
  test('arms without a result are missing, and say so', () => {
    const report = buildReport({ ...sampleInput(), records: [] });
    expect(report.arms).toEqual({ total: 6, done: 0, partial: 0, failed: 0, missing: 6 });
    expect(report.ablations[0]!.finding).toEqual(['No arm is measured yet.']);
    expect(report.verdict).toEqual(['Nothing is run yet, and nothing is claimed.']);
  });

  test('a failed stage fails its arms, with the reason', () => {
    const key = sampleKey('mae', 'pretrain', 0);
    const input = withRecords(records =>
      records.filter(r => !(ofArm(r, 'mae') && r.kind !== 'pretrain')).map(r => (r.key === key ? { ...r, state: 'failed' as const, reason: 'loss is NaN at step 12', result: {}, curves: {} } : r)),
    );
    const ablation = only(input);
    expect(rowOf(ablation, 'mae').state).toBe('failed');
    expect(ablation.failures).toEqual([{ key, kind: 'pretrain', role: 'pretrain', seed: 0, arms: ['MAE baseline'], reason: 'loss is NaN at step 12' }]);
  });

  test('a seed that is not there makes an arm partial, and pairs use the common seeds', () => {
    const input = withRecords(records => records.filter(r => !(ofArm(r, 'mae') && r.kind === 'evaluate' && r.seed === 1)), [0, 1, 2]);
    const report = buildReport(input);
    expect(report.arms).toMatchObject({ done: 5, partial: 1 });
    expect(rowOf(report.ablations[0]!, 'mae')).toMatchObject({ state: 'partial', wanted: 3, measured: { n: 2 }, delta: { n: 2 } });
  });

  test('without the default arm there are no differences', () => {
    const ablation = only(withRecords(records => records.filter(r => !ofArm(r, 'qk-vv-softmax'))));
    expect(ablation.rows.filter(row => row.delta === undefined)).toHaveLength(6);
    expect(ablation.finding.join(' ')).toContain('The default arm is not measured');
  });

  test('a result without the headline number is an error, not a zero', () => {
    const input = withRecords(records => records.map(r => (r.kind === 'evaluate' ? { ...r, result: { loss: 1 } } : r)));
    expect(() => buildReport(input)).toThrow("Expected a number 'accuracy' in the result of evaluate");
  });
});

describe('cost, curves and head', () => {
  test('an arm is charged for its own stages of one seed, the shared teacher apart', () => {
    const ablation = only(sampleInput([0, 1]));
    expect(rowOf(ablation, 'qk-vv').cost).toEqual({ labelledImages: 40_960, unlabelledImages: 59_904, flops: 6.2e11 + 1.4e11 + 3.4e9 });
    expect(rowOf(ablation, 'scratch').cost!.unlabelledImages).toBe(0);
    expect(ablation.shared).toEqual([expect.objectContaining({ role: 'teacher', arms: 4, cost: { labelledImages: 0, unlabelledImages: 119_808, flops: 3.1e12 } })]);
  });

  test('curves: one line per arm and seed, losses far apart on a logarithmic axis', () => {
    const curves = only(sampleInput([0, 1])).curves;
    expect(curves.map(c => [c.id, c.series.length, c.unit, c.logarithmic])).toEqual([
      ['relation-distill-loss', 8, 'loss', true],
      ['relation-pretrain-loss', 2, 'loss', false],
      ['relation-finetune-val_accuracy', 10, 'fraction', false],
      ['relation-supervise-val_accuracy', 2, 'fraction', false],
    ]);
  });

  test('the verdict counts the pairs, and one seed orders nothing', () => {
    const accuracies = { mae: 0.8, 'qq-kk-vv': 0.82, 'qq-kk-vv-softmax': 0.84, 'qk-vv': 0.86, 'qk-vv-softmax': 0.79 };
    const report = buildReport(withRecords(withAccuracy(accuracies)));
    expect(report.verdict).toEqual(['Nothing is claimed: 6 of 6 arms are measured, with one seed.']);
    const two = buildReport(
      withRecords(records => withAccuracy(accuracies)(records).map(r => (r.seed === 1 ? { ...r, result: { ...r.result, accuracy: (r.result['accuracy'] as number) + 0.001 } } : r)), [0, 1]),
    );
    expect(two.verdict).toEqual(['Nothing is claimed: 6 of 6 arms are measured, with all 2 seeds.', '3 of 6 pairs of arms that are published apart are ordered as published.']);
    expect(two.order).toMatchObject({ same: 3, opposite: 3, publishedNoise: 4 });
  });

  test('two arms that share every stage draw the same line twice and count the teacher once', () => {
    const twin = { ...sampleAblation.arms[4]!, name: 'twin', label: 'Twin' };
    const records = sampleRecords().map(r => ({ ...r, uses: r.uses.flatMap(u => (u.arm === 'qk-vv' ? [u, { ...u, arm: 'twin' }] : [u])) }));
    const ablation = only({ ...sampleInput(), ablations: [{ ...sampleAblation, arms: [...sampleAblation.arms, twin] }], records });
    expect(rowOf(ablation, 'twin').measured).toEqual(rowOf(ablation, 'qk-vv').measured);
    expect(ablation.shared).toEqual([expect.objectContaining({ arms: 5 })]);
  });
});

describe('against the paper', () => {
  const comparable = (): ReportInput => {
    const input = withRecords(withAccuracy({ mae: 0.85 }));
    return { ...input, study: { ...input.study, report: { ...input.study.report, comparable: () => true } } };
  };

  test('values compare where profile and data are the paper\u2019s, and the report says why not elsewhere', () => {
    expect(buildReport(comparable())).toMatchObject({ comparable: true, valueRule: 'Profile and data are the paper\u2019s, so values are compared, too: measured minus published.' });
    expect(buildReport(sampleInput()).valueRule).toBe('Only order and sign are compared with the paper, not values: models, data or schedules of this profile are not the paper\u2019s.');
  });

  test('a profile that was changed for the report is not the paper\u2019s', () => {
    const changed = buildReport({ ...comparable(), overrides: ['distill.schedule.epochs=5'] });
    expect(changed.comparable).toBe(false);
    expect(changed.valueRule).toContain('the profile was changed for this report');
    expect(rowOf(changed.ablations[0]!, 'mae').valueGap).toBeUndefined();
  });

  test('the order of a table is one number, over the arms of its published table', () => {
    const accuracies = { scratch: 0.9, mae: 0.8, 'qq-kk-vv': 0.82, 'qq-kk-vv-softmax': 0.84, 'qk-vv': 0.86, 'qk-vv-softmax': 0.79 };
    const { rank } = only(withRecords(withAccuracy(accuracies)));
    const published = [83.6, 84.4, 84.5, 84.4, 84.6];
    const measured = [0.8, 0.82, 0.84, 0.86, 0.79];
    const pairs = published.flatMap((p, i) => published.slice(0, i).map((q, j) => Math.sign(p - q) * Math.sign(measured[i]! - measured[j]!)));
    expect(pairs).toHaveLength(10);
    expect(rank!.arms).toBe(5);
    expect(rank!.tau).toBeCloseTo(pairs.reduce((a, b) => a + b, 0) / Math.sqrt(9 * 10), 12);
    expect(rank!.seeds).toBeUndefined();
    expect(only({ ...sampleInput(), records: [] }).rank).toBeUndefined();
    expect(only(sampleInput([0, 1, 2])).rank!.seeds).toMatchObject({ n: 3 });
  });

  test('the table of orders prints it with its p and its range', () => {
    const cells = (input: ReportInput): Cell[] => orderTable(buildReport(input))!.rows.map(row => row.cells.at(-1)!);
    expect(cells(sampleInput())[0]).toEqual({ text: expect.stringMatching(/^\+0\.\d\d$/) as string, detail: expect.stringMatching(/^p \d\.\d{3}$/) as string });
    expect(cells(sampleInput([0, 1, 2]))[0]!.detail).toMatch(/^\[\+?\u2212?\d\.\d\d, \+?\d\.\d\d\], p \d\.\d{3}$/);
    expect(orderTable(buildReport({ ...sampleInput(), records: [] }))).toBeUndefined();
  });
});
