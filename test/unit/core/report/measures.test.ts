/** Arms that are compared by several numbers: each has its own table, picture, published values and direction. */
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { defineKind, z } from '../../../../src/core/ablation/define.ts';
import type { AblationDeclaration, ArmDeclaration, ProfileBase, Study } from '../../../../src/core/ablation/declaration.ts';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import { parseAblation } from '../../../../src/core/ablation/validate.ts';
import { buildPlan, planExperiments } from '../../../../src/core/plan/plan.ts';
import { compareReports } from '../../../../src/core/report/baseline/baseline.ts';
import { changeSentence } from '../../../../src/core/report/baseline/sentences.ts';
import { armTable } from '../../../../src/core/report/baseline/tables.ts';
import { claimForest, claimForestCaption } from '../../../../src/core/report/charts/claim-forest.ts';
import { renderFigures } from '../../../../src/core/report/charts/figures.ts';
import { buildReport, type ReportInput } from '../../../../src/core/report/model/build.ts';
import type { ReportRecord } from '../../../../src/core/report/records/records.ts';
import { claimCsv, contentsCsv, resultCsv } from '../../../../src/core/report/render/csv.ts';
import { renderHtml } from '../../../../src/core/report/render/html/html.ts';
import { plainLatex, resultLatex } from '../../../../src/core/report/render/latex.ts';
import { renderMarkdown } from '../../../../src/core/report/render/markdown.ts';
import { claimTable } from '../../../../src/core/report/tables/claims.ts';
import { foldedTable, plainTable } from '../../../../src/core/report/tables/plain.ts';
import { resultTable, withoutEmptyColumns } from '../../../../src/core/report/tables/results.ts';
import { cell } from '../../../helpers/report/claims.ts';
import { sampleKey, sampleStudy } from '../../../helpers/report/sample.ts';

const share = (label: string, better: 'higher' | 'lower') => ({ label, unit: 'fraction' as const, better, help: 'sample' });
const robustness = defineKind({
  name: 'robustness',
  revision: 1,
  recipe: z.record(z.string(), z.json()),
  upstream: {},
  metrics: {
    shifted: { ...share('shifted accuracy', 'higher'), doubtful: { below: 0.1, why: 'that is chance' } },
    shifted_se: share('error', 'lower'),
    mce: share('mCE', 'lower'),
    mce_se: share('error', 'lower'),
  },
  cost: () => ({ labelledImages: 0, unlabelledImages: 0, flops: 0 }),
  load: () => Promise.reject(new Error('Sample stages do not run.')),
});

const study: Study = {
  ...sampleStudy,
  kinds: [...sampleStudy.kinds, robustness],
  report: {
    ...sampleStudy.report,
    ownRoles: [...sampleStudy.report.ownRoles, 'robustness'],
    measures: {
      shifted: { role: 'robustness', metric: 'shifted', standardError: 'shifted_se', label: p => `shifted accuracy of ${p.name}` },
      mce: { role: 'robustness', metric: 'mce', standardError: 'mce_se' },
    },
  },
};

const profile: ProfileBase = { name: 'sample', seeds: [0, 1, 2], verdicts: { margin: 0.16, source: 'invented for the test' } };

const values = (accuracy: number, shifted: number, mce: number) => ({ accuracy: cell(accuracy), shifted: cell(shifted, '%'), mce: cell(mce, '% mCE') });
const arm = (name: string, published: ArmDeclaration<object>['published']): ArmDeclaration<object> => ({ name, label: name.toUpperCase(), factors: {}, ...(published && { published }) });

