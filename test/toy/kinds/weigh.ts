import { z } from 'zod';
import { defineKind } from '../../../src/core/ablation/define.ts';
import { draw } from './grow.ts';

/** Branches that are weighed one by one: no multiple of eight, so that the last byte of their bits is not full. */
const BRANCHES = 20;

/** The final number of an arm; and of each branch whether it is as heavy as it should be. */
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
      context.items(Array.from({ length: BRANCHES }, (_, i) => draw(0, 'branch', i) < weight));
      return Promise.resolve({ weight, weight_se: 0.001 });
    }),
});
