/** The kinds of segmentation. Light, as those beside them: the code that trains loads only when a worker runs a stage. */
import { join } from 'node:path';
import { defineKind } from '../../../core/ablation/define.ts';
import type { JsonObject, MetricSpec } from '../../../core/ablation/kind.ts';
import { anyThreads, environment, lossMetric } from '../kind-parts.ts';
import { checkSegment, checkSegmentEvaluate } from './check.ts';
import { segmentCost, segmentDisk, segmentEvaluateCost, segmentEvaluateMemory, segmentMemory } from './cost.ts';
import { segmentEvaluateRecipe, segmentRecipe, type SegmentEvaluateRecipe, type SegmentRecipe } from './recipes.ts';

const shareMetric = (label: string, help: string): MetricSpec => ({ label, unit: 'fraction', better: 'higher', help });

const segmenterOf = (upstream: Readonly<Record<string, JsonObject>>): SegmentRecipe => segmentRecipe.parse(upstream['weights']);

/**
 * Its batches are not divided for want of memory: batch normalisation would have the moments of smaller parts, and the numbers would be others.
 */
export const segmentKind = defineKind<SegmentRecipe>({
  name: 'segment',
  revision: 1,
  recipe: segmentRecipe,
  upstream: { weights: { kinds: ['pretrain', 'distill', 'checkpoint', 'finetune', 'supervise'] } },
  metrics: {
    loss: lossMetric('training loss', 'Cross entropy of both heads, that of the auxiliary head weighted; mean over the last pass over the scenes.'),
    decode_loss: lossMetric('training loss of the decoder', 'The part of the decoding head alone.'),
  },
  check: (recipe, upstream) => checkSegment(recipe, upstream['weights']!),
  cost: segmentCost,
  disk: segmentDisk,
  memory: segmentMemory,
  shape: ({ data, model, feature_blocks, relative_position_bias, layer_scale, head, drop_path, augment, schedule: { batch_size, accumulation_steps }, engine }) => ({
    data,
    model,
    feature_blocks,
    relative_position_bias,
    layer_scale: layer_scale !== null,
    head,
    drop_path: drop_path > 0,
    augment,
    batch_size,
    accumulation_steps,
    engine,
  }),
  loadUntrained: async () => {
    const [{ initSegmenter }, { writeWeights }, { WEIGHTS }] = await Promise.all([import('./model.ts'), import('../../../engine/formats/weights.ts'), import('../stage-io.ts')]);
    return (recipe, output) => {
      writeWeights(join(output, WEIGHTS), initSegmenter(recipe, 0));
      return Promise.resolve();
    };
  },
  environment,
  anyThreads,
  load: async () => (await import('./segment.ts')).runSegment,
});

export const segmentEvaluateKind = defineKind<SegmentEvaluateRecipe>({
  name: 'segment-evaluate',
  revision: 1,
  recipe: segmentEvaluateRecipe,
  upstream: { weights: { kinds: ['segment'] } },
  metrics: {
    miou: shareMetric('test mIoU', 'Mean over the classes of intersection over union, of all pixels of the test scenes together; by sliding windows.'),
    miou_se: shareMetric('standard error of the mIoU', 'Over draws of test scenes, by leaving out one after the other (jackknife).'),
    macc: shareMetric('mean accuracy of the classes', 'Mean over the classes of the share of their pixels that are right.'),
    aacc: shareMetric('accuracy of the pixels', 'Share of all pixels that are right.'),
    scenes: { label: 'scenes', unit: 'count', better: 'none', help: 'Scenes of the test.' },
  },
  check: (recipe, upstream) => checkSegmentEvaluate(recipe, upstream['weights']!),
  cost: (recipe, upstream) => segmentEvaluateCost(recipe, segmenterOf(upstream)),
  disk: () => ({ output: 0, checkpoint: 0 }),
  memory: (recipe, upstream) => segmentEvaluateMemory(recipe, segmenterOf(upstream)),
  shape: (recipe, upstream) => {
    const { model, head, feature_blocks, relative_position_bias } = segmenterOf(upstream);
    return { ...recipe, model, head, feature_blocks, relative_position_bias };
  },
  environment,
  anyThreads,
  load: async () => (await import('./evaluate.ts')).runSegmentEvaluate,
});