const ablation: AblationDeclaration<object> = {
  name: 'robust',
  title: 'Robustness',
  table: 'Table 4',
  question: 'q',
  expected: 'e',
  measures: ['accuracy', 'shifted', 'mce'],
  base: {},
  default: 'student',
  arms: [arm('student', values(85, 43, 32.7)), arm('mae', values(83.6, 33.6, 37.8)), arm('scratch', values(81.2, 25.8, 36.8))],
  references: [
    { label: 'Other', published: { accuracy: cell(84), mce: cell(40, '% mCE') } },
    { label: 'Another', published: cell(82) },
  ],
  claims: [
    { name: 'fewer-errors', sentence: 'The student makes fewer errors.', source: 'section 1', parts: [{ type: 'greater', arm: 'student', than: 'mae', measure: 'mce' }] },
    {
      name: 'best-everywhere',
      sentence: 'The student is best.',
      source: 'section 1',
      parts: ['accuracy', 'shifted', 'mce'].map(measure => ({ type: 'best' as const, arm: 'student', of: ['mae', 'scratch'], measure })),
    },
    { name: 'mae-less-robust', sentence: 'MAE makes more errors than from scratch.', source: 'section 1', parts: [{ type: 'greater', arm: 'scratch', than: 'mae', measure: 'mce' }] },
  ],
};

/** Seeds differ by a little, differently for each arm. */
const wobble = (seed: number, place: number): number => 0.001 * (((seed + place) % 3) - 1);

function records(numbers: Readonly<Record<string, readonly [accuracy: number, shifted: number, mce: number]>>, seeds: readonly number[] = [0, 1, 2]): ReportRecord[] {
  const cost = { labelledImages: 10, unlabelledImages: 0, flops: 1 };
  return Object.entries(numbers).flatMap(([name, [accuracy, shifted, mce]], place) =>
    seeds.flatMap((seed): ReportRecord[] => {
      const of = (role: string, result: Record<string, number>): ReportRecord => ({
        key: sampleKey(name, role, seed),
        kind: role,
        seed,
        state: 'done',
        uses: [{ ablation: 'robust', arm: name, seed, role }],
        result,
        cost,
        curves: {},
      });
      const by = wobble(seed, place);
      return [of('evaluate', { accuracy: accuracy + by, accuracy_se: 0.004 }), of('robustness', { shifted: shifted + 2 * by, shifted_se: 0.005, mce: mce - by, mce_se: 0.006 })];
    }),
  );
}

const measured = { student: [0.8, 0.5, 0.7], mae: [0.78, 0.45, 0.8], scratch: [0.77, 0.4, 1] } as const;
const input = (of: Readonly<Record<string, readonly [number, number, number]>> = measured): ReportInput => ({ study, profile, ablations: [ablation], records: records(of) });
const report = buildReport(input());
const [table] = report.ablations as [(typeof report.ablations)[number]];
const [shifted, mce] = table.others as [typeof table, typeof table];

