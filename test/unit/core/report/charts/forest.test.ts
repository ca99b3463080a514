/** The forest of all claims and that of a table's arms: what is drawn of whom, and what is not. */
import { beforeAll, describe, expect, test } from 'vitest';
import { bothEnds, MOST_ROWS } from '../../../../../src/core/report/charts/extremes.ts';
import { claimForestTable } from '../../../../../src/core/report/charts/claim-forest.ts';
import { renderFigures, type ReportFigure } from '../../../../../src/core/report/charts/figures.ts';
import type { ForestChart, LineChart } from '../../../../../src/core/report/charts/vega/chart.ts';
import { shortLabels, wrap } from '../../../../../src/core/report/charts/vega/labels.ts';
import { palette } from '../../../../../src/core/report/charts/vega/palette.ts';
import { differenceRange } from '../../../../../src/core/report/charts/vega/range.ts';
import { textWidth } from '../../../../../src/core/report/charts/vega/text-width.ts';
import { buildReport, type ReportInput } from '../../../../../src/core/report/model/build.ts';
import type { Report } from '../../../../../src/core/report/model/model.ts';
import { parseMarkup, type ElementLike } from '../../../../helpers/report/dom.ts';
import { claimedInput, manyArmsInput } from '../../../../helpers/report/claimed.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';
import { sizesInput } from '../../../../helpers/report/sizes.ts';

type Figures = ReadonlyMap<string, ReportFigure>;

const figuresOf = (input: ReportInput): Promise<Figures> => renderFigures(buildReport(input));
const forestOf = (figures: Figures): ForestChart => figures.get('forest')!.chart as ForestChart;
const drawing = ({ wide }: ReportFigure): ElementLike => parseMarkup(wide.svg).querySelector('svg')!;
const texts = (element: ElementLike): string[] => [...element.querySelectorAll('text')].map(text => text.textContent);
const painted = (svg: string): Set<string> => new Set([...svg.matchAll(/(?:fill|stroke)="(#[0-9a-f]{6})"/g)].map(([, colour]) => colour!));

const VERDICT_COLOURS = [palette.agree.light, palette.disagree.light, palette.same.light, palette.near.light, palette.off.light, palette.far.light, palette.opposite.light];

