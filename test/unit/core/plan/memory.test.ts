import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StageKind } from '../../../../src/core/ablation/kind.ts';
import { bytesOf, fitOf, fitsOf } from '../../../../src/core/plan/memory.ts';
import type { Plan, PlannedStage } from '../../../../src/core/plan/plan.ts';
import { sharingsOf } from '../../../../src/core/plan/sharing.ts';

const stage = (key: string): PlannedStage => ({ key, kind: 'student', recipe: {}, seed: 0, upstream: {}, cost: { flops: 10, labelledImages: 0, unlabelledImages: 0 } }) as unknown as PlannedStage;
const plan = (...stages: PlannedStage[]): Pick<Plan, 'stages'> => ({ stages: new Map(stages.map(s => [s.key, s])) });
const kind = (batch: number, most = Infinity): StageKind =>
  ({ name: 'student', canSplit: (_: object, n: number) => n <= most, memory: (_: object, __: object, n: number) => ({ shared: batch / n, own: 10 }) }) as unknown as StageKind;

describe('fitOf', () => {
  const one = stage('a');

  it.each([
    [1000, 1010, 1],
    [1000, 1009, 2],
    [1000, 135, 8],
    [1000, 1, 64],
  ])('a batch of %d bytes within %d takes %d micro-batches', (batch, limit, microBatches) => {
    expect(fitOf(kind(batch, 64), plan(one), one, limit)).toEqual({ microBatches, memory: { shared: batch / microBatches, own: 10 } });
  });

  it('is as its recipe says where its kind cannot divide a batch, and unknown where it has no estimate', () => {
    const whole = { ...kind(1000) };
    Reflect.deleteProperty(whole, 'canSplit');
    expect(fitOf(whole, plan(one), one, 1)!.microBatches).toBe(1);
    expect(fitOf({ name: 'student' } as StageKind, plan(one), one, 1)).toBeUndefined();
  });

  it('is the fewest that fit, whatever the sizes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 11, max: 1e6 }), (batch, limit) => {
        const fit = fitOf(kind(batch), plan(one), one, limit)!;
        expect(bytesOf(fit)).toBeLessThanOrEqual(limit);
        if (fit.microBatches > 1) expect((2 * batch) / fit.microBatches + 10).toBeGreaterThan(limit);
      }),
    );
  });
});

describe('stages that share', () => {
  const packing = { key: () => ({ teacher: 'x' }), sharedFlops: () => 5 } as unknown as StageKind['packing'];
  const both = plan(stage('a'), stage('b'));

  it('are those of equal micro-batches, and take what those take', () => {
    const kinds = [{ ...kind(1000), packing: packing! }];
    const fits = fitsOf(kinds, both, 300);
    const sharings = sharingsOf(kinds, both, fits);
    expect(sharings.get('a')).toMatchObject({ memory: { shared: 250, own: 10 } });
    expect(sharings.get('a')!.group).toBe(sharings.get('b')!.group);
    const uneven = sharingsOf(kinds, both, new Map([...fits, ['b', { microBatches: 8, memory: { shared: 125, own: 10 } }]]));
    expect(uneven.get('a')!.group).not.toBe(uneven.get('b')!.group);
    expect(sharingsOf(kinds, both).get('a')).toMatchObject({ memory: { shared: 1000, own: 10 } });
  });
});
