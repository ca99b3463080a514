/** Opening scenes: two splits, and what inputs are normalised with. */
import { channelStatistics, openDataset } from '../dataset.ts';
import { composeScenes, type SceneSet } from './compose.ts';
import { isSceneFolder, openSceneFolder } from './folder.ts';
import type { SceneSpec } from './spec.ts';

export interface Scenes {
  readonly train: SceneSet;
  readonly test: SceneSet;
  /** Mean and standard deviation of each channel, in units where 255 is 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Scenes of each split are made of the source's images of that split: none of a test image is trained on.
 * @param dataDir folder of prepared data sets
 * @throws DataError `DATA_MISSING`, `DATA_DAMAGED`
 */
export function openScenes(spec: SceneSpec, dataDir: string): Scenes {
  if (isSceneFolder(spec)) return { ...openSceneFolder(spec, dataDir), mean: spec.mean, std: spec.std };
  const source = openDataset(spec.source, dataDir);
  const train = composeScenes(source.train, spec, 'train', spec.train),
    test = composeScenes(source.test, spec, 'test', spec.test);
  return { train, test, ...channelStatistics(train) };
}
