import { describe, expect, test } from 'vitest';
import type { Plan, PlannedStage } from '../../../../src/core/plan/plan.ts';
import { Board } from '../../../../src/core/runner/board.ts';

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
  const arms = finals.map(final => ({ ablation: 'a', arm: final, seed: 0, stages: { r: final }, final }));
  return { stages: new Map(stages), arms };
}

const diamond = planOf({ teacher: [[], 10], long: [['teacher'], 9], short: [['teacher'], 1], evaluate: [['long', 'short'], 1], lone: [[], 15] }, ['evaluate', 'lone']);
const none = (): boolean => false;

describe('Board', () => {
  test('gives out stages whose inputs are done, the critical path first', () => {
    const board = new Board(diamond, none);
    const take = (): string | undefined => {
      const key = board.ready()[0];
      if (key !== undefined) board.set(key, 'running');
      return key;
    };
    expect([take(), take(), take()]).toEqual(['teacher', 'lone', undefined]);
    board.set('teacher', 'done');
    expect([take(), take(), take()]).toEqual(['long', 'short', undefined]);
    board.set('short', 'done');
    expect(take()).toBeUndefined();
    board.set('long', 'done');
    expect(take()).toBe('evaluate');
  });

  test('needs nothing upstream of what is done', () => {
    const board = new Board(diamond, key => key === 'evaluate');
    expect(board.counts()).toMatchObject({ total: 2, reused: 1, queued: 1 });
    expect(board.ready()[0]).toBe('lone');
  });

  test('counts a done input of a done stage as reused', () => {
    expect(new Board(diamond, () => true).counts()).toMatchObject({ total: 5, reused: 5, queued: 0 });
  });

  test('blocks everything downstream of a failure, once, and nothing else', () => {
    const board = new Board(diamond, key => key === 'teacher');
    board.set('long', 'failed');
    expect(board.block('long')).toEqual(['evaluate']);
    board.set('short', 'failed');
    expect(board.block('short')).toEqual([]);
    expect(board.ready()[0]).toBe('lone');
    expect(board.counts()).toEqual({ total: 5, reused: 1, failed: 2, blocked: 1, queued: 1, done: 0, interrupted: 0, running: 0 });
  });

  test('holds back what another runner works on', () => {
    const board = new Board(diamond, none);
    board.hold('teacher');
    expect(board.ready()[0]).toBe('lone');
    board.release('teacher');
    expect(board.ready()[0]).toBe('teacher');
  });
});
