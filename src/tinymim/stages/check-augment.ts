/** Augmentations that mean nothing, or nothing for these images. */
import type { z } from 'zod';
import type { Objection } from '../../core/ablation/kind.ts';
import { parseRandAugment, RAND_AUGMENT_FORM } from '../data/rand-augment.ts';
import { imageShape, type DataSpec } from '../data/spec.ts';
import { canSplit, canSplitPairs } from './micro-batches.ts';
import type { augmentRecipe, classifierAugmentRecipe, jitterRecipe, MixingRecipe, ScheduleRecipe } from './recipes.ts';
import { doubtful, impossible, objectIf } from './rules.ts';

type AugmentRecipe = z.infer<typeof augmentRecipe>;

export function checkAugment({ crop }: AugmentRecipe, data: DataSpec): Objection[] {
  if (crop === null) return [];
  const rising = (['scale', 'ratio'] as const).flatMap(range => objectIf(crop[range][0] > crop[range][1], impossible(`augment.crop.${range}`, 'a range, the smaller bound first')));
  return rising.length > 0 ? rising : checkCrops(crop, data);
}

/** After ten tries a crop that does not fit becomes the largest central one. */
function checkCrops({ scale, ratio }: NonNullable<AugmentRecipe['crop']>, data: DataSpec): Objection[] {
  const { size } = imageShape(data);
  if (size === undefined) return [];
  const [height, width] = size,
    area = height * width;
  const widest = width ** 2 / (scale[0] * area),
    highest = (scale[0] * area) / height ** 2;
  return [
    ...objectIf(scale[1] * area < 1, doubtful('augment.crop.scale', `crops of at least a pixel of ${height} x ${width}`)),
    ...objectIf(ratio[0] > widest || ratio[1] < highest, doubtful('augment.crop.ratio', `ratios of crops that fit, from ${Number(highest.toPrecision(3))} to ${Number(widest.toPrecision(3))}`)),
  ];
}

export function checkJitter({ brightness, contrast, saturation }: z.infer<typeof jitterRecipe>, data: DataSpec): Objection[] {
  return [
    ...objectIf(brightness + contrast + saturation === 0, doubtful('student_jitter', 'null for none, or a strength above 0')),
    ...objectIf(saturation > 0 && imageShape(data).channels !== 3, doubtful('student_jitter.saturation', '0 for images that are not of three channels, in which it changes nothing')),
  ];
}

/** What timm's recipe adds. */
export function checkClassifierAugment({ rand_augment, mixing }: z.infer<typeof classifierAugmentRecipe>, schedule: ScheduleRecipe): Objection[] {
  return [
    ...objectIf(rand_augment !== null && parseRandAugment(rand_augment) === undefined, impossible('augment.rand_augment', `null or timm's ${RAND_AUGMENT_FORM}`)),
    ...(mixing === null ? [] : checkMixing(mixing, schedule)),
  ];
}

function checkMixing({ mixup, cutmix, switch_prob }: MixingRecipe, schedule: ScheduleRecipe): Objection[] {
  const unpaired = canSplit({ schedule }, 1) && !canSplitPairs({ schedule, augment: { mixing: true } }, 1);
  return [
    ...objectIf(mixup + cutmix === 0, impossible('augment.mixing', 'null for none, or an alpha above 0 of mix-up or cut-mix')),
    ...objectIf(
      mixup > 0 && cutmix > 0 && [0, 1].includes(switch_prob),
      doubtful('augment.mixing.switch_prob', 'more than 0 and less than 1 with both mix-up and cut-mix, of which one is never taken'),
    ),
    ...objectIf(unpaired, impossible('schedule.accumulation_steps', `a divisor of half the batch_size ${schedule.batch_size}: images are mixed in pairs, which stay together`)),
  ];
}