describe('claims of three seeds', () => {
  let report: Report;
  let figures: Figures;
  beforeAll(async () => {
    report = buildReport(claimedInput());
    figures = await renderFigures(report);
  });

  test('a row for each, with the comparison that decides about it: difference, interval, margin and published gap in points', () => {
    const { rows } = forestOf(figures);
    const claims = report.ablations.flatMap(ablation => ablation.claims);
    expect(rows.map(({ label, group }) => [label, group])).toEqual(claims.map(({ sentence }) => [sentence, 'Table 7: Which relations to distill']));
    rows.forEach(({ measured, published, margin }, i) => {
      const { delta, interval, published: gap } = claims[i]!.deciding;
      expect(margin).toBe(0.2);
      expect(published?.value).toBe(gap?.gap);
      expect(measured === undefined).toBe(delta === undefined);
      if (measured === undefined) return;
      expect(measured.value).toBeCloseTo(100 * delta!, 2);
      expect(measured.low).toBeCloseTo(100 * interval!.low, 2);
      expect(measured.high).toBeCloseTo(100 * interval!.high, 2);
    });
  });

  test('a verdict has a word and a shape beside its colour; what has none has neither colour nor sign', () => {
    const { rows } = forestOf(figures);
    expect(rows.map(({ verdict, texts: words }) => [verdict, words.at(-1)])).toEqual([
      ['reproduced', '\u2713 reproduced'],
      ['contradicted', '\u2715 contradicted'],
      ['none', '\u2248 undecided'],
      ['none', '\u2248 undecided'],
      ['none', '\u2248 undecided'],
      ['none', 'not run'],
    ]);
    const svg = drawing(figures.get('forest')!);
    const shapes = (colour: string): number => new Set([...svg.querySelectorAll(`path[fill="${colour}"], g[fill="${colour}"] > path`)].map(path => path.getAttribute('d'))).size;
    expect(shapes(palette.agree.light)).toBe(1);
    expect(shapes(palette.disagree.light)).toBe(1);
    expect(svg.querySelectorAll(`circle[fill="${palette.ink.light}"], g[fill="${palette.ink.light}"] > circle`)).toHaveLength(3);
  });

  test('a claim that is not run has its published mark alone, if there is one', () => {
    const missing = forestOf(figures).rows.at(-1)!;
    expect([missing.measured, missing.published, missing.texts]).toEqual([undefined, undefined, ['\u2013', '\u2013', 'not run']]);
  });

  test('the whole sentence stands in the drawing, on as many lines as it takes', () => {
    for (const { svg } of [figures.get('forest')!.wide, figures.get('forest')!.narrow!]) {
      const words = texts(parseMarkup(svg).querySelector('svg')!).join(' ');
      for (const { label } of forestOf(figures).rows) expect(words).toContain(label);
    }
  });

  test('says what its marks mean, and in words where they stand', () => {
    const { caption, alt } = figures.get('forest')!;
    expect(caption).toContain('(\u25a0 reproduced or supported, \u2715 contradicted or refuted, \u25cf without a verdict), hollow ones published.');
    expect(caption).toContain('what is reproduced or supported has its bar right of it, right of its left edge for \u201cnot below\u201d, inside it for \u201cno different\u201d.');
    expect(alt).toBe(
      'Forest plot of 6 claims and hypotheses in 1 table, each as a difference in test accuracy. 5 measured: 3 agree, 1 disagree, 1 within noise. ' +
        '5 published: 1 in the claimed direction, 1 against it, 3 between. 1 reproduced or supported, 1 contradicted or refuted, 4 without a verdict.',
    );
  });

  test('its numbers stand in a table', () => {
    const table = claimForestTable(report)!;
    const rows = table.rows.filter(({ group }) => group !== true);
    expect(rows.map(({ header }) => header)).toEqual(forestOf(figures).rows.map(({ label }) => label));
    rows.forEach(({ cells }, i) => expect([cells[1]!.text, cells[4]!.text, cells[5]!.text]).toEqual(forestOf(figures).rows[i]!.texts));
    expect(rows[0]!.cells[2]!.text).toMatch(/^\[\+\d\.\d\d, \+\d\.\d\d\]$/);
    expect(rows[0]!.cells[3]!.text).toBe('\u00b10.20');
  });

  test('the seeds of an arm stand beside its mean, all as differences to the default', () => {
    const { rows } = figures.get('relation-result')!.chart as ForestChart;
    for (const { measured, isDefault } of rows) {
      if (isDefault === true) {
        expect(measured).toBeUndefined();
        continue;
      }
      const { value, low, high, seeds } = measured!;
      expect(seeds).toHaveLength(3);
      expect(seeds!.reduce((sum, seed) => sum + seed, 0) / 3).toBeCloseTo(value, 1);
      expect([low! < Math.min(...seeds!), Math.max(...seeds!) < high!]).toEqual([true, true]);
    }
  });
});

describe('one seed', () => {
  test.each([
    ['of several that are declared', claimedInput([0], [0, 1, 2]), '1 of 3 seeds'],
    ['that is all', claimedInput([0]), 'one seed'],
  ])('%s has no colour, no sign and no bar in any chart', async (_, input, word) => {
    const figures = await figuresOf(input);
    expect(forestOf(figures).rows.map(({ texts: words }) => words.at(-1))).toEqual([word, word, word, word, word, 'not run']);
    for (const id of ['forest', 'relation-result']) {
      const { chart, wide, caption } = figures.get(id)!;
      expect([...painted(wide.svg)].filter(colour => VERDICT_COLOURS.includes(colour as never))).toEqual([]);
      expect((chart as ForestChart).rows.filter(({ measured }) => measured?.low !== undefined || measured?.seeds !== undefined)).toEqual([]);
      expect(texts(drawing(figures.get(id)!)).join(' ')).not.toMatch(/[\u2713\u2715]/);
      expect(caption).toContain('No bars');
    }
  });

  test('the orders of tables have no colour either; of several seeds they have', async () => {
    const one = sizesInput();
    const two: ReportInput = {
      ...one,
      profile: { ...one.profile, seeds: [0, 1] },
      records: one.records.flatMap(record => [record, { ...record, key: record.key.replace(/^./, 'f'), seed: 1, uses: record.uses.map(use => ({ ...use, seed: 1 })) }]),
    };
    const colours = async (input: ReportInput): Promise<number> => [...painted((await figuresOf(input)).get('agreement')!.wide.svg)].filter(colour => VERDICT_COLOURS.includes(colour as never)).length;
    expect(await colours(one)).toBe(0);
    expect(await colours(two)).toBeGreaterThan(0);
    expect((await figuresOf(one)).get('agreement')!.caption).toContain('one seed decides nothing');
  });
});

