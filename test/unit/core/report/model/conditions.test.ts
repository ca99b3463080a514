/** Whether a scale can show anything: conditions from invented records, what is said where one is missed, and where the report shows it. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Fact, ProfileBase, Study } from '../../../../../src/core/ablation/declaration.ts';
import { expandAblation, type Ablation } from '../../../../../src/core/ablation/expand.ts';
import { headroomAblation } from '../../../../../src/core/ablation/headroom.ts';
import type { JsonObject } from '../../../../../src/core/ablation/kind.ts';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import type { Conditions } from '../../../../../src/core/report/model/model.ts';
import { gainAtEnd } from '../../../../../src/core/report/model/training-end.ts';
import type { CurvePoint, ReportRecord } from '../../../../../src/core/report/records/records.ts';
import { renderReport } from '../../../../../src/core/report/write.ts';
import { accuracyRecords, type Accuracies } from '../../../../helpers/report/claims.ts';
import { sampleKey, sampleStudy } from '../../../../helpers/report/sample.ts';

const HELD_OUT = 1000;
const FACTS: readonly Fact[] = [
  { label: 'Data', value: 'shapes' },
  { label: 'Images seen', value: 'teacher 9,000; student 4,000', scale: true },
];

const study: Study = {
  ...sampleStudy,
  factors: z.strictObject({ method: z.enum(['distill', 'mae', 'scratch']).default('distill'), size: z.enum(['T', 'B', 'S']).default('B'), target: z.string().default('relation') }),
  realise: (factors, _, seed) => ({ kind: 'evaluate', role: 'evaluate', recipe: factors, seed, upstream: {} }),
  headroom: {
    name: 'teachers',
    title: 'Teachers, fine-tuned',
    note: 'In grey: the teachers.',
    of: ({ method }) => (method === 'distill' ? [{ name: 'mae-l', label: 'MAE-L, fine-tuned', factors: { method: 'mae', target: 'large' } }] : []),
    baseline: ({ size }) => ({ method: 'mae', size: size! }),
  },
  report: {
    ...sampleStudy.report,
    curves: sampleStudy.report.curves.map(curve => (curve.metric === 'val_accuracy' ? { ...curve, items: () => HELD_OUT } : curve)),
    facts: () => FACTS,
  },
};

function table(name: string, arms: Readonly<Record<string, object>>): Ablation {
  const declared = Object.entries(arms).map(([arm, factors]) => ({ name: arm, label: `${name} ${arm}`, factors }));
  return expandAblation({ name, title: name, table: 'ours', question: '', expected: '', base: {}, default: declared[0]!.name, arms: declared }, study, new Map());
}

const tables = [table('big', { qk: {}, vv: { target: 'vv' }, mae: { method: 'mae' } }), table('small', { qk: { size: 'T' }, mae: { method: 'mae', size: 'T' } })];
const DECLARED: ProfileBase = { name: 'sample', seeds: [0, 1, 2] };

function input(records: readonly ReportRecord[], profile = DECLARED, of: readonly Ablation[] = tables): ReportInput {
  const expanded = [...of, headroomAblation(study, of)!];
  return { study, profile, ablations: expanded.map(({ declaration }) => declaration), expanded, records };
}

const conditions = (records: readonly ReportRecord[], ...rest: [ProfileBase?, Ablation[]?]): Conditions => buildReport(input(records, ...rest)).conditions!;
const said = (records: readonly ReportRecord[]): string => buildReport(input(records)).verdict.join(' ');

/** Seeds of one arm, each with the curve of its fine-tuning; places: arms of other tables that are the same run. */
const trained = (arm: string, curves: readonly (readonly CurvePoint[])[], places: readonly string[] = [arm]): ReportRecord[] =>
  curves.map((points, seed) => ({
    key: sampleKey(arm, 'finetune', seed),
    kind: 'finetune',
    seed,
    state: 'done',
    uses: places.map(place => ({ ablation: place.split('/')[0]!, arm: place.split('/')[1]!, seed, role: 'finetune' })),
    result: { loss: 1, val_accuracy: points.at(-1)![1] },
    cost: { labelledImages: 0, unlabelledImages: 0, flops: 0 },
    curves: { val_accuracy: [...points] },
  }));

/** Four epochs that end at 80 %: the last quarter is the last of them. */
const ending = (gain: number): CurvePoint[] => [
  [1, 0.5],
  [3, 0.8 - gain],
  [4, 0.8],
];

const ABOVE: Accuracies = { 'teachers/mae-l': [0.9, 0.901, 0.902], 'big/mae': [0.85, 0.852, 0.848], 'small/mae': [0.8, 0.801, 0.803] };

