import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { StageSpec, Study } from '../../../../src/core/ablation/declaration.ts';
import { defineKind, defineStudy } from '../../../../src/core/ablation/define.ts';
import type { Ablation } from '../../../../src/core/ablation/expand.ts';
import { loadExperiments } from '../../../../src/core/ablation/load.ts';
import { keyOf } from '../../../../src/core/ablation/identity.ts';
import { buildPlan, stageLabel, totalCost, type Plan } from '../../../../src/core/plan/plan.ts';
import { priorities } from '../../../../src/core/plan/priority.ts';
import toyStudy from '../../../toy/experiments/study.ts';

const toy = fileURLToPath(new URL('../../../toy/experiments', import.meta.url));
const load = async (only: string, seeds = '0'): Promise<Plan> => buildPlan(await loadExperiments(toy, { profile: 'quick', only, seeds }));

/** A study whose arms are given as stage trees. */
function studyOf(trees: Record<string, StageSpec>): { study: Study; ablations: Ablation[] } {
  const study = defineStudy<{ tree: string }, { name: string; seeds: number[] }>({
    ...(toyStudy as object as Parameters<typeof defineStudy<{ tree: string }, { name: string; seeds: number[] }>>[0]),
    factors: z.strictObject({ tree: z.string() }),
    realise: f => trees[f.tree]!,
  });
  const names = Object.keys(trees);
  const arms = names.map(name => ({ ablation: 'trees', name, label: name, factors: { tree: name } }));
  const declaration = { name: 'trees', title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: names[0]!, arms };
  return { study, ablations: [{ declaration, arms }] };
}
const planOf = (trees: Record<string, StageSpec>): Plan => buildPlan({ ...studyOf(trees), profile: { name: 'p', seeds: [0] }, seeds: [0] });

const seedling = (changes: Partial<StageSpec> = {}): StageSpec => ({ kind: 'seedling', role: 'stock', recipe: { variety: 'oak', steps: 2 }, seed: 0, upstream: {}, ...changes });
const weigh = (tree: StageSpec, changes: Partial<StageSpec> = {}): StageSpec => ({ kind: 'weigh', role: 'weigh', recipe: {}, seed: 0, upstream: { tree }, ...changes });