describe('the numbers of an ablation', () => {
  test('each has a table of its own, with its values, published ones and direction', () => {
    expect([table, shifted, mce].map(({ measure }) => [measure.name, measure.label, measure.better])).toEqual([
      ['accuracy', 'test accuracy', 'higher'],
      ['shifted', 'shifted accuracy of sample', 'higher'],
      ['mce', 'mCE', 'lower'],
    ]);
    expect(mce.rows.map(({ measured: m, published: p }) => [m?.mean.toFixed(3), p?.value])).toEqual([
      ['0.700', 32.7],
      ['0.800', 37.8],
      ['1.000', 36.8],
    ]);
    expect(mce.rows.map(({ delta }) => delta?.value.toFixed(3))).toEqual([undefined, '0.100', '0.300']);
    // The paper separates MAE and scratch the other way round.
    expect(mce.order).toMatchObject({ same: 2, opposite: 1 });
  });

  test('the best is the least where less is better', () => {
    const strong = (of: typeof table) =>
      resultTable(of)
        .rows.filter(({ cells }) => cells[1]!.tone === 'strong')
        .map(({ header }) => header);
    expect([table, shifted, mce].map(strong)).toEqual([['STUDENT'], ['STUDENT'], ['STUDENT']]);
    expect(withoutEmptyColumns(resultTable(mce)).columns[0]!.label).toBe('mCE (%)');
  });

  test('a stage that gives another number is not charged to this one', () => {
    // Of one replicate: the evaluation, or the test of robustness.
    expect([table, shifted, mce].map(({ rows }) => rows[0]!.cost?.labelledImages)).toEqual([10, 10, 10]);
  });

  test('published rows that are never run stand with each number that they have', () => {
    expect([table, shifted, mce].map(({ references }) => references.map(({ label, value }) => [label, value]))).toEqual([
      [
        ['Other', 84],
        ['Another', 82],
      ],
      [],
      [['Other', 40]],
    ]);
  });

  test('what puts a stage of any of them in doubt is told of the table', () => {
    const { warnings } = buildReport(input({ ...measured, mae: [0.78, 0.05, 0.8] })).ablations[0]!;
    expect(table.warnings).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('that is chance')]);
  });

  test('an arm without one of the numbers is missing there alone', () => {
    const without = buildReport({ ...input(), records: records(measured).filter(({ kind, uses }) => kind !== 'robustness' || uses[0]!.arm !== 'mae') }).ablations[0]!;
    expect(without.rows.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect(without.others.map(({ rows }) => rows.map(({ state }) => state))).toEqual([
      ['done', 'missing', 'done'],
      ['done', 'missing', 'done'],
    ]);
  });
});

describe('claims', () => {
  test('better is lower where lower is better, in measured and published numbers', () => {
    const [fewer, best, less] = report.ablations[0]!.claims as [(typeof table.claims)[number], (typeof table.claims)[number], (typeof table.claims)[number]];
    expect([fewer.verdict, fewer.published, fewer.deciding.published?.gap]).toEqual(['reproduced', 'supports', 5.1]);
    expect(fewer.deciding.delta).toBeCloseTo(0.1, 9);
    expect([best.verdict, best.pairs.length]).toEqual(['reproduced', 6]);
    // As published, and the other way round than measured.
    expect([less.verdict, less.published]).toEqual(['contradicted', 'supports']);
  });

  test('say by which number, and how its difference is turned', () => {
    const rows = claimTable(table)!.rows.map(({ header, detail }) => `${header} ${detail}`);
    expect(rows[0]).toContain('STUDENT below MAE, mCE');
    expect(rows.filter(row => row.includes('STUDENT above MAE, shifted accuracy of sample'))).toHaveLength(1);
    const chart = claimForest(report)!;
    expect(chart.axis).toBe('Difference, above zero better (points)');
    expect(claimForestCaption(report, chart)).not.toContain('mCE');
    expect(renderMarkdown(report, new Map())).toContain('Differences in mCE, of which less is better, are turned round');
  });
});