describe('fewer than two points', () => {
  const withArms = (input: ReportInput, arms: readonly string[]): ReportInput => ({
    ...input,
    ablations: input.ablations.map(ablation => ({ ...ablation, claims: [], arms: ablation.arms.filter(({ name }) => arms.includes(name)) })),
  });

  test('two arms are one difference, which is a number and no picture', async () => {
    expect((await figuresOf(withArms(sampleInput(), ['mae', 'qk-vv-softmax']))).has('relation-result')).toBe(false);
    expect((await figuresOf(withArms(sampleInput(), ['mae', 'qk-vv', 'qk-vv-softmax']))).has('relation-result')).toBe(true);
  });

  test('a curve of one point is no curve', async () => {
    const input = sampleInput();
    const short = input.records.map(record => ({ ...record, curves: Object.fromEntries(Object.entries(record.curves).map(([name, points]) => [name, points.slice(0, name === 'loss' ? 1 : 2)])) }));
    const ids = [...(await figuresOf({ ...input, records: short })).keys()];
    expect(ids).toEqual(['relation-result', 'relation-finetune-val_accuracy', 'relation-supervise-val_accuracy']);
  });

  test('an axis of one place is none, nor is an overview of one size', async () => {
    const input = sizesInput();
    const of = (...arms: string[]): ReportInput => ({ ...input, records: input.records.filter(({ uses: [use] }) => arms.includes(use!.arm)) });
    expect([...(await figuresOf(of('scratch-small', 'distilled-small', 'nine', 'nine-norm'))).keys()]).toEqual(['agreement', 'sizes-result']);
    expect([...(await figuresOf(of('scratch-small', 'scratch-large', 'nine', 'six'))).keys()]).toEqual(['overview', 'agreement', 'sizes-result', 'depth-result']);
  });

  test('without a default arm the measured values are drawn, with one they are differences', async () => {
    const values = (await figuresOf(sizesInput())).get('sizes-result')!.chart as ForestChart;
    expect([values.axis, values.sides]).toEqual(['Test accuracy (%)', undefined]);
    expect(values.rows.map(({ measured, published, texts: [text] }) => [measured?.value, published, text])).toEqual([
      [70, undefined, '70.00'],
      [71.5, undefined, '71.50'],
      [72, undefined, '72.00'],
      [undefined, undefined, 'missing'],
    ]);
  });
});

describe('many rows', () => {
  test('300 arms make no chart that is longer than a few screens, and the caption says which are drawn', async () => {
    const figures = await figuresOf(manyArmsInput(300));
    expect([...figures.keys()]).toEqual(['forest', 'relation-result', 'relation-finetune-val_accuracy']);
    for (const { file, wide, narrow = wide } of figures.values()) {
      expect(Math.max(file.height, wide.height)).toBeLessThan(2000);
      expect(narrow.height).toBeLessThan(2700);
    }
    const arms = (figures.get('relation-result')!.chart as ForestChart).rows;
    expect(arms).toHaveLength(MOST_ROWS);
    // The default is the lowest of all.
    expect([arms[0]!.isDefault, arms.at(-1)!.label]).toEqual([true, 'Rate of the student, number 299']);
    expect(figures.get('relation-result')!.caption).toContain(`Of 300 arms the ${MOST_ROWS} furthest to either side are drawn; all stand in the table.`);
    expect(figures.get('forest')!.caption).toContain(`Of 299 hypotheses the ${MOST_ROWS} furthest to either side are drawn`);
    const curves = figures.get('relation-finetune-val_accuracy')!.chart as LineChart;
    expect(new Set(curves.series.map(({ style }) => style)).size).toBe(curves.series.length);
  });

  test('hypotheses of one\u2019s own are none of anybody else, and nothing of them was published', async () => {
    const input = manyArmsInput(4);
    const { alt, caption, wide } = (await figuresOf(input)).get('forest')!;
    expect([alt, caption, ...texts(parseMarkup(wide.svg).querySelector('svg')!)].join('\n')).not.toMatch(/claim|publish|reproduc|contradict|paper/i);
    expect(claimForestTable(buildReport(input))!.columns.map(({ label }) => label)).toEqual(['Compared', 'Measured \u0394', 'Margin', 'Verdict']);
  });

  test('one claim makes a chart of one row', async () => {
    const input = claimedInput();
    const [ablation] = input.ablations;
    const { chart, wide } = (await figuresOf({ ...input, ablations: [{ ...ablation!, claims: ablation!.claims!.slice(0, 1) }] })).get('forest')!;
    expect((chart as ForestChart).rows).toHaveLength(1);
    expect(wide.height).toBeLessThan(150);
  });

  test('both ends are kept, in their order, with what must stay', () => {
    const rows = Array.from({ length: 9 }, (_, i) => i);
    const value = (i: number): number | undefined => (i === 4 ? undefined : (i * 5) % 9);
    expect(bothEnds(rows, value, { most: 9 })).toEqual(rows);
    // By value: 0, 2 (1), 4 (2), 6 (3), 8 (4), 1 (5), 3 (6), 5 (7), 7 (8).
    expect(bothEnds(rows, value, { most: 4 })).toEqual([0, 2, 5, 7]);
    expect(bothEnds(rows, value, { most: 3, kept: i => i === 4 })).toEqual([0, 4, 7]);
  });
});

