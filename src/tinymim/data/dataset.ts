/** Opening a data set: three splits, and the statistics that inputs are normalised with. */
import type { NotReady } from '../../core/ablation/declaration.ts';
import { fashionMnistStatus, openFashionMnist } from './fashion-mnist.ts';
import type { PrintLine } from './files.ts';
import { folderProblem, indexAtFirstUse, openFolder, withFingerprint } from './folder/open.ts';
import type { ImageSet } from './image-set.ts';
import { proceduralSet } from './procedural.ts';
import { dataTitle, folderOf, folderStatistics, isFolder, type DataSpec, type FolderSpec, type Split } from './spec.ts';

export interface Dataset {
  /** For training, without the validation images. */
  readonly train: ImageSet;
  /** For choosing anything: held out of the training images. */
  readonly validation: ImageSet;
  readonly test: ImageSet;
  /** Mean and standard deviation of each channel, in units where 255 is 1: of `train`, or those that the spec of a folder names. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * @param dataDir folder of prepared data sets
 * @param size [H, W] that images in files are brought to
 * @throws DataError `DATA_MISSING`, `DATA_DAMAGED`
 */
export function openDataset(spec: DataSpec, dataDir: string, size: readonly [number, number] = [224, 224]): Dataset {
  if (isFolder(spec)) return { ...openFolder(spec, dataDir, size), ...folderStatistics(spec) };
  const splits = openSplits(spec, dataDir);
  return { ...splits, ...channelStatistics(splits.train) };
}

/** What inputs are normalised with; undefined where the images are not here to tell. */
export function normalisationOf(spec: DataSpec, dataDir: string): Pick<Dataset, 'mean' | 'std'> | undefined {
  if (isFolder(spec)) return folderStatistics(spec);
  return notReady(spec, dataDir) === undefined ? channelStatistics(openSplits(spec, dataDir).train) : undefined;
}

function openSplits(spec: Exclude<DataSpec, FolderSpec>, dataDir: string): Record<Split, ImageSet> {
  switch (spec.name) {
    case 'fashion-mnist':
      return openFashionMnist(dataDir);
    case 'procedural':
      return { train: proceduralSet(spec, 'train'), validation: proceduralSet(spec, 'validation'), test: proceduralSet(spec, 'test') };
  }
}

/** The spec with what this machine holds under the name in it; what is not there stays as it is. */
export const asOnThisMachine = (spec: DataSpec, dataDir: () => string): DataSpec => (isFolder(spec) ? withFingerprint(spec, folderOf(spec), dataDir()) : spec);

/** Does what this machine can do by itself before these images are used. @throws DataError */
export async function prepare(spec: DataSpec, dataDir: string, say: PrintLine): Promise<void> {
  if (isFolder(spec)) await indexAtFirstUse(folderOf(spec), dataDir, say);
}

/** What is missing before `openDataset` can read these images, or undefined. */
export function notReady(spec: DataSpec, dataDir: string): NotReady | undefined {
  if (isFolder(spec)) return folderProblem(spec, dataDir);
  if (spec.name !== 'fashion-mnist') return undefined;
  const { state, dir, problems } = fashionMnistStatus(dataDir);
  if (state === 'present') return undefined;
  return { what: `Expected the files of ${dataTitle(spec)} in ${dir}, got ${state === 'missing' ? 'none' : `damaged ones. ${problems[0]!}`}`, mend: ['setup'] };
}

/** Per channel mean and (biased) standard deviation. From counts of levels: exact sums, whatever the number of pixels. */
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
