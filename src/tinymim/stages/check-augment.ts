/** Augmentations that mean nothing for these images, or wait for the pipeline of ImageNet. */
import type { z } from 'zod';
import type { Objection } from '../../core/ablation/kind.ts';
import { imageShape, type DataSpec } from '../data/spec.ts';
import type { augmentRecipe, classifierAugmentRecipe, jitterRecipe } from './recipes.ts';
import { doubtful, impossible, notYet, objectIf } from './rules.ts';

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
export function checkClassifierAugment({ rand_augment, random_erase, repeats, mixing }: z.infer<typeof classifierAugmentRecipe>): Objection[] {
  return [
    ...objectIf(rand_augment !== null, notYet('augment.rand_augment', 'null: it cannot be run yet')),
    ...objectIf(random_erase > 0, notYet('augment.random_erase', '0: it cannot be run yet')),
    ...objectIf(repeats > 1, notYet('augment.repeats', '1: more cannot be run yet')),
    ...objectIf(mixing !== null, notYet('augment.mixing', 'null: it cannot be run yet')),
  ];
}
