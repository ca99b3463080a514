import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/ablation/kind.ts';
import { keyOf } from '../../../../src/core/ablation/identity.ts';
import { buildPlan, type Plan } from '../../../../src/core/plan/plan.ts';
import { earlierStages } from '../../../../src/core/plan/revisions.ts';
import study from '../../../toy/experiments/study.ts';

/** The toy study with other revisions of its kinds; a tree grafted on a stock, and one on its own root. */
function planAt(revisions: Readonly<Record<string, number>>, grafted = true): Plan {
  const kinds = study.kinds.map(kind => ({ ...kind, revision: revisions[kind.name] ?? 1 }));
  const arm = { ablation: 'a', name: 'x', label: 'x', factors: study.factors.parse({ grafted }) };
  const profile = { name: 'p', seeds: [3], steps: 2, milliseconds: 0 };
  return buildPlan({ study: { ...study, kinds }, profile, ablations: [{ declaration: { name: 'a' }, arms: [arm] }] as never, seeds: [3] });
}
const final = (plan: Plan): string => plan.arms[0]!.final;

describe('earlierStages', () => {
  it('has none where no revision was ever raised', () => {
    const plan = planAt({});
    for (const key of plan.stages.keys()) expect(earlierStages(plan)(key)).toEqual([]);
  });

  it('are the keys that a plan of those revisions gave, with the kinds that were lower, each once', () => {
    const now = planAt({ seedling: 2, graft: 3, weigh: 2 });
    const found = earlierStages(now)(final(now));
    const expected = [1, 2].flatMap(seedling => [1, 2, 3].flatMap(graft => [1, 2].map(weigh => ({ seedling, graft, weigh })))).filter(({ seedling, graft, weigh }) => seedling + graft + weigh < 7);
    expect(found).toHaveLength(expected.length);
    for (const revisions of expected) {
      const stage = found.find(({ key }) => key === final(planAt(revisions)));
      const lower = Object.fromEntries(Object.entries(revisions).filter(([kind, revision]) => revision < { seedling: 2, graft: 3, weigh: 2 }[kind]!));
      expect(stage).toMatchObject({ revisions: lower, age: 7 - revisions.seedling - revisions.graft - revisions.weigh });
    }
  });

  it('give a kind that stands at several places one revision', () => {
    const now = planAt({ seedling: 2 }, false);
    expect(earlierStages(now)(final(now)).map(({ key }) => key)).toEqual([final(planAt({}, false))]);
  });

  it('do not know a stage of another recipe, nor one that is not planned', () => {
    const now = planAt({ seedling: 2 });
    const [stock] = [...now.stages.values()];
    const { kind, recipe, seed, upstream } = stock!;
    const other = keyOf({ kind, revision: 1, recipe: { ...recipe, steps: 9 }, seed, upstream });
    expect(earlierStages(now)(stock!.key).map(({ key }) => key)).not.toContain(other);
    expect(earlierStages(now)('0'.repeat(32))).toEqual([]);
  });

  it('are none of a recipe whose numbers stayed when its kind was raised for others', () => {
    const changed = (steps: number): Plan => {
      const kinds = study.kinds.map(kind => ({ ...kind, revision: 2, changedIn: ({ steps: of }: JsonObject) => (of === steps ? 2 : 1) }));
      const arm = { ablation: 'a', name: 'x', label: 'x', factors: study.factors.parse({ grafted: false }) };
      return buildPlan({
        study: { ...study, kinds },
        profile: { name: 'p', seeds: [3], steps: 2, milliseconds: 0 } as never,
        ablations: [{ declaration: { name: 'a' }, arms: [arm] }] as never,
        seeds: [3],
      });
    };
    const before = planAt({}, false),
      stock = [...before.stages.keys()][0]!;
    expect([...changed(5).stages.keys()]).toEqual([...before.stages.keys()]);
    expect(earlierStages(changed(5))(stock)).toEqual([]);
    const now = changed(2),
      raised = [...now.stages.values()].find(({ recipe }) => recipe['steps'] === 2)!;
    expect(before.stages.has(raised.key)).toBe(false);
    expect(earlierStages(now)(raised.key)).toMatchObject([{ key: stock, revisions: { [raised.kind]: 1 } }]);
  });
});
