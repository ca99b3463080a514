import { describe, expect, it } from 'vitest';
import { Eta } from '../../../../src/core/inspect/eta.ts';
import type { Plan, PlannedStage } from '../../../../src/core/plan/plan.ts';

const stage = (key: string, kind: string, flops: number, upstream: Record<string, string> = {}): PlannedStage => ({
  key,
  kind,
  revision: 1,
  recipe: {},
  seed: 0,
  upstream,
  roles: [kind],
  users: [],
  cost: { labelledImages: 0, unlabelledImages: 0, flops },
});
const planOf = (...stages: PlannedStage[]): Plan => ({ stages: new Map(stages.map(s => [s.key, s])), arms: [] });

describe('Eta', () => {
  it('knows nothing before a stage has finished', () => {
    expect(new Eta(planOf(stage('a', 'x', 100)), [], 2).secondsLeft()).toBeUndefined();
  });

  it('spreads what is left over the workers at the measured speed', () => {
    const eta = new Eta(planOf(stage('a', 'x', 100), stage('b', 'x', 100), stage('c', 'x', 300), stage('d', 'x', 300)), [], 2);
    eta.finish('a', 10);
    expect(eta.secondsLeft()).toBeCloseTo(((700 / 100) * 10) / 2);
    eta.progress('c', 0.5);
    eta.progress('d', 0.5);
    expect(eta.secondsLeft()).toBeCloseTo(((400 / 100) * 10) / 2);
  });

  it('learns nothing from a stage that counts nothing, as one that reads a file', () => {
    const eta = new Eta(planOf(stage('a', 'x', 100), stage('file', 'reading', 0), stage('b', 'x', 1e9)), [], 1);
    eta.finish('file', 1);
    expect(eta.secondsLeft()).toBeUndefined();
    eta.finish('a', 2);
    expect(eta.secondsLeft()).toBeCloseTo(2e7);
  });

  it('is never below the longest chain of stages', () => {
    const eta = new Eta(planOf(stage('a', 'x', 100), stage('b', 'x', 100), stage('c', 'x', 100, { from: 'b' }), stage('d', 'x', 100, { from: 'c' })), [], 8);
    eta.finish('a', 5);
    expect(eta.secondsLeft()).toBeCloseTo(15);
  });

  it('measures each kind by itself, and a resumed stage by what it still did', () => {
    const eta = new Eta(planOf(stage('a', 'slow', 100), stage('b', 'fast', 100), stage('c', 'slow', 100), stage('d', 'fast', 100)), [], 1);
    eta.finish('a', 20, 0.5); // half of it was behind it: 40 s for all
    eta.finish('b', 1);
    expect(eta.secondsLeft()).toBeCloseTo(41);
  });

  it('counts stages that were done before as done', () => {
    const eta = new Eta(planOf(stage('a', 'x', 100), stage('b', 'x', 100), stage('c', 'x', 100)), ['a'], 1);
    eta.finish('b', 7);
    expect(eta.secondsLeft()).toBeCloseTo(7);
  });
});