describe('buildPlan', () => {
  test('shares equal stages between arms, tables and seeds', async () => {
    const plan = await load('variety,cut', '0,1');
    // Stock: oak, elm (fixed seed). Trees: 4 a seed, of which own-root at seed 0 is the oak stock itself. Weighings: 5 a seed.
    const kinds = [...plan.stages.values()].map(s => s.kind);
    expect(kinds.filter(k => k === 'seedling')).toHaveLength(2 + 1);
    expect(kinds.filter(k => k === 'graft')).toHaveLength(4 * 2);
    expect(kinds.filter(k => k === 'weigh')).toHaveLength(5 * 2);
    const final = (ablation: string, arm: string) => plan.arms.find(a => a.ablation === ablation && a.arm === arm && a.seed === 1)!.final;
    expect(final('cut', 'half')).toBe(final('variety', 'oak'));
    expect(final('cut', 'half')).not.toBe(final('cut', 'whole'));
  });

  test('a stage comes after its inputs, knows its users, roles and key', async () => {
    const plan = await load('variety,cut');
    const seen = new Set<string>();
    for (const stage of plan.stages.values()) {
      for (const key of Object.values(stage.upstream)) expect(seen).toContain(key);
      seen.add(stage.key);
      expect(stage.key).toBe(keyOf(stage));
      expect(stage.key).toMatch(/^[0-9a-f]{32}$/);
    }
    const oak = [...plan.stages.values()].find(s => s.kind === 'seedling' && s.recipe['variety'] === 'oak')!;
    expect(oak.roles).toEqual(['stock', 'tree']);
    expect(oak.users.map(u => `${u.ablation}/${u.arm}`)).toEqual(['cut/whole', 'cut/half', 'cut/none', 'variety/oak', 'variety/own-root']);
    expect(stageLabel(oak)).toBe('stock, tree of cut/whole seed 0 (and 4 more)');
    expect(oak.recipe).toEqual({ variety: 'oak', steps: 5, milliseconds: 0 });
  });

  test('arms name their stages by role', async () => {
    const plan = await load('cut/half');
    const arm = plan.arms[0]!;
    expect(Object.keys(arm.stages).sort()).toEqual(['stock', 'tree', 'weigh']);
    expect(arm.stages['weigh']).toBe(arm.final);
    expect(plan.stages.get(arm.final)!.upstream).toEqual({ tree: arm.stages['tree'] });
  });

  test('role and place in the arm do not enter the key; kind, recipe, seed and upstream do', () => {
    const key = (spec: StageSpec): string => planOf({ a: spec }).arms[0]!.final;
    const base = weigh(seedling());
    expect(key({ ...base, role: 'other' })).toBe(key(base));
    expect(key(weigh(seedling({ recipe: { steps: 2, milliseconds: 0, variety: 'oak' } })))).toBe(key(base));
    expect(key({ ...base, seed: 1 })).not.toBe(key(base));
    expect(key({ ...base, recipe: { unit: 'lb' } })).not.toBe(key(base));
    expect(key(weigh(seedling({ seed: 1 })))).not.toBe(key(base));
  });

  test('two arms of one table that come out the same are refused, both named', () => {
    expect(() => planOf({ a: weigh(seedling()), b: weigh(seedling(), { recipe: { unit: 'kg' } }) })).toThrow(/expected arms that differ, got 'a' and 'b' with the same stage/);
  });

  test.each<[string, StageSpec, string]>([
    ['a missing slot', weigh(seedling(), { upstream: {} }), "stage 'weigh' (kind weigh): upstream.tree: expected a stage of kind seedling or graft, got none"],
    ['an unknown slot', weigh(seedling(), { upstream: { tre: seedling() } }), "upstream.tre: unknown slot; did you mean 'tree'?"],
    ['a slot of the wrong kind', weigh(weigh(seedling(), { role: 'inner' })), 'upstream.tree: expected a stage of kind seedling or graft, got weigh'],
    ['an unknown kind', weigh(seedling({ kind: 'sapling' })), "expected a registered kind, got 'sapling'"],
    ['a recipe that its kind refuses', weigh(seedling({ recipe: { variety: 'oak', step: 2 } })), "recipe.step: unknown field; did you mean 'steps'?"],
    ['a recipe that is no JSON', weigh(seedling({ recipe: { variety: 'oak', steps: NaN } })), "stage 'stock' (kind seedling): recipe.steps: expected number, got NaN"],
    ['a bad seed', weigh(seedling({ seed: -1 })), 'seed: expected an integer from 0 to 4294967295, got -1'],
    [
      'one role for two stages',
      weigh({ kind: 'graft', role: 'stock', recipe: { cut: 1, steps: 1, trouble: { kind: 'none', at: 0 } }, seed: 0, upstream: { stock: seedling() } }),
      "expected one stage a role, got two different ones in the role 'stock'",
    ],
  ])('refuses %s', (_, spec, message) => {
    expect(() => planOf({ a: spec })).toThrow(message);
  });

  test('refuses a stage that is upstream of itself', () => {
    const upstream: Record<string, StageSpec> = {};
    const loop = weigh(seedling(), { upstream });
    upstream['tree'] = loop;
    expect(() => planOf({ a: loop })).toThrow('expected stages without a cycle');
  });
});

test('costs add up over shared stages once', async () => {
  const plan = await load('cut');
  expect(totalCost(plan.stages.values())).toEqual({ labelledImages: 3 * 5 + 3, unlabelledImages: 5, flops: 3 * 10 + 3 + 5 });
});

test('the priority of a stage is the work of the longest path that hangs on it', async () => {
  const plan = await load('cut/half');
  const { stock, tree, weigh: final } = plan.arms[0]!.stages;
  const priority = priorities(plan);
  expect([stock, tree, final].map(key => priority.get(key!))).toEqual([5 + 10 + 1, 10 + 1, 1]);
});

test('a kind that is registered with another revision gives other keys', () => {
  const { study, ablations } = studyOf({ a: weigh(seedling()) });
  const [first, ...others] = study.kinds;
  const raised = { ...study, kinds: [defineKind({ ...first!, revision: 2 }), ...others] };
  const plan = (of: Study): Plan => buildPlan({ study: of, ablations, profile: { name: 'p', seeds: [0] }, seeds: [0] });
  expect(plan(raised).arms[0]!.final).not.toBe(plan(study).arms[0]!.final);
});
