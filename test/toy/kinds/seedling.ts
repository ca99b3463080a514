import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineKind } from '../../../src/core/ablation/define.ts';
import type { StageContext, StageResult } from '../../../src/core/ablation/kind.ts';
import { grow, pace } from './grow.ts';
import { nursery } from './nursery.ts';
import { untrained } from './untrained.ts';

const recipe = z.strictObject({ variety: z.enum(['oak', 'elm', 'fir']), ...pace });

/** Steps that a tree lives. */
const LIFE = 10_000;

/** Grows from nothing. */
export const seedling = defineKind({
  name: 'seedling',
  revision: 1,
  recipe,
  upstream: {},
  metrics: { height: { label: 'height', unit: 'loss', better: 'higher', help: 'Height after the last step' } },
  check: ({ steps }) => (steps > LIFE ? [{ weight: 'impossible', field: 'steps', expected: `at most ${LIFE}, the life of a tree` }] : []),
  cost: ({ steps }) => ({ labelledImages: 0, unlabelledImages: steps, flops: steps }),
  disk: () => ({ output: 100, checkpoint: 10 }),
  anyThreads: () => true,
  loadUntrained: () => Promise.resolve(untrained),
  exporting: nursery,
  load: () => Promise.resolve(run),
});

async function run(context: StageContext<z.output<typeof recipe>>): Promise<StageResult> {
  context.provenance({ gpu: process.env['CUDA_VISIBLE_DEVICES'] ?? null, threads: process.env['OMP_NUM_THREADS'] ?? null });
  const { variety, steps, milliseconds } = context.recipe;
  const height = await grow(context, { steps, milliseconds, trouble: { kind: 'none', at: 0 }, salt: variety, from: 0 });
  await writeFile(join(context.output, 'tree.json'), JSON.stringify({ height }));
  return { height };
}
