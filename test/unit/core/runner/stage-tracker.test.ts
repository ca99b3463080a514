import { describe, expect, test } from 'vitest';
import type { Plan, PlannedStage } from '../../../../src/core/plan/plan.ts';
import { StageTracker } from '../../../../src/core/runner/stage-tracker.ts';

/** Stages by name with their inputs and images; the finals are the arms. */
function planOf(graph: Record<string, readonly [upstream: string[], images: number]>, finals: string[]): Plan {
  const stages = Object.entries(graph).map(([key, [upstream, labelledImages]]): [string, PlannedStage] => [
    key,
    {
      key,
      kind: 'k',
      revision: 1,
      recipe: {},
      seed: 0,
      upstream: Object.fromEntries(upstream.map((u, i) => [`slot${i}`, u])),
      cost: { labelledImages, unlabelledImages: 0, flops: 0 },
      roles: ['r'],
      users: [{ ablation: 'a', arm: 'b', seed: 0 }],
    },
  ]);
  const arms = finals.map(final => ({ ablation: 'a', arm: final, seed: 0, stages: { r: final }, final, finals: [final] }));
  return { stages: new Map(stages), arms };
}

const diamond = planOf({ teacher: [[], 10], long: [['teacher'], 9], short: [['teacher'], 1], evaluate: [['long', 'short'], 1], lone: [[], 15] }, ['evaluate', 'lone']);
const none = (): boolean => false;

describe('StageTracker', () => {
  test('gives out stages whose inputs are done, the critical path first', () => {
    const tracker = new StageTracker(diamond, none);
    const take = (): string | undefined => {
      const key = tracker.ready()[0];
      if (key !== undefined) tracker.set(key, 'running');
      return key;
    };
    expect([take(), take(), take()]).toEqual(['teacher', 'lone', undefined]);
    tracker.set('teacher', 'done');
    expect([take(), take(), take()]).toEqual(['long', 'short', undefined]);
    tracker.set('short', 'done');
    expect(take()).toBeUndefined();
    tracker.set('long', 'done');
    expect(take()).toBe('evaluate');
  });

  test('needs nothing upstream of what is done', () => {
    const tracker = new StageTracker(diamond, key => key === 'evaluate');
    expect(tracker.counts()).toMatchObject({ total: 2, reused: 1, queued: 1 });
    expect(tracker.ready()[0]).toBe('lone');
  });

  test('counts a done input of a done stage as reused', () => {
    expect(new StageTracker(diamond, () => true).counts()).toMatchObject({ total: 5, reused: 5, queued: 0 });
  });

  test('blocks everything downstream of a failure, once, and nothing else', () => {
    const tracker = new StageTracker(diamond, key => key === 'teacher');
    tracker.set('long', 'failed');
    expect(tracker.block('long')).toEqual(['evaluate']);
    tracker.set('short', 'failed');
    expect(tracker.block('short')).toEqual([]);
    expect(tracker.ready()[0]).toBe('lone');
    expect(tracker.counts()).toEqual({ total: 5, reused: 1, failed: 2, blocked: 1, queued: 1, done: 0, interrupted: 0, running: 0 });
  });

  test('holds back what another runner works on', () => {
    const tracker = new StageTracker(diamond, none);
    tracker.hold('teacher');
    expect(tracker.ready()[0]).toBe('lone');
    tracker.release('teacher');
    expect(tracker.ready()[0]).toBe('teacher');
  });
});
