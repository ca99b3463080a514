import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ablation, Arm } from '../../src/core/ablation/expand.ts';
import { identityText } from '../../src/core/ablation/identity.ts';
import { buildPlan, type Plan } from '../../src/core/plan/plan.ts';
import { priorities } from '../../src/core/plan/priority.ts';
import study from '../toy/experiments/study.ts';

const factors = fc.record({
  variety: fc.constantFrom('oak', 'elm', 'fir'),
  cut: fc.constantFrom(0, 0.25, 0.5, 1),
  grafted: fc.constant(true), // without a graft, `cut` does not matter, and two arms may realise to the same
  trouble: fc.record({ kind: fc.constantFrom('none', 'fail'), at: fc.integer({ min: 0, max: 2 }) }),
});

/** Tables of distinct arms; tables share arms often. */
const tables = fc.array(fc.uniqueArray(factors, { selector: f => JSON.stringify(f), minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });
const seeds = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 });
const profile = { name: 'p', seeds: [0], steps: 3, milliseconds: 0 };

function ablationsOf(choice: readonly (readonly object[])[]): Ablation[] {
  return choice.map((arms, t) => {
    const expanded = arms.map((f, i): Arm => ({ ablation: `table-${t}`, name: `arm-${i}`, label: 'x', factors: study.factors.parse(f) }));
    const declaration = { name: `table-${t}`, title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: 'arm-0', arms: expanded };
    return { declaration, arms: expanded };
  });
}
const plan = (ablations: readonly Ablation[], s: readonly number[]): Plan => buildPlan({ study, profile, ablations, seeds: s });

test('every plan is a DAG in which each input exists and comes before', () => {
  fc.assert(
    fc.property(tables, seeds, (choice, s) => {
      const { stages, arms } = plan(ablationsOf(choice), s);
      const seen = new Set<string>();
      for (const stage of stages.values()) {
        for (const key of Object.values(stage.upstream)) expect(seen.has(key)).toBe(true);
        seen.add(stage.key);
        expect(stage.users.length).toBeGreaterThan(0);
      }
      for (const arm of arms) expect(Object.values(arm.stages).every(key => stages.has(key))).toBe(true);
      expect(arms).toHaveLength(choice.flat().length * s.length);
    }),
  );
});

test('the order of tables, arms and seeds changes no key', () => {
  fc.assert(
    fc.property(tables, seeds, (choice, s) => {
      const ablations = ablationsOf(choice);
      const reversed = [...ablations].reverse().map(a => ({ ...a, arms: [...a.arms].reverse() }));
      const [a, b] = [plan(ablations, s), plan(reversed, [...s].reverse())];
      expect([...b.stages.keys()].sort()).toEqual([...a.stages.keys()].sort());
      const finals = (p: Plan): string[] => p.arms.map(x => `${x.ablation}/${x.arm}/${x.seed}=${x.final}`).sort();
      expect(finals(b)).toEqual(finals(a));
    }),
  );
});

test('adding an arm or a table never changes the key of another arm', () => {
  fc.assert(
    fc.property(tables, seeds, (choice, s) => {
      const ablations = ablationsOf(choice);
      const whole = plan(ablations, s);
      const first = ablations[0]!;
      const part = plan([{ ...first, arms: first.arms.slice(0, -1) }, ...ablations.slice(2)], s);
      expect(part.arms).toHaveLength([choice[0]!.slice(0, -1), ...choice.slice(2)].flat().length * s.length);
      for (const arm of part.arms) {
        const same = whole.arms.find(a => a.ablation === arm.ablation && a.arm === arm.arm && a.seed === arm.seed)!;
        expect(same.stages).toEqual(arm.stages);
      }
    }),
  );
});

test('sharing merges stages of equal identity, all of them and no others', () => {
  fc.assert(
    fc.property(tables, seeds, (choice, s) => {
      const { stages } = plan(ablationsOf(choice), s);
      expect(new Set([...stages.values()].map(identityText)).size).toBe(stages.size);
      // Each choice of factors that changes a number gives a final stage of its own for each seed, shared by all tables.
      const distinct = new Set(choice.flat().map(f => JSON.stringify(f)));
      expect([...stages.values()].filter(x => x.kind === 'weigh')).toHaveLength(distinct.size * s.length);
    }),
  );
});

test('a stage is at least as urgent as everything that needs it, and more by its own work', () => {
  fc.assert(
    fc.property(tables, seeds, (choice, s) => {
      const p = plan(ablationsOf(choice), s);
      const priority = priorities(p);
      const needs = [...p.stages.values()].flatMap(stage => Object.values(stage.upstream).map(input => [input, stage.key] as const));
      expect(needs.length).toBeGreaterThan(0);
      for (const [input, user] of needs) expect(priority.get(input)!).toBeGreaterThan(priority.get(user)!);
    }),
  );
});
