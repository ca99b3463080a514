/** What can be said against recipes of segmentation without running them. Light: planning asks. */
import type { JsonObject, Objection } from '../../../core/ablation/kind.ts';
import { sceneShape, sceneTitle, type SceneSpec } from '../../data/scenes/spec.ts';
import { patchGrid, vitMisfits, type ViTConfig } from '../../nn/config.ts';
import { checkDropPath, checkWeights, LEAST_SHARE } from '../check.ts';
import { canSplit } from '../micro-batches.ts';
import { classifierVitRecipe } from '../recipes.ts';
import { doubtful, impossible, objectIf } from '../rules.ts';
import { segmentRecipe, type SegmentEvaluateRecipe, type SegmentRecipe } from './recipes.ts';

export function checkSegment(recipe: SegmentRecipe, upstream: JsonObject): Objection[] {
  const { data, model, feature_blocks, drop_path, layer_decay, schedule, augment } = recipe;
  const misfits = vitMisfits(model);
  return [
    ...misfits.map(({ field, expected }) => impossible(`model.${field}`, expected)),
    ...checkCrop(data, model, augment),
    ...objectIf(misfits.length === 0 && Math.min(...patchGrid(model)) < 2, impossible('model.image_size', 'at least two patches down and across, of which the smallest level takes the largest')),
    ...feature_blocks.flatMap((block, i) => objectIf(block > model.depth, impossible(`feature_blocks.${i}`, `at most ${model.depth}, the depth of the model`))),
    ...checkWeights(model, classifierVitRecipe.parse(upstream['model']), { sameImage: false }),
    ...checkDropPath('drop_path', drop_path, model),
    ...checkSteps(schedule, data),
    ...objectIf(layer_decay ** (model.depth + 1) < LEAST_SHARE, doubtful('layer_decay', `a decay that leaves the first of ${model.depth} blocks more than ${LEAST_SHARE} of the rate`)),
  ];
}

function checkCrop(data: SceneSpec, { image_size, in_chans }: ViTConfig, { resize }: SegmentRecipe['augment']): Objection[] {
  const { channels, size } = sceneShape(data);
  return [
    ...objectIf(in_chans !== channels, impossible('model.in_chans', `${channels}, the channels of ${sceneTitle(data)}`)),
    ...objectIf(
      size !== undefined && image_size.some((side, axis) => side > size[axis]!),
      impossible('model.image_size', `at most [${size?.join(', ') ?? ''}], the size of the scenes: a window of a test lies within one`),
    ),
    ...objectIf(resize !== null && resize.ratio[0] > resize.ratio[1], impossible('augment.resize.ratio', 'a range, the smaller bound first')),
  ];
}

/** Steps of a batch of one have no variance, and 32 bits count the steps of a stream. */
const MOST_STEPS = 2 ** 32;

function checkSteps(schedule: SegmentRecipe['schedule'], data: SceneSpec): Objection[] {
  const { steps, warmup_steps, batch_size, accumulation_steps, lr, min_lr } = schedule;
  const parts = canSplit({ schedule }, 1);
  return [
    ...objectIf(!parts, impossible('schedule.accumulation_steps', `a divisor of batch_size ${batch_size}`)),
    ...objectIf(
      parts && batch_size / accumulation_steps < 2,
      impossible('schedule.batch_size', `at least two scenes at a time (here ${accumulation_steps} parts): a single one that is pooled to a pixel has no variance to be normalised by`),
    ),
    ...objectIf(batch_size > data.train, impossible('schedule.batch_size', `at most ${data.train}, the scenes that it trains on`)),
    ...objectIf(steps > MOST_STEPS, impossible('schedule.steps', `at most ${MOST_STEPS}`)),
    ...objectIf(warmup_steps >= steps, doubtful('schedule.warmup_steps', `fewer than the ${steps} steps of the training, which else never reaches its rate`)),
    ...objectIf(Math.max(lr, min_lr) === 0, doubtful('schedule.lr', `a rate above 0: nothing is learned in ${steps} steps`)),
    ...objectIf(min_lr > lr, doubtful('schedule.min_lr', `at most the rate that it falls from, ${lr}`)),
  ];
}

export function checkSegmentEvaluate({ data, stride }: SegmentEvaluateRecipe, upstream: JsonObject): Objection[] {
  const { data: trainedOn, model } = segmentRecipe.parse(upstream);
  const { channels, size } = sceneShape(data),
    trained = sceneShape(trainedOn);
  return [
    ...objectIf(channels !== trained.channels || sceneTitle(data) !== sceneTitle(trainedOn), impossible('data', `scenes of those that the model was trained for, ${sceneTitle(trainedOn)}`)),
    ...stride.flatMap((by, axis) =>
      objectIf(size !== undefined && by > model.image_size[axis]!, impossible(`stride.${axis}`, `at most ${model.image_size[axis]!}, the window: pixels between two of them would be seen by none`)),
    ),
  ];
}