describe('the axis', () => {
  const has = ([low, high]: readonly [number, number], ...values: number[]): boolean[] => values.map(value => value > low && value < high);

  test('holds all values, zero and the margin', () => {
    expect(has(differenceRange([1, 2, 3], 0.2), 0, -0.2, 1, 3)).toEqual([true, true, true, true]);
    expect(has(differenceRange([-12.65, 15.92, -5, 0.2, 0.3]), -12.65, 15.92)).toEqual([true, true]);
    expect(has(differenceRange([-12, 1]), -12, 1)).toEqual([true, true]);
    expect(has(differenceRange([0, 0], 2), -2, 2)).toEqual([true, true]);
  });

  test('ends before a value far outside, on either side', () => {
    const near = [0.1, -0.4, 0.5, 0.8, 1, -1.2, 0.6];
    for (const far of [90, -90]) {
      const range = differenceRange([...near, far]);
      expect(has(range, far, ...near)).toEqual([false, ...near.map(() => true)]);
      expect(range[1] - range[0]).toBeLessThan(3);
    }
  });

  test('a value beyond it is drawn as a triangle at its end, with its own number beside it', async () => {
    const input = manyArmsInput(12);
    const far = input.records.map(record => (record.uses[0]!.arm === 'arm-3' && record.kind === 'evaluate' ? { ...record, result: { accuracy: 0.01, accuracy_se: 0.001 } } : record));
    const close = far.map(record =>
      record.uses[0]!.arm === 'arm-3' || record.kind !== 'evaluate' ? record : { ...record, result: { accuracy: 0.5 + (record.result['accuracy']! as number) / 1000, accuracy_se: 0.001 } },
    );
    const figure = (await figuresOf({ ...input, records: close })).get('relation-result')!;
    expect(texts(drawing(figure))).toContain('\u221249.05');
    expect(figure.caption).toContain('Triangles at the ends of the axis: values beyond it.');
    const marks = [...drawing(figure).querySelectorAll(`path[fill="${palette.accent.light}"], g[fill="${palette.accent.light}"] > path`)];
    expect(marks).toHaveLength(1);
  });
});

describe('labels', () => {
  test('are wrapped into lines that fit and say all', () => {
    const text = 'Distilling through a student of intermediate size beats distilling from the larger teacher directly.';
    const lines = wrap(text, 200);
    expect(lines.join(' ')).toBe(text);
    expect(Math.max(...lines.map(line => textWidth(line)))).toBeLessThanOrEqual(200);
    expect(Math.min(...lines.map(line => textWidth(line)))).toBeGreaterThan(90);
    expect(wrap('W'.repeat(30), 100).join('')).toBe('W'.repeat(30));
    expect(wrap('W'.repeat(400), 100)).toHaveLength(6);
    expect(wrap('W'.repeat(400), 100).at(-1)).toMatch(/^W+\u2026$/);
  });

  test('are shortened only where that leaves them apart', () => {
    expect(shortLabels(['short', 'The same long beginning, first', 'The same long beginning, second', 'Another that is very long indeed'], 20)).toEqual([
      'short',
      'The same l\u2026ng, first',
      'The same l\u2026g, second',
      'Another that is ver\u2026',
    ]);
    expect(shortLabels(['Equal', 'Equal'], 20)).toEqual(['Equal (1)', 'Equal (2)']);
  });
});