describe('headroom', () => {
  test('is known of each pair of what arms rest on and their baseline, once', () => {
    const { headroom } = conditions(accuracyRecords(ABOVE));
    expect(headroom.map(({ of, baseline, state }) => [of.name, baseline!.name, baseline!.label, state])).toEqual([
      ['teachers/mae-l', 'big/mae', 'big: big mae', 'met'],
      ['teachers/mae-l', 'small/mae', 'small: small mae', 'met'],
    ]);
    expect(headroom[0]!.difference).toMatchObject({ n: 3, error: 'paired' });
    expect(said(accuracyRecords(ABOVE))).toMatch(/^Nothing is claimed/);
  });

  test('needs three standard errors of the difference, over seeds', () => {
    // The differences have mean d and standard deviation s: the error is s / sqrt(3).
    const of = (d: number, s: number): string => conditions(accuracyRecords({ ...ABOVE, 'teachers/mae-l': [0.5 + d - s, 0.5 + d, 0.5 + d + s], 'big/mae': [0.5, 0.5, 0.5] })).headroom[0]!.state;
    const error = 0.01 / Math.sqrt(3);
    expect([of(3.01 * error, 0.01), of(2.99 * error, 0.01), of(-0.1, 0.01)]).toEqual(['met', 'missed', 'missed']);
  });

  test('of one seed has the error of the test, and what varies nowhere decides nothing', () => {
    const { headroom } = conditions(accuracyRecords({ 'teachers/mae-l': [0.9], 'big/mae': [0.89] }));
    expect(headroom[0]).toMatchObject({ state: 'missed', difference: { n: 1, error: 'binomial' } });
    const ended = accuracyRecords({ 'teachers/mae-l': [1], 'big/mae': [1] }).map(record => ({ ...record, result: { accuracy: 1, accuracy_se: 0 } }));
    expect(conditions(ended).headroom[0]).toMatchObject({ state: 'not measured', difference: undefined });
  });

  test('is not measured where no seed has both, and where the baseline is no arm of the report', () => {
    const states = (accuracies: Accuracies, ...rest: [ProfileBase?, Ablation[]?]): string[] => conditions(accuracyRecords(accuracies), ...rest).headroom.map(({ state }) => state);
    expect(states({ 'teachers/mae-l': [0.9], 'big/mae': [null, 0.8], 'small/mae': [0.8] })).toEqual(['not measured', 'met']);
    const alone = [table('big', { qk: {} })];
    expect(states({ 'teachers/mae-l': [0.9] }, DECLARED, alone)).toEqual(['not measured']);
    expect(conditions([], DECLARED, alone).headroom[0]!.baseline).toBeUndefined();
  });

  test('is judged on the declared seeds', () => {
    expect(conditions(accuracyRecords({ ...ABOVE, 'teachers/mae-l': [0.9, 0.901, 0.902, 0.1] })).headroom[0]!.state).toBe('met');
  });
});

describe('training', () => {
  test('is what the curve gains over its last quarter, between its points', () => {
    expect(gainAtEnd(ending(0.02))).toBe(0.02);
    expect(
      gainAtEnd([
        [1, 0.5],
        [2, 0.6],
        [3, 0.8],
      ]),
    ).toBeCloseTo(0.75 * 0.2, 12);
    expect(
      gainAtEnd([
        [2, 0.8],
        [4, 0.7],
      ]),
    ).toBeCloseTo(-0.05, 12);
    expect([gainAtEnd([]), gainAtEnd([[1, 0.8]])]).toEqual([undefined, undefined]);
  });

  test('has to gain less than the binomial error of the held-out items, as a mean over seeds', () => {
    const error = Math.sqrt((0.8 * 0.2) / HELD_OUT);
    const { items, arms } = conditions([...trained('big/qk', [ending(0.01), ending(0.03)]), ...trained('big/mae', [ending(0.99 * error)]), ...trained('small/mae', [ending(-0.02)])]).training!;
    expect(items).toBe(HELD_OUT);
    expect(arms.map(({ name, state, n }) => [name, state, n])).toEqual([
      ['big/qk', 'missed', 2],
      ['big/mae', 'met', 1],
      ['small/mae', 'met', 1],
    ]);
    expect(arms[0]!.gain).toBeCloseTo(0.02, 12);
    expect(arms[0]!.standardError).toBeCloseTo(error, 12);
  });

  test('counts a run that several tables show once, and teachers too', () => {
    const records = [...trained('big/qk', [ending(0.01)], ['big/qk', 'small/qk', 'teachers/mae-l']), ...trained('teachers/mae-l-2', [ending(0.01)], ['small/mae'])];
    expect(conditions(records).training!.arms.map(({ name }) => name)).toEqual(['big/qk', 'small/mae']);
    expect(conditions(trained('teachers/mae-l', [ending(0.05)])).training!.arms.map(({ name, label }) => [name, label])).toEqual([['teachers/mae-l', 'MAE-L, fine-tuned']]);
  });

  test('is judged on the declared seeds, and is not known without items', () => {
    expect(conditions(trained('big/qk', [ending(0), ending(0), ending(0), ending(0.5)])).training!.arms[0]).toMatchObject({ n: 3, gain: 0 });
    const without = { ...study, report: { ...study.report, curves: study.report.curves.map(curve => (curve.items === undefined ? curve : { ...curve, items: () => 0 })) } };
    expect(buildReport({ ...input(trained('big/qk', [ending(0.5)])), study: without }).conditions!.training!.arms).toEqual([]);
  });

  test('takes nothing amiss in a record: a share beyond its ends has no error', () => {
    const [end] = conditions(
      trained('big/qk', [
        [
          [1, 7],
          [4, 9],
        ],
      ]),
    ).training!.arms;
    expect(end).toMatchObject({ state: 'missed', standardError: 0 });
  });
});