describe('files', () => {
  test('CSV has a row for each arm and number', () => {
    const rows = parse<Record<string, string>>(resultCsv(table), { columns: true });
    expect(rows.map(row => [row['measure'], row['arm'], row['published']])).toEqual(
      (['accuracy', 'shifted', 'mce'] as const).flatMap(measure => ablation.arms.map(({ name, published }) => [measure, name, String((published as ReturnType<typeof values>)[measure].value)])),
    );
    expect(parse<Record<string, string>>(claimCsv(report)!, { columns: true })[0]).toMatchObject({ measure: 'mce', delta: '0.1', published_gap: '5.1' });
    expect(parse<Record<string, string>>(contentsCsv(report), { columns: true }).map(row => [row['measure'], row['claims'], row['pairs_same']])).toEqual([
      ['accuracy', '3', '3'],
      ['shifted', '0', '3'],
      ['mce', '0', '2'],
    ]);
  });

  test('the plain table has all numbers side by side, as a paper prints them', () => {
    const { columns, rows, caption } = plainTable(report, table);
    expect(columns.map(({ label }) => label)).toEqual(['Test accuracy (%) \u2191', 'Published', 'Shifted accuracy of sample (%) \u2191', 'Published', 'mCE (%) \u2193', 'Published']);
    expect(rows[0]!.cells.map(({ text }) => text)).toEqual(['80.00', '85.0', '50.00', '43.0', '70.00', '32.7']);
    expect(rows[1]!.cells.every(({ tone }) => tone !== 'strong')).toBe(true);
    expect(caption).toBe('Robustness (Table 4), mean \u00b1 standard deviation, 3 seeds, profile sample');
    expect(plainLatex(report, table)).toContain('$\\downarrow$');
    expect(resultLatex(report, table).match(/\\label\{tab:[^}]*\}/g)).toEqual(['\\label{tab:robust}', '\\label{tab:robust-shifted}', '\\label{tab:robust-mce}']);
  });

  test('a README has half of its columns: what is published stands below what was measured', () => {
    const { columns, rows } = foldedTable(plainTable(report, table));
    expect(columns.map(({ label }) => label)).toEqual(['Test accuracy (%) \u2191', 'Shifted accuracy of sample (%) \u2191', 'mCE (%) \u2193']);
    expect(rows[0]!.cells.map(({ text, detail }) => [text, /published [\d.]+$/.exec(detail!)?.[0]])).toEqual([
      ['80.00', 'published 85.0'],
      ['50.00', 'published 43.0'],
      ['70.00', 'published 32.7'],
    ]);
  });

  test('page and README have each number', async () => {
    const figures = await renderFigures(report);
    expect([...figures.keys()]).toEqual(expect.arrayContaining(['robust-result', 'robust-shifted-result', 'robust-mce-result']));
    const page = renderHtml(report, figures, { script: '' });
    expect(page.match(/<summary>[^<]*<\/summary>/g)).toEqual(
      expect.arrayContaining(['<summary>mCE: differences to the default</summary>', '<summary>Shifted accuracy of sample: differences to the default</summary>']),
    );
    const readme = renderMarkdown(report, figures);
    expect(readme).toContain('mCE (%) \u2193');
    expect(readme.match(/36\.8/g)).toHaveLength(1);
  });
});

test('a comparison of two reports has a line for each number that changed', () => {
  const worse = { ...measured, mae: [0.78, 0.45, 0.9] } as const;
  const changes = compareReports(input(worse), { label: 'main', ahead: false, records: records(measured), engines: {}, claims: undefined });
  expect(changes.arms.map(({ name, outcome }) => [name, outcome])).toEqual([['robust/mae mce', 'worse']]);
  expect(armTable(changes)!.caption).toBe('Arms that changed: mCE (%)');
  expect(changeSentence(changes)).toContain('Robustness, MAE, mCE: mean of 3 seeds = 90.00 (80.00 before), worse.');
  expect([changes.now.arms, changes.sameArms, changes.vanished]).toEqual([3, 8, 0]);
  expect(compareReports(input({ ...measured, mae: [0.78, 0.45, 0.7] }), { label: 'main', ahead: false, records: records(measured), engines: {}, claims: undefined }).arms[0]!.outcome).toBe('better');
});

