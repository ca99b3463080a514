import { fileURLToPath } from 'node:url';
import { marked } from 'marked';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadExperiments, type Experiments } from '../../../../../src/core/ablation/load.ts';
import { defaultRecipeTable, defaultRecipeTitle, recipeTable } from '../../../../../src/core/report/tables/appendix.ts';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { recipeCsv } from '../../../../../src/core/report/render/csv.ts';
import type { Report } from '../../../../../src/core/report/model/model.ts';
import type { ArmRecipe } from '../../../../../src/core/report/model/recipes.ts';
import { renderReport } from '../../../../../src/core/report/write.ts';
import { parseMarkup } from '../../../../helpers/report/dom.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';
import { toyExperiments } from '../../../../toy/sweep.ts';

const input = ({ study, profile, ablations }: Experiments) => ({ study, profile, ablations: ablations.map(a => a.declaration), expanded: ablations, records: [] });
const recipeOf = (report: Report, ablation: string, arm: string): ArmRecipe => report.ablations.find(a => a.name === ablation)!.recipes!.find(recipe => recipe.arm === arm)!;

let toy: Experiments;
let report: Report;
beforeAll(async () => {
  toy = await loadExperiments(toyExperiments, { profile: 'quick' });
  report = buildReport(input(toy));
});

describe('recipes of the toy study', () => {
  test('an arm is told apart from the default by the fields that differ', () => {
    const base = toy.ablations.find(a => a.declaration.name === 'cut')!.declaration.default;
    expect(recipeOf(report, 'cut', base)).toMatchObject({ changes: [], likeOthers: [], own: [] });
    const other = recipeOf(report, 'cut', base === 'none' ? 'half' : 'none');
    expect(other.changes).toHaveLength(1);
    expect(other.changes[0]).toMatchObject({ stage: 'tree', field: 'cut', other: expect.stringMatching(/./) as string });
    expect(other.own).toEqual([]);
  });

  test('a default arm is given in full, once for all ablations that have it', () => {
    const names = report.defaultRecipes.flatMap(({ arms }) => arms);
    expect([...names].sort()).toEqual(toy.ablations.map(({ declaration }) => `${declaration.name}/${declaration.default}`).sort());
    const stages = report.defaultRecipes[0]!.stages;
    expect(stages.map(({ stage }) => stage)).toContain('tree');
    expect(stages.find(({ stage }) => stage === 'tree')!.fields.map(({ field }) => field)).toContain('cut');
    expect(defaultRecipeTable(report.defaultRecipes[0]!).rows.map(row => row.header)).toEqual(stages.map(({ stage }) => stage));
    expect(defaultRecipeTitle(report.defaultRecipes[0]!)).toContain(report.defaultRecipes[0]!.arms[0]!);
  });

  test('stand in the page and a CSV, which the README links', async () => {
    const files = await renderReport(input(toy));
    const page = parseMarkup(files.get('index.html')!);
    expect(page.querySelector('#recipes')!.textContent).toBe('Recipes');
    const readme = parseMarkup(marked.parse(files.get('README.md')!, { async: false, gfm: true }));
    expect([...readme.querySelectorAll('a')].map(a => a.getAttribute('href'))).toContain('tables/recipes.csv');
    expect(files.get('tables/recipes.csv')).toBe(recipeCsv(report));
  });

  test('a negative number is a number in the CSV, and a formula is text', () => {
    const fields = ['-1', '-0.5', '-1e-7', '-1+1', '=1', '+1'].map((value, i) => ({ field: `field${i}`, value }));
    const text = recipeCsv({ ...report, ablations: [], defaultRecipes: [{ arms: ['cut/whole'], label: 'Whole', stages: [{ stage: 'tree', fields }] }] })!;
    expect(
      text
        .trim()
        .split('\n')
        .slice(1)
        .map(line => line.split(',')[3]),
    ).toEqual(['-1', '-0.5', '-1e-7', "'-1+1", "'=1", "'+1"]);
  });
});

test('without the factors of its arms a report has no recipes and no mention of them', async () => {
  const plain = buildReport(sampleInput());
  expect(plain.defaultRecipes).toEqual([]);
  expect(recipeTable(plain.ablations[0]!)).toBeUndefined();
  const files = await renderReport(sampleInput());
  expect(files.has('tables/recipes.csv')).toBe(false);
  expect(files.get('README.md')).not.toContain('Recipes');
});

describe('recipes of the paper\u2019s study', () => {
  let whole: Report;
  beforeAll(async () => {
    whole = buildReport(input(await loadExperiments(fileURLToPath(new URL('../../../../../experiments', import.meta.url)), { profile: 'smoke' })));
  });

  test('every arm is its default, or differs from it', () => {
    expect(whole.ablations.flatMap(({ rows }) => rows).length).toBeGreaterThan(0);
    for (const { name, rows, recipes } of whole.ablations) {
      expect(recipes!.map(({ arm }) => arm)).toEqual(rows.map(row => row.name));
      recipes!.forEach(({ arm, changes, own, likeOthers }, i) => {
        expect([name, arm, changes.length + own.length + likeOthers.length === 0]).toEqual([name, arm, rows[i]!.isDefault]);
      });
    }
  });

  test('a factor shows as the field that it changes', () => {
    expect(
      recipeOf(whole, 'drop-path', whole.ablations.find(a => a.name === 'drop-path')!.rows.find(row => !row.isDefault)!.name)
        .changes.map(({ stage, field }) => `${stage}.${field}`)
        .join(),
    ).toMatch(/^distill\.(teacher_)?drop_path/);
  });

  test('stages that the default lacks are given in full once, then by what differs', () => {
    const { recipes } = whole.ablations.find(a => a.name === 'class-token')!;
    const [, first, second] = recipes!;
    expect(first!.own.map(({ stage }) => stage)).toEqual(['teacher', 'distill']);
    expect(second!.own).toEqual([]);
    expect(second!.likeOthers.map(({ stage, label, changes }) => [stage, label, changes.length > 0])).toEqual([
      ['teacher', first!.label, false],
      ['distill', first!.label, true],
    ]);
    expect(first!.changes).toContainEqual({ stage: 'pretrain', field: '', value: undefined, other: 'has this stage' });
  });
});
