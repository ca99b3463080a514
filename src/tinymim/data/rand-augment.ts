/**
 * RandAugment (Cubuk et al. 2019) as timm has it for `rand-m9-mstd0.5-inc1`: a few operations of PIL, drawn with replacement, most of them
 * the stronger the larger their magnitude (`inc1`). Geometry is bicubic, and filled with the mean of the data.
 * Source: huggingface/pytorch-image-models, timm/data/auto_augment.py (versions 0.3.2 to 1.0.31).
 */
import type { Stream } from '../../engine/random/rng.ts';
import { rotation, transformAffine, type Affine } from './affine.ts';
import { applyJitter, type Adjustment } from './color-jitter.ts';
import type { Pixels } from './resize.ts';
import { autoContrast, equalize, invert, posterize, sharpen, solarize, solarizeAdd } from './tone.ts';

export interface RandAugmentOptions {
  /** Mean of the magnitude, of 10. */
  readonly magnitude: number;
  /** Its standard deviation. */
  readonly deviation: number;
  /** Operations drawn for each image. */
  readonly layers: number;
  /** With which each of them is applied. */
  readonly probability: number;
}

/** One operation on one image. */
export interface Layer {
  readonly operation: OperationName;
  /** 0 to 10 */
  readonly magnitude: number;
  /** Of what goes both ways. */
  readonly sign: 1 | -1;
}

const MAX_MAGNITUDE = 10;
const DEFAULTS: RandAugmentOptions = { magnitude: MAX_MAGNITUDE, deviation: 0, layers: 2, probability: 0.5 };
const FIELDS = { m: 'magnitude', mstd: 'deviation', n: 'layers', p: 'probability' } as const;

/** What `parseRandAugment` reads. */
export const RAND_AUGMENT_FORM = 'rand-m9-mstd0.5-inc1, with other numbers, or with -n2 (operations an image) and -p0.5 (probability of each)';

/** timm's notation, or undefined where it is another than ours: without `inc1`, which means other operations, or with parts that we lack. */
export function parseRandAugment(text: string): RandAugmentOptions | undefined {
  const [rand, ...parts] = text.split('-');
  const options: { -readonly [name in keyof RandAugmentOptions]: number } = { ...DEFAULTS };
  let increasing = false;
  for (const part of parts) {
    const [, name = '', number = ''] = /^([a-z]+)(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (name === 'inc') increasing = number === '1';
    else if (Object.hasOwn(FIELDS, name)) options[FIELDS[name as keyof typeof FIELDS]] = Number(number);
    else return undefined;
  }
  const { magnitude, deviation, layers, probability } = options;
  const sound = magnitude <= MAX_MAGNITUDE && deviation <= MAX_MAGNITUDE && Number.isInteger(magnitude) && Number.isInteger(layers) && layers > 0 && probability <= 1;
  return rand === 'rand' && increasing && sound ? options : undefined;
}

type Operation = (image: Pixels, layer: Pick<Layer, 'magnitude' | 'sign'>, fill: readonly number[]) => void;

const geometric =
  (matrixOf: (image: Pixels, amount: number) => Affine): Operation =>
  (image, { magnitude, sign }, fill) => {
    transformAffine(image, matrixOf(image, (magnitude / MAX_MAGNITUDE) * sign), fill);
  };

/** 1 changes nothing. */
const enhancement = ({ magnitude, sign }: Pick<Layer, 'magnitude' | 'sign'>): number => Math.max(0.1, 1 + (magnitude / MAX_MAGNITUDE) * 0.9 * sign);

const enhanced =
  (adjustment: Adjustment): Operation =>
  (image, layer) => {
    applyJitter(image, [[adjustment, enhancement(layer)]]);
  };

const ofTen = (magnitude: number, most: number): number => Math.trunc((magnitude / MAX_MAGNITUDE) * most);

/** In timm's order, `_RAND_INCREASING_TRANSFORMS`. @internal */
export const OPERATIONS = {
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert,
  Rotate: geometric(({ height, width }, amount) => rotation(amount * 30, height, width)),
  PosterizeIncreasing: (image, { magnitude }) => {
    posterize(image, 4 - ofTen(magnitude, 4));
  },
  SolarizeIncreasing: (image, { magnitude }) => {
    solarize(image, 256 - ofTen(magnitude, 256));
  },
  SolarizeAdd: (image, { magnitude }) => {
    solarizeAdd(image, ofTen(magnitude, 110));
  },
  ColorIncreasing: enhanced('saturation'),
  ContrastIncreasing: enhanced('contrast'),
  BrightnessIncreasing: enhanced('brightness'),
  SharpnessIncreasing: (image, layer) => {
    sharpen(image, enhancement(layer));
  },
  ShearX: geometric((_, amount) => [1, amount * 0.3, 0, 0, 1, 0]),
  ShearY: geometric((_, amount) => [1, 0, 0, amount * 0.3, 1, 0]),
  TranslateXRel: geometric(({ width }, amount) => [1, 0, amount * 0.45 * width, 0, 1, 0]),
  TranslateYRel: geometric(({ height }, amount) => [1, 0, 0, 0, 1, amount * 0.45 * height]),
} as const satisfies Record<string, Operation>;

type OperationName = keyof typeof OPERATIONS;
const NAMES = Object.keys(OPERATIONS) as OperationName[];

/** For each layer an integer (the operation), a uniform (whether it is applied), a normal (its magnitude) and a uniform (its sign), whatever is used of them. */
export function drawRandAugment(draws: Stream, { magnitude, deviation, layers, probability }: RandAugmentOptions): Layer[] {
  return Array.from({ length: layers }, () => {
    const operation = NAMES[draws.integer(NAMES.length)]!,
      applied = draws.uniform() <= probability,
      drawn = magnitude + deviation * draws.normal(),
      sign = draws.uniform() > 0.5 ? -1 : 1;
    return { operation, magnitude: Math.min(Math.max(drawn, 0), MAX_MAGNITUDE), sign, applied } as const;
  }).filter(({ applied }) => applied);
}

/** Changes the image in place. @param fill level of each channel for what comes from outside the image */
export function applyRandAugment(image: Pixels, layers: readonly Layer[], fill: readonly number[]): void {
  for (const { operation, ...layer } of layers) OPERATIONS[operation](image, layer, fill);
}
