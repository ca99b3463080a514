import { z } from 'zod';
import { defineKind } from '../../../src/core/ablation/define.ts';

/** The final number of an arm. */
export const weigh = defineKind({
  name: 'weigh',
  revision: 1,
  recipe: z.strictObject({ unit: z.enum(['kg', 'lb']).default('kg') }),
  upstream: { tree: { kinds: ['seedling', 'graft'] } },
  metrics: {
    weight: { label: 'weight', unit: 'fraction', better: 'higher', help: 'Share of the heaviest tree' },
    weight_se: { label: 'error', unit: 'fraction', better: 'none', help: 'Standard error of the scale' },
  },
  cost: () => ({ labelledImages: 1, unlabelledImages: 0, flops: 1 }),
  load: () =>
    Promise.resolve(context => {
      const weight = (context.upstream['tree']!.result['height'] as number) / 10;
      return Promise.resolve({ weight, weight_se: 0.001 });
    }),
});
