/**
 * Opening test sets beside that of the data: folders, and what is made of the images of a split. The latter are the same for every seed and every
 * classifier: what is drawn depends on the change and on the place of an image in the subset alone (`corruption/<name>/<severity>` and `shift/<name>`,
 * seed 0, step = place).
 */
import { stream } from '../../engine/random/rng.ts';
import { corrupt } from './corrupt/corruptions.ts';
import { shift, type ShiftName } from './corrupt/shifts.ts';
import { SEVERITIES, type CorruptionName } from './corruption-names.ts';
import type { Dataset } from './dataset.ts';
import { joinedSets, openTestFolder, type TestFolder } from './folder/test-folder.ts';
import { imageAt, imageBytes, inMemory, labelledSubset, type EvalBatch, type ImageSet } from './image-set.ts';
import { loadEvaluation } from './loader.ts';
import { corruptedSet, corruptionsOf, isTestFolder, type CorruptedSpec, type ShiftedSpec } from './test-spec.ts';

const SEED = 0;

/** What a test set is opened beside. */
export interface Beside {
  /** That the classifiers were trained on. */
  readonly dataset: Dataset;
  readonly split: 'test' | 'validation';
  /** Folder of prepared data sets. */
  readonly dataDir: string;
  /** [H, W] that images in files are brought to. */
  readonly size: readonly [number, number];
}

/** Of each class of a set the place of its logit; absent: the classes are those of the data. */
type Answers = readonly number[];

/** Images of another kind than those of the training. @throws DataError as `openDataset` */
export function openShifted(spec: ShiftedSpec, beside: Beside): { readonly set: ImageSet; readonly answers?: Answers } {
  if (!isTestFolder(spec)) return { set: shiftedImages(baseImages(beside, spec.images), spec.name) };
  const folder = openTestFolder(spec, beside.dataDir, beside.size, beside.dataset.train.classes);
  return { set: folder.set('test'), ...answersOf(folder, beside) };
}

function answersOf({ classes }: TestFolder, { dataset }: Beside): { readonly answers?: Answers } {
  const all = classes.length === dataset.train.classes.length && classes.every((place, i) => place === i);
  return all ? {} : { answers: classes };
}

/** The images that a set is made of, in memory; not to be written to. */
const baseImages = ({ dataset, split }: Pick<Beside, 'dataset' | 'split'>, images: number | null): ImageSet => inMemory(images === null ? dataset[split] : labelledSubset(dataset[split], images));

/** Copies of the images, each changed in a way of its own. */
function shiftedImages(base: ImageSet, name: ShiftName): ImageSet {
  const images = Uint8Array.from(base.images);
  const set = { ...base, name: `${base.name}, ${name}`, images };
  for (let i = 0; i < set.count; i++) shift(imageAt(set, i), name, stream(SEED, `shift/${name}`, i));
  return set;
}

/** Images in all corruptions and severities. */
export interface CorruptedImages {
  readonly corruptions: readonly string[];
  /** Images of one corruption at one severity. */
  readonly count: number;
  /** Of one corruption at all severities. */
  readonly shape: Pick<ImageSet, 'count' | 'height' | 'width' | 'channels' | 'classes'>;
  readonly answers?: Answers;
  /** Those of one corruption, one severity after the other, made or decoded as they are asked for: batches as `loadEvaluation` gives them. */
  batches(corruption: string, batchSize: number, resize?: number): Iterable<EvalBatch> | AsyncIterable<EvalBatch>;
}

/** @throws DataError as `openDataset`, and where sets of a folder have other images */
export function openCorrupted(spec: CorruptedSpec, beside: Beside): CorruptedImages {
  const corruptions = corruptionsOf(spec);
  if (!isTestFolder(spec)) {
    const base = baseImages(beside, spec.images);
    return { corruptions, count: base.count, shape: shapeOf(base), batches: (corruption, batchSize) => corruptedBatches(base, corruption as CorruptionName, batchSize) };
  }
  const folder = openTestFolder(spec, beside.dataDir, beside.size, beside.dataset.train.classes),
    first = corruptedSet(corruptions[0]!, SEVERITIES[0]),
    base = folder.set(first);
  return {
    corruptions,
    count: base.count,
    shape: shapeOf(base),
    ...answersOf(folder, beside),
    batches: (corruption, batchSize, resize) =>
      loadEvaluation(
        joinedSets(
          folder,
          SEVERITIES.map(severity => corruptedSet(corruption, severity)),
          first,
        ),
        batchSize,
        resize,
      ),
  };
}

const shapeOf = ({ count, height, width, channels, classes }: ImageSet): CorruptedImages['shape'] => ({ count: SEVERITIES.length * count, height, width, channels, classes });

/** @param base in memory */
function* corruptedBatches(base: ImageSet, name: CorruptionName, batchSize: number): Generator<EvalBatch, void> {
  const bytes = imageBytes(base),
    all = SEVERITIES.length * base.count;
  for (let start = 0; start < all; start += batchSize) {
    const places = Array.from({ length: Math.min(batchSize, all - start) }, (_, i) => start + i);
    const images = new Uint8Array(places.length * bytes);
    places.forEach((place, i) => {
      const index = place % base.count,
        severity = SEVERITIES[Math.floor(place / base.count)]!;
      images.set(base.images.subarray(index * bytes, (index + 1) * bytes), i * bytes);
      corrupt({ ...base, data: images, offset: i * bytes }, name, severity, stream(SEED, `corruption/${name}/${severity}`, index));
    });
    yield { start, images, labels: Int32Array.from(places, place => base.labels[place % base.count]!) };
  }
}
