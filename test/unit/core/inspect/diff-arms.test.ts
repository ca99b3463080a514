import { describe, expect, it } from 'vitest';
import { findArm } from '../../../../src/core/inspect/arm.ts';
import { sharedMeasures } from '../../../../src/core/inspect/diff-arms.ts';
import { sparkline } from '../../../../src/cli/commands/diff.ts';
import { roleDifferences } from '../../../../src/core/plan/difference.ts';
import { loadExperiments } from '../../../../src/core/ablation/load.ts';
import { buildPlan } from '../../../../src/core/plan/plan.ts';
import { valueAt } from '../../../../src/core/report/model/curves.ts';
import { toyExperiments } from '../../../toy/sweep.ts';

const experiments = await loadExperiments(toyExperiments, { profile: 'quick', seeds: '0,1' });
const chosen = { ...experiments, plan: buildPlan(experiments) };

describe('findArm', () => {
  it('gives every replicate', () => {
    expect(findArm(chosen, 'cut/half').replicates.map(r => r.seed)).toEqual([0, 1]);
  });

  it.each([
    ['cut/hlaf', "No arm 'cut/hlaf'; did you mean 'cut/half'?"],
    ['cut', "No arm 'cut'; there are cut/whole, cut/half, cut/none"],
    ['own-root', "No arm 'own-root'; there are variety/own-root"],
    ['nothing/like-it', "No arm 'nothing/like-it'; expected <ablation>/<arm>, e.g. cut/whole"],
  ])('of %s says what there is', (name, message) => {
    expect(() => findArm(chosen, name)).toThrow(message);
  });
});

describe('two arms', () => {
  const [half, none] = ['cut/half', 'cut/none'].map(name => findArm(chosen, name)) as [ReturnType<typeof findArm>, ReturnType<typeof findArm>];
  const study = { ...experiments.study, report: { ...experiments.study.report, measures: { leaves: { role: 'weigh', metric: 'leaves', standardError: 'leaves_se' } } } };
  const by = (...measures: readonly string[]) => ({ ...half, declaration: { ...half.declaration, measures } });

  it('are compared by the numbers that both ablations have, in the order of the first; by the headline where there is none', () => {
    const names = (...arms: Parameters<typeof sharedMeasures> extends [unknown, ...infer Arms] ? Arms : never): string[] => sharedMeasures(study, ...arms).map(({ name }) => name);
    expect(names(half, none)).toEqual(['weight']);
    expect(names(by('leaves', 'weight'), by('weight', 'leaves'))).toEqual(['leaves', 'weight']);
    expect(names(by('leaves', 'weight'), none)).toEqual(['weight']);
    expect(names(by('leaves'), none)).toEqual(['weight']);
  });
});

describe('roleDifferences', () => {
  const roles = (a: string, b: string) => roleDifferences(chosen.plan, findArm(chosen, a).replicates[0]!, findArm(chosen, b).replicates[0]!);

  it('names fields, shared stages, and inputs that differ; the same arm has none', () => {
    expect(roles('cut/half', 'cut/none')).toEqual([
      { role: 'stock', same: true, fields: [], inputs: [] },
      { role: 'tree', same: false, fields: [{ field: 'recipe.cut', a: '0.5', b: '0' }], inputs: [] },
      { role: 'weigh', same: false, fields: [], inputs: [{ slot: 'tree', a: 'tree', b: 'tree' }] },
    ]);
    expect(roles('cut/half', 'variety/oak').map(r => r.same)).toEqual([true, true, true]);
  });

  it('says which arm alone has a role, whichever way round', () => {
    expect(roles('variety/own-root', 'cut/half').map(r => [r.role, r.only])).toEqual([
      ['stock', 'b'],
      ['tree', undefined],
      ['weigh', undefined],
    ]);
    expect(roles('cut/half', 'variety/own-root').map(r => [r.role, r.only])).toEqual([
      ['stock', 'a'],
      ['tree', undefined],
      ['weigh', undefined],
    ]);
  });
});

describe('curves in the terminal', () => {
  it('are read on the line between their points', () => {
    const points: [number, number][] = [
      [1, 10],
      [2, 20],
      [4, 0],
    ];
    expect([1, 1.5, 2, 3, 4].map(epoch => valueAt(points, epoch))).toEqual([10, 15, 20, 10, 0]);
    expect(valueAt([[2, 7]], 2)).toBe(7);
  });

  it('rise and fall between the bounds of both', () => {
    expect(sparkline([0, 7, 3.5], 0, 7)).toBe('▁█▅');
    expect(sparkline([2, 2], 2, 2)).toBe('▁▁');
  });
});
