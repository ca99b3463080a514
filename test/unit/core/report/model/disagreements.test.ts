import { describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { disagreementSentence } from '../../../../../src/core/report/model/disagreements.ts';
import type { Disagreement } from '../../../../../src/core/report/model/model.ts';
import { disagreementAnchor } from '../../../../../src/core/report/tables/anchors.ts';
import { accuracyRecords, cell, claim, claimAblation, type Accuracies } from '../../../../helpers/report/claims.ts';
import { sampleStudy } from '../../../../helpers/report/sample.ts';
import type { AblationDeclaration, Claim } from '../../../../../src/core/ablation/declaration.ts';

const ARMS = ['a', 'b', 'c'];
const published = { a: cell(84), b: cell(83), c: cell(82) };
const found = (ablations: readonly AblationDeclaration<object>[], accuracies: Accuracies, seeds = 1): readonly Disagreement[] =>
  buildReport({ study: sampleStudy, profile: { name: 'p', seeds: Array.from({ length: seeds }, (_, i) => i) }, ablations, records: accuracyRecords(accuracies) }).disagreements;
/** The paper has a first, then b, then c; a is the default. */
const table = (name: string, claims: readonly Claim[] = []): AblationDeclaration<object> => claimAblation(name, ARMS, claims, published);

describe('the largest disagreements', () => {
  test('are measured differences of the other sign, the one with most standard errors of each ablation', () => {
    const list = found([table('x'), table('y'), table('z'), table('agrees')], {
      'x/a': [0.8],
      'x/b': [0.82],
      'x/c': [0.81],
      'y/a': [0.8],
      'y/b': [0.75],
      'y/c': [0.85],
      'z/a': [0.8],
      'z/b': [0.83],
      'z/c': [0.7],
      'agrees/a': [0.8],
      'agrees/b': [0.75],
      'agrees/c': [0.7],
    });
    expect(list.map(({ ablation, arm, than }) => [ablation, arm, than])).toEqual([
      ['y', 'A', 'C'],
      ['z', 'A', 'B'],
      ['x', 'A', 'B'],
    ]);
    expect(list[0]!.delta).toBeCloseTo(-0.05, 12);
    expect(list[0]!.published).toBe(2);
    // One seed: the error of the test set, both arms as independent.
    expect(list[0]!.standardErrors).toBeCloseTo(0.05 / (Math.SQRT2 * 0.0036), 9);
  });

  test('no more than three are shown, earlier ablations first among equals', () => {
    const names = ['v', 'w', 'x', 'y'];
    const accuracies = Object.fromEntries(
      names.flatMap((name, i) => [
        [`${name}/a`, [0.8 + i / 100]],
        [`${name}/b`, [0.82 + i / 100 + i / 1e5]],
        [`${name}/c`, [0.7]],
      ]),
    );
    expect(
      found(
        names.map(name => table(name)),
        accuracies,
      ).map(({ ablation }) => ablation),
    ).toEqual(['y', 'x', 'w']);
  });

  test('the same runs in another table are no second disagreement', () => {
    const values = { a: [0.8], b: [0.83], c: [0.7] };
    const twice = Object.fromEntries(['x', 'y'].flatMap(name => ARMS.map(arm => [`${name}/${arm}`, values[arm as 'a']])));
    expect(found([table('x'), table('y')], twice).map(({ ablation }) => ablation)).toEqual(['x']);
  });

  test('three seeds: the standard error of the differences; two: still that of the test set', () => {
    const three = found([table('x')], { 'x/a': [0.8, 0.8, 0.8], 'x/b': [0.81, 0.82, 0.83] }, 3);
    expect(three[0]!.standardErrors).toBeCloseTo(0.02 / (0.01 / Math.sqrt(3)), 6);
    const two = found([table('x')], { 'x/a': [0.8, 0.8], 'x/b': [0.81, 0.83] }, 2);
    expect(two[0]!.standardErrors).toBeCloseTo(0.02 / (Math.SQRT2 * 0.0036), 6);
  });

  test('a claim is named, and arms that no default is compared with can be in one', () => {
    const x = table('x', [claim([{ type: 'greater', arm: 'b', than: 'c' }], { name: 'b-above-c' })]);
    const [first] = found([x], { 'x/a': [0.9], 'x/b': [0.8], 'x/c': [0.85] });
    expect(first).toMatchObject({ arm: 'B', than: 'C', claim: 'b-above-c', published: 1 });
    expect(disagreementAnchor(first!)).toBe('claim-x--b-above-c');
    expect(disagreementAnchor({ ...first!, claim: undefined })).toBe('ablation-x');
  });

  test('a sentence that the paper\u2019s own table denies is no disagreement with the paper', () => {
    const x = table('x', [claim([{ type: 'greater', arm: 'c', than: 'b' }])]);
    expect(found([x], { 'x/a': [0.9], 'x/b': [0.85], 'x/c': [0.8] })).toEqual([]);
  });

  test('within noise nothing disagrees, and without results neither', () => {
    expect(found([table('x')], { 'x/a': [0.8], 'x/b': [0.803], 'x/c': [0.802] })).toEqual([]);
    expect(found([table('x')], {})).toEqual([]);
  });
});

test('a sentence says both sides', () => {
  const one: Disagreement = { ablation: 'x', title: 'X', table: 'Table 1', arm: 'A', than: 'B', delta: -0.021, standardErrors: 4.56, n: 1, published: 1, claim: undefined };
  expect(disagreementSentence(one, 'fraction')).toBe('A is 2.10 points below B (4.6 standard errors); the paper has it 1.0 above.');
  expect(disagreementSentence({ ...one, published: 0, standardErrors: Infinity }, 'fraction')).toBe('A is 2.10 points below B; the paper has them level.');
  expect(disagreementSentence({ ...one, published: undefined }, 'fraction')).toContain('the paper has it the other way round.');
});
