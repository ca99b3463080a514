/**
 * Opening test sets that are made of the images of a split. They are the same for every seed and every classifier: what is drawn depends on the
 * change and on the place of an image in the subset alone (`corruption/<name>/<severity>` and `shift/<name>`, seed 0, step = place).
 */
import { stream } from '../../engine/random/rng.ts';
import { corrupt } from './corrupt/corruptions.ts';
import { shift, type ShiftName } from './corrupt/shifts.ts';
import { CORRUPTION_NAMES, SEVERITIES, type CorruptionName } from './corruption-names.ts';
import { imageAt, imageBytes, inMemory, labelledSubset, type EvalBatch, type ImageSet } from './image-set.ts';
import type { CorruptedSpec, ShiftedSpec } from './test-spec.ts';

const SEED = 0;

/** The images that a set is made of, in memory; not to be written to. @param images how many; `null`: all of them @throws DataError `DATA_INVALID` for more than there are */
const baseImages = (split: ImageSet, images: number | null): ImageSet => inMemory(images === null ? split : labelledSubset(split, images));

/** @throws DataError as `openDataset` */
export const openShifted = ({ name, images }: ShiftedSpec, split: ImageSet): ImageSet => shiftedImages(baseImages(split, images), name);

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
  /** Those of one corruption, one severity after the other, made as they are asked for: batches as `evalBatches` has them. */
  batches(corruption: string, batchSize: number, resize?: number): Iterable<EvalBatch> | AsyncIterable<EvalBatch>;
}

/** @throws DataError as `openDataset` */
export function openCorrupted({ images }: CorruptedSpec, split: ImageSet): CorruptedImages {
  const base = baseImages(split, images),
    { count, height, width, channels, classes } = base;
  return {
    corruptions: CORRUPTION_NAMES,
    count,
    shape: { count: SEVERITIES.length * count, height, width, channels, classes },
    batches: (corruption, batchSize) => corruptedBatches(base, corruption as CorruptionName, batchSize),
  };
}

/**
 * The images at five severities of a corruption, one severity after the other, made as they are asked for.
 * @param base in memory
 * @returns batches as `evalBatches` has them, of `5 * base.count` images
 */
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
