/** Opening a data set: three splits in memory, and the statistics that inputs are normalised with. */
import { DataError } from './errors.ts';
import { fashionMnistStatus, openFashionMnist } from './fashion-mnist.ts';
import type { ImageSet } from './image-set.ts';
import { proceduralSet } from './procedural.ts';
import { dataTitle, unavailable, type DataSpec, type Split } from './spec.ts';

export interface Dataset {
  /** For training, without the validation images. */
  readonly train: ImageSet;
  /** For choosing anything: held out of the training images. */
  readonly validation: ImageSet;
  readonly test: ImageSet;
  /** Mean and standard deviation of each channel of `train`, in units where 255 is 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * @param dataDir folder of prepared data sets
 * @throws DataError `DATA_MISSING`, `DATA_DAMAGED`
 */
export function openDataset(spec: DataSpec, dataDir: string): Dataset {
  const splits = openSplits(spec, dataDir);
  return { ...splits, ...channelStatistics(splits.train) };
}

function openSplits(spec: DataSpec, dataDir: string): Record<Split, ImageSet> {
  switch (spec.name) {
    case 'fashion-mnist':
      return openFashionMnist(dataDir);
    case 'procedural':
      return { train: proceduralSet(spec, 'train'), validation: proceduralSet(spec, 'validation'), test: proceduralSet(spec, 'test') };
    case 'imagenet1k':
      throw new DataError('DATA_MISSING', `${unavailable(spec)}.`);
  }
}

/** What is missing before `openDataset` can read these images, or undefined. */
export function notReady(spec: DataSpec, dataDir: string): string | undefined {
  if (spec.name !== 'fashion-mnist') return undefined;
  const { state, dir, problems } = fashionMnistStatus(dataDir);
  return state === 'present' ? undefined : `Expected the files of ${dataTitle(spec)} in ${dir}, got ${state === 'missing' ? 'none' : `damaged ones. ${problems[0]!}`}.`;
}

/** Per channel mean and (biased) standard deviation. From counts of levels: exact sums, whatever the number of pixels. @internal */
export function channelStatistics({ images, channels }: ImageSet): { mean: number[]; std: number[] } {
  const counts = Array.from({ length: channels }, () => new Float64Array(256));
  counts.forEach((levels, channel) => {
    for (let i = channel; i < images.length; i += channels) levels[images[i]!]!++;
  });
  const pixels = images.length / channels;
  const mean = counts.map(levels => levels.reduce((sum, n, level) => sum + n * level, 0) / pixels);
  const variance = counts.map((levels, c) => levels.reduce((sum, n, level) => sum + n * (level - mean[c]!) ** 2, 0) / pixels);
  return { mean: mean.map(value => value / 255), std: variance.map(value => Math.sqrt(value) / 255) };
}