describe('what is said first', () => {
  test('says by how much a condition is missed, after what came out', () => {
    const [outcome, missed] = buildReport(input(accuracyRecords({ 'teachers/mae-l': [0.9], 'big/mae': [0.89] }))).verdict;
    expect(missed).toBe('This scale may hide effects: \u201cMAE-L, fine-tuned\u201d is not far enough above \u201cbig: big mae\u201d (+1.00 points, 1.9 of 3 standard errors).');
    expect(outcome).toMatch(/^Nothing is claimed/);
  });

  test('names the least of several, and both conditions', () => {
    const records = [...accuracyRecords({ 'teachers/mae-l': [0.9], 'big/mae': [0.91], 'small/mae': [0.8] }), ...trained('big/qk', [ending(0.02)]), ...trained('big/mae', [ending(0)])];
    expect(said(records)).toContain(
      'This scale may hide effects: in 1 of 2 comparisons what arms rest on is not far enough above their baseline (least: \u201cMAE-L, fine-tuned\u201d against \u201cbig: big mae\u201d, ' +
        '\u22121.00 points, \u22122.0 of 3 standard errors); 1 of 2 arms was still gaining in the last quarter of training (most: +2.00 points, standard error 1.26, \u201cbig qk\u201d).',
    );
  });

  test('says nothing of it where nothing is missed, or nothing is measured', () => {
    expect(said([])).toBe('Nothing is run yet, and nothing is claimed.');
    expect(said([...accuracyRecords(ABOVE), ...trained('big/qk', [ending(0)])])).not.toContain('may hide effects');
  });
});

describe('where it stands', () => {
  const records = [...accuracyRecords({ 'teachers/mae-l': [0.9], 'big/mae': [0.89] }), ...trained('big/qk', [ending(0.02)])];

  test('on the page, in the README and as CSV, with the images that are seen', async () => {
    const files = await renderReport(input(records));
    const readme = files.get('README.md')!;
    const section = readme.split('\n## ').find(text => text.includes('What this scale can show'))!;
    expect(section).toMatch(/\| Headroom \| missed \| 0 of 2 pairs <sub>1 measured, least \+1\.00, MAE-L, fine-tuned above big: big mae<\/sub> \| all <sub>there \+1\.53<\/sub> \|/);
    expect(section).toMatch(/\| Training \| missed \| 0 of 1 arm <sub>largest gain \+2\.00, big qk<\/sub> \| all <sub>there below \+1\.26<\/sub> \|/);
    expect(section).toContain('| MAE-L, fine-tuned above small: small mae | not measured | \u2013 | \u2013 |');
    expect(section).toContain('Images seen: teacher 9,000; student 4,000.');
    expect(readme.indexOf('**This scale may hide effects')).toBeLessThan(readme.indexOf('What this scale can show'));
    const page = files.get('index.html')!;
    expect(page).toContain('<section id="conditions"');
    for (const text of ['Headroom of 2 pairs', 'href="tables/conditions.csv"', 'Images seen: teacher 9,000; student 4,000.']) expect(page).toContain(text);
    expect(files.get('tables/conditions.csv')!.trimEnd().split('\n')).toEqual([
      'condition,arm,baseline,state,n,value,standard_error,needed,held_out_items',
      expect.stringMatching(/^headroom,teachers\/mae-l,big\/mae,missed,1,0\.01,0\.00509\d*,0\.0152\d*,$/) as string,
      'headroom,teachers/mae-l,small/mae,not measured,0,,,,',
      expect.stringMatching(/^training,big\/qk,,missed,1,0\.02,0\.0126\d*,0\.0126\d*,1000$/) as string,
    ]);
    expect(files.get('report.json')).toContain('tables/conditions.csv');
  });

  test('the same in any order of records', async () => {
    expect(await renderReport(input([...records].reverse()))).toEqual(await renderReport(input(records)));
  });

  test('nowhere for a profile that gives no verdicts, or has too few seeds for any', async () => {
    expect(buildReport(input(records, { ...DECLARED, seeds: [0, 1] })).conditions).toBeUndefined();
    const files = await renderReport(input(records, { ...DECLARED, verdicts: false }));
    expect(files.has('tables/conditions.csv')).toBe(false);
    for (const name of ['README.md', 'index.html']) expect(files.get(name)).not.toMatch(/may hide effects|What this scale can show/);
  });

  test('nor for a study that names no condition', () => {
    const { name, title, note } = study.headroom!;
    const without = { ...study, headroom: { name, title, note, of: (factors: JsonObject) => study.headroom!.of(factors) }, report: { ...study.report, curves: sampleStudy.report.curves } };
    expect(buildReport({ ...input(records), study: without }).conditions).toBeUndefined();
  });
});
