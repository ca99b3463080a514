import { describe, expect, test } from 'vitest';
import type { ArmDeclaration, Published } from '../../../../../src/core/ablation/declaration.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { resultTable, withoutEmptyColumns, NONE, right, type Table } from '../../../../../src/core/report/tables/results.ts';
import { besideText, twoWayTable } from '../../../../../src/core/report/tables/two-way.ts';
import { accuracyRecords, cell, type Accuracies } from '../../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../../helpers/report/sample.ts';

/** Named by row and column; a published value where there is one. */
function crossed(places: readonly (readonly [row: string, column: string])[], accuracies: Accuracies, published: Readonly<Record<string, number>> = {}): Table | undefined {
  const arms = places.map((place): ArmDeclaration<object> => {
    const name = place.join('-').toLowerCase();
    const value: Published | undefined = published[name] === undefined ? undefined : cell(published[name]);
    return { name, label: place.join(', '), factors: {}, crossed: place, ...(value === undefined ? {} : { published: value }) };
  });
  const ablation = { name: 'grid', title: 'A grid', table: 'Table 1', question: 'q', expected: 'e', base: {}, default: arms[0]!.name, arms };
  const records = accuracyRecords(Object.fromEntries(Object.entries(accuracies).map(([name, values]) => [`grid/${name}`, values])));
  const report = buildReport({ study: sampleStudy, profile: { name: 'sample', seeds: [0] }, ablations: [ablation], records });
  return twoWayTable(report.ablations[0]!);
}

const places = (rows: readonly string[], columns: readonly string[]) => rows.flatMap(row => columns.map(column => [row, column] as const));
const shown = (table: Table | undefined): string[][] | undefined =>
  table?.rows.map(({ header, cells }) => [header, ...cells.map(({ text, detail }) => `${text}${detail === undefined ? '' : ` (${detail})`}`)]);

describe('table of two crossed axes', () => {
  const full = places(['A', 'B'], ['X', 'Y', 'Z']);

  test('has every mean, and means of rows, columns and all', () => {
    const table = crossed(full, { 'a-x': [0.7], 'a-y': [0.72], 'a-z': [0.74], 'b-x': [0.8], 'b-y': [0.6], 'b-z': [0.7] }, { 'a-x': 80, 'a-y': 82 });
    expect(table!.columns.map(({ label }) => label)).toEqual(['X', 'Y', 'Z', 'Mean']);
    expect(shown(table)).toEqual([
      ['A', '70.00 (80.0)', '72.00 (82.0)', '74.00', '72.00'],
      ['B', '80.00', '60.00', '70.00', '70.00'],
      ['Mean', '75.00', '66.00', '72.00', '71.00'],
    ]);
    expect(table!.rows.flatMap(({ cells }) => cells.filter(({ tone }) => tone === 'strong').map(({ text }) => text))).toEqual(['80.00']);
    expect(table!.caption).toBe('Measured with one seed; small: published. Mean: where every arm of the row or column has a value');
  });

  test('has the means of complete rows and columns alone', () => {
    const table = crossed(full, { 'a-x': [0.7], 'a-y': [0.72], 'a-z': [0.74], 'b-x': [0.8], 'b-y': [0.6] });
    expect(shown(table)).toEqual([
      ['A', '70.00', '72.00', '74.00', '72.00'],
      ['B', '80.00', '60.00', 'missing', '\u2013'],
      ['Mean', '75.00', '66.00', '\u2013', '\u2013'],
    ]);
  });

  test('of published values too where all of a row have one', () => {
    const table = crossed(places(['A', 'B'], ['X', 'Y']), { 'a-x': [0.7] }, { 'a-x': 80, 'a-y': 83, 'b-x': 81 });
    expect(shown(table)).toEqual([
      ['A', '70.00 (80.0)', 'missing (83.0)', '\u2013 (81.5)'],
      ['B', 'missing (81.0)', 'missing', '\u2013'],
      ['Mean', '\u2013 (80.5)', '\u2013', '\u2013'],
    ]);
  });

  test('may lack a few of its cells, not more', () => {
    const all = { 'a-x': [0.7], 'b-y': [0.7] };
    expect(crossed(full.slice(0, 5), all)!.rows[1]!.cells[2]).toBe(NONE);
    expect(crossed(full.slice(0, 4), all)).toBeUndefined();
  });

  test('stands upright where it has many columns', () => {
    const wide = crossed(places(['A', 'B'], ['S', 'T', 'U', 'V', 'W', 'X']), { 'a-s': [0.7] });
    expect([wide!.columns.map(({ label }) => label), wide!.rows.map(({ header }) => header)]).toEqual([
      ['A', 'B', 'Mean'],
      ['S', 'T', 'U', 'V', 'W', 'X'],
    ]);
  });

  test.each([
    ['a single row', places(['A'], ['X', 'Y', 'Z']), { 'a-x': [0.7] }],
    ['nothing measured', full, {}],
  ])('there is none of %s', (_, of, accuracies) => expect(crossed(of, accuracies as Accuracies)).toBeUndefined());

  test('there is none where two arms have one place, nor of arms without places', () => {
    const report = buildReport({
      study: sampleStudy,
      profile: { name: 'sample', seeds: [0] },
      ablations: [[...full, ['A', 'X'] as const], full.map(() => undefined)].map((of, k) => ({
        name: `of-${k}`,
        title: 'A grid',
        table: 'Table 1',
        question: 'q',
        expected: 'e',
        base: {},
        default: 'arm-0',
        arms: of.map((place, i) => ({ name: `arm-${i}`, label: `Arm ${i}`, factors: {}, ...(place === undefined ? {} : { crossed: place }) })),
      })),
      records: accuracyRecords({ 'of-0/arm-0': [0.7], 'of-1/arm-0': [0.7] }),
    });
    expect(report.ablations.map(twoWayTable)).toEqual([undefined, undefined]);
    expect(report.ablations.map(besideText)).toEqual([undefined, undefined]);
    expect(withoutEmptyColumns(resultTable(report.ablations[1]!)).columns.map(({ label }) => label)).toEqual(['Test accuracy (%)']);
  });
});

test('columns in which no row says anything are left out, and their cells', () => {
  const table: Table = {
    subject: 's',
    caption: 'c',
    corner: 'Arm',
    columns: ['a', 'b', 'c'].map(right),
    rows: [
      { header: 'group', group: true, cells: [] },
      { header: 'one', cells: [{ text: '1' }, NONE, NONE] },
      { header: 'two', cells: [NONE, NONE, { ...NONE, detail: 'of 3' }] },
    ],
    notes: [],
  };
  expect(withoutEmptyColumns(table)).toMatchObject({ columns: [{ label: 'a' }, { label: 'c' }], rows: [{ cells: [] }, { cells: [{ text: '1' }, NONE] }, { cells: [NONE, { detail: 'of 3' }] }] });
});