describe('declarations', () => {
  const refused = (change: Partial<AblationDeclaration<object>>): string => {
    try {
      parseAblation({ ...ablation, ...change, arms: (change.arms ?? ablation.arms).map(each => ({ ...each })) }, 'robust.ts', 'robust', study);
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    return '';
  };
  // What a quote is for is another test's matter.
  const quoted = ablation.arms.map(({ published, ...rest }) => ({
    ...rest,
    published: Object.fromEntries(Object.entries(published!).map(([name, of]) => [name, { ...(of as object), quote: 'q' }])),
  })) as unknown as AblationDeclaration<object>['arms'];
  const good = { arms: quoted, references: [] };

  test('names of numbers are those of the study, and of the ablation where one is meant', () => {
    expect(refused(good)).toBe('');
    expect(refused({ ...good, measures: ['accuracy', 'shifted', 'mcee'] })).toContain("measures[2]: expected one of accuracy, shifted, mce, got 'mcee'; did you mean 'mce'?");
    expect(refused({ ...good, measures: ['accuracy', 'accuracy', 'shifted', 'mce'] })).toContain("measures[1]: 'accuracy' is already taken by measures[0]");
    expect(refused({ ...good, measures: ['accuracy', 'shifted'] })).toContain("arms[0].published.mce: expected one of accuracy, shifted, got 'mce'");
    expect(refused({ ...good, claims: [{ name: 'c', sentence: 's', parts: [{ type: 'greater', arm: 'student', than: 'mae', measure: 'loss' }] }] })).toContain(
      "claims[0].parts[0].measure: expected one of accuracy, shifted, mce, got 'loss'",
    );
  });

  test('a slip in one published value is told at its field', () => {
    const [first, ...others] = quoted;
    const wrong = { ...first!, published: { ...first!.published, mce: { ...(first!.published as ReturnType<typeof values>).mce, value: 'high' } } } as unknown as (typeof quoted)[number];
    expect(refused({ ...good, arms: [wrong, ...others] })).toContain("arms[0].published.mce.value: expected number, got 'high' (string)");
    const single = { ...first!, published: { value: 'high' } } as unknown as (typeof quoted)[number];
    expect(refused({ ...good, arms: [single, ...others] })).toContain("arms[0].published.value: expected number, got 'high' (string)");
  });
});

describe('the plan', () => {
  const stage = (kind: string, role: string) => ({ kind, role, recipe: {}, seed: 0, upstream: {} });
  const planOf = (realise: Study['realise'], measures: readonly string[] = ['accuracy', 'mce']) => {
    const arms = [{ ablation: 'robust', name: 'student', label: 'Student', factors: {} }];
    return buildPlan({ study: { ...study, realise }, profile, ablations: [{ declaration: { ...ablation, measures }, arms }], seeds: [0] });
  };

  test('has the last stage of each number, whichever way it is asked', () => {
    const asked: string[][] = [];
    const { arms, stages } = planOf((_, _p, _s, measures) => {
      asked.push([...measures]);
      return [stage('robustness', 'robustness'), stage('evaluate', 'evaluate')];
    });
    expect(asked).toEqual([['accuracy', 'mce']]);
    expect(arms[0]!.finals.map(key => stages.get(key)!.kind)).toEqual(['robustness', 'evaluate']);
    expect(stages.get(arms[0]!.final)!.kind).toBe('evaluate');
  });

  test('has those that the profile can measure, and no arm that has none', () => {
    const { arms, stages } = planOf(() => [stage('robustness', 'robustness')]);
    expect(stages.get(arms[0]!.final)!.kind).toBe('robustness');
    expect(planOf(() => [])).toEqual({ stages: new Map(), arms: [] });
    const chosen = {
      study: { ...study, realise: () => [] },
      profile,
      ablations: [{ declaration: ablation as never, arms: [{ ablation: 'robust', name: 'student', label: 'Student', factors: {} }] }],
      seeds: [0],
    };
    expect(() => planExperiments({ ...chosen, dir: '.', overrides: [] })).toThrow(
      'Expected a profile that measures accuracy or shifted or mce, by which arms of robust are compared, got sample, which does not.',
    );
  });

  test('leaves out an ablation of which the profile measures nothing', () => {
    const named = (name: string) => ({ declaration: { ...ablation, name } as never, arms: [{ ablation: name, name: 'student', label: 'Student', factors: { of: name } }] });
    const { ablations } = planExperiments({
      study: { ...study, realise: factors => (JSON.stringify(factors).includes('robust') ? [stage('robustness', 'robustness')] : []) },
      profile,
      ablations: [named('other'), named('robust')],
      seeds: [0],
      dir: '.',
      overrides: [],
    });
    expect(ablations.map(({ declaration }) => declaration.name)).toEqual(['robust']);
  });
});
