import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineKind } from '../../../src/ablation/define.ts';
import type { StageContext, StageResult } from '../../../src/ablation/kind.ts';
import { grow, pace, trouble } from './grow.ts';
import { untrained } from './untrained.ts';

const recipe = z.strictObject({ cut: z.number(), ...pace, trouble });

/** Goes on from the height of its stock. */
export const graft = defineKind({
  name: 'graft',
  revision: 1,
  recipe,
  upstream: { stock: { kinds: ['seedling', 'graft'] } },
  metrics: { height: { label: 'height', unit: 'loss', better: 'higher', help: 'Height after the last step' } },
  cost: ({ steps }) => ({ labelledImages: steps, unlabelledImages: 0, flops: 0 }),
  disk: () => ({ output: 100, checkpoint: 10 }),
  loadUntrained: () => Promise.resolve(untrained),
  load: () => Promise.resolve(run),
});

async function run(context: StageContext<z.output<typeof recipe>>): Promise<StageResult> {
  context.provenance({ gpu: process.env['CUDA_VISIBLE_DEVICES'] ?? null, threads: process.env['OMP_NUM_THREADS'] ?? null });
  const { cut, ...rest } = context.recipe;
  const stock = JSON.parse(await readFile(join(context.upstream['stock']!.output, 'tree.json'), 'utf8')) as { height: number };
  const height = await grow(context, { ...rest, salt: 'graft', from: stock.height * cut });
  await writeFile(join(context.output, 'tree.json'), JSON.stringify({ height }));
  return { height };
}
