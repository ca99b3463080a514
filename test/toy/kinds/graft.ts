import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineKind } from '../../../src/core/ablation/define.ts';
import type { PackRunner, StageContext, StageResult } from '../../../src/core/ablation/kind.ts';
import { grow, pace, trouble as troubleSchema } from './grow.ts';
import { nursery } from './nursery.ts';
import { untrained } from './untrained.ts';

const recipe = z.strictObject({
  cut: z.number(),
  ...pace,
  trouble: troubleSchema,
  /** Grafts of one bed grow side by side; null: each by itself. */
  bed: z.string().nullable().default(null),
});
type Recipe = z.output<typeof recipe>;

/** Goes on from the height of its stock. In a bed the days pass for all of them at once: that is what they share. */
export const graft = defineKind({
  name: 'graft',
  revision: 1,
  recipe,
  upstream: { stock: { kinds: ['seedling', 'graft'] } },
  metrics: { height: { label: 'height', unit: 'loss', better: 'higher', help: 'Height after the last step' } },
  check: ({ cut, steps, bed }, { stock }) => [
    ...(cut === 0 && stock!['variety'] === 'fir' ? [{ weight: 'impossible' as const, field: 'cut', expected: 'above 0 on a fir, which does not sprout from its root' }] : []),
    ...(steps === 1 ? [{ weight: 'doubtful' as const, field: 'steps', expected: 'more than one, in which a graft does not heal' }] : []),
    ...(bed === 'glasshouse' ? [{ weight: 'unavailable' as const, field: 'bed', expected: 'another: no glasshouse has been built yet' }] : []),
  ],
  cost: ({ steps }) => ({ labelledImages: steps, unlabelledImages: 0, flops: 2 * steps }),
  disk: () => ({ output: 100, checkpoint: 10 }),
  memory: (_, __, microBatches) => ({ shared: 8e6 / microBatches, own: 1e6 }),
  canSplit: (_, microBatches) => microBatches <= 4,
  loadUntrained: () => Promise.resolve(untrained),
  exporting: nursery,
  packing: {
    key: ({ recipe: r, seed, upstream }) => ({ stock: upstream['stock']!, seed, ...(r.bed === null ? r : { bed: r.bed, steps: r.steps }) }),
    sharedFlops: ({ steps }) => steps,
    load: () => Promise.resolve(runBed),
  },
  environment: ({ bed }): Record<string, string> => (bed === 'greenhouse' ? { TOY_GREENHOUSE: 'warm' } : {}),
  load: () => Promise.resolve(run),
});

const runBed: PackRunner<Recipe> = contexts => Promise.allSettled(contexts.map(run));

async function run(context: StageContext<Recipe>): Promise<StageResult> {
  context.provenance({
    gpu: process.env['CUDA_VISIBLE_DEVICES'] ?? null,
    threads: process.env['OMP_NUM_THREADS'] ?? null,
    greenhouse: process.env['TOY_GREENHOUSE'] ?? null,
    accepts: context.execution.acceptEngineChange,
  });
  const { cut, steps, milliseconds, trouble } = context.recipe;
  const stock = JSON.parse(await readFile(join(context.upstream['stock']!.output, 'tree.json'), 'utf8')) as { height: number };
  const height = await grow(context, { steps, milliseconds, trouble, salt: 'graft', from: stock.height * cut });
  await writeFile(join(context.output, 'tree.json'), JSON.stringify({ height }));
  return { height };
}
