/**
 * Which images a training step sees, and how they are augmented: a function of (seed, step), never of the model. So arms of one
 * seed see the same batches, and a resumed run sees those of an uninterrupted one.
 *
 * | stream | draws, in order |
 * | --- | --- |
 * | `data/order`, epoch  | the permutation of all images; the last partial batch is dropped |
 * | `data/augment`, step | for each image of the batch: the crop (see `randomResizedCrop`), then one uniform, below 1/2 is a flip |
 * | `data/jitter`, step  | for each image of the batch: factors and order (see `drawJitter`) |
 * | `data/rand-augment i`, step | for the image at place i of the batch alone: operations (see `drawRandAugment`) |
 * | `data/erase i`, step | for the image at place i of the batch alone: the rectangle (see `drawErased`), then its noise |
 * | `data/scene i`, step | for the scene at place i of the batch alone: size, crop, flip, distortion (see `drawScene`) |
 *
 * What is turned off draws nothing. Images in files have a stream each, `data/augment 7` and `data/jitter 7` for the eighth of the batch: how many
 * numbers one takes depends on its size, and several threads make a batch.
 */
import { stream, type Stream } from '../../engine/random/rng.ts';
import { centralImage, flipHorizontal, randomResizedCrop, type CropOptions } from './augment.ts';
import { applyJitter, drawJitter, type JitterOptions } from './color-jitter.ts';
import { DataError } from './errors.ts';
import { imageAt, imageBytes, mapAt, type ImageSet } from './image-set.ts';
import { resizeBicubic, type Pixels } from './resize.ts';
import { cropScene, drawScene, type SceneAugment } from './scenes/augment.ts';
import { augmentStrongly, erasedBox, rectangleOf, type StrongAugment } from './strong-augment.ts';

export interface Augment extends StrongAugment {
  /** RandomResizedCrop back to the size of the image. */
  readonly crop?: CropOptions | null;
  /** Horizontal flip of every second image on average. */
  readonly flip?: boolean;
  /** Colour jitter of the student's copy of the batch alone, as in TinyMIM's main_pretrain.py. */
  readonly studentJitter?: JitterOptions | null;
  /**
   * How often an image comes, one time after the other and each time augmented anew: an epoch has no more batches, and shows one of so
   * many images. Default 1. Source: facebookresearch/deit, samplers.py, `RASampler`, over all of its processes.
   */
  readonly repeats?: number;
  /** Of scenes, in place of all the others. `padding`: see `cropScene`. */
  readonly scene?: SceneAugment & { readonly padding: readonly number[] };
}

export interface BatchPlan {
  readonly set: ImageSet;
  readonly batchSize: number;
  readonly seed: number;
  readonly augment: Augment;
  /** Whether batches carry labels: pre-training and distillation must not see any. */
  readonly withLabels: boolean;
  /** Every image once, in the order of the set, and of it the centre (see `centralImage`): nothing is drawn, and the last batch may be smaller. */
  readonly evaluation?: { readonly resize?: number | undefined };
}

export interface Batch {
  /** Counted from 0. */
  readonly step: number;
  /** Passes over the images before this batch, as a fraction. */
  readonly epoch: number;
  /** `[B, H, W, C]` */
  readonly images: Uint8Array;
  /** The same images with jitter, if the plan has a `studentJitter`. */
  readonly studentImages?: Uint8Array;
  /** `[B, H, W]`: of each pixel its class, if the plan has scenes. */
  readonly maps?: Uint8Array;
  /** `[B, 4]`: of each image the rectangle whose bytes are noise, as half-open rows and columns (`nn/rectangles.ts`), if the plan has a `randomErase`; zeros where there is none. */
  readonly erased?: Int32Array;
  /** `[B]`, or empty without labels. */
  readonly labels: Int32Array;
}

/** Full batches in one pass over the images. @throws DataError `DATA_INVALID` if there is none */
export function stepsPerEpoch({ set, batchSize }: { readonly set: Pick<ImageSet, 'count' | 'name'>; readonly batchSize: number }): number {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > set.count) {
    throw new DataError('DATA_INVALID', `Expected a batch of 1 to ${set.count} images of ${set.name}, got ${batchSize}.`);
  }
  return Math.floor(set.count / batchSize);
}

/** Of the images of a batch. */
export function imageSize({ set, augment: { scene } }: Pick<BatchPlan, 'set' | 'augment'>): Pick<ImageSet, 'height' | 'width' | 'channels'> {
  return scene ? { height: scene.crop[0], width: scene.crop[1], channels: set.channels } : set;
}

/** What a batch holds, before it is filled. @param allocate gives memory for so many bytes */
export function emptyBatch(plan: BatchPlan, step: number, allocate: (bytes: number) => Uint8Array = bytes => new Uint8Array(bytes)): Batch {
  const { set, augment, withLabels, evaluation } = plan;
  const size = imageSize(plan),
    bytes = batchIndices(plan, step).length * imageBytes(size);
  return {
    step,
    epoch: evaluation ? 0 : step / stepsPerEpoch(plan),
    images: allocate(bytes),
    ...(augment.studentJitter ? { studentImages: allocate(bytes) } : {}),
    ...(augment.scene ? { maps: allocate(bytes / size.channels) } : {}),
    ...(augment.randomErase ? { erased: erasedRectangles(plan, step) } : {}),
    labels: withLabels ? Int32Array.from(batchIndices(plan, step), index => set.labels[index]!) : new Int32Array(0),
  };
}

/** The batch of one step, counted from 0. @internal */
export function makeBatch(plan: BatchPlan, step: number): Batch {
  const batch = emptyBatch(plan, step);
  fillBatch(plan, batch, 0, plan.batchSize);
  return batch;
}

/** Whether a batch can be filled in several pieces, at once. */
export const isDivisible = ({ set }: Pick<BatchPlan, 'set'>): boolean => set.files !== undefined;

/** Makes the images at the places `from` to `to` of the batch, the latter excluded; all of them where the batch is not divisible. */
export function fillBatch(plan: BatchPlan, batch: FilledBatch, from: number, to: number): void {
  if (plan.augment.scene) {
    fillScenes(plan, batch, from, to);
    return;
  }
  const { set, seed, augment } = plan;
  const indices = batchIndices(plan, batch.step);
  const { height, width, channels } = set;
  const at = (data: Uint8Array, place: number): Pixels => ({ data, offset: place * imageBytes(set), height, width, channels });
  const draws = drawsOf(set, seed, 'data/augment', batch.step),
    jitterDraws = drawsOf(set, seed, 'data/jitter', batch.step);
  for (let place = from; place < to; place++) {
    const target = at(batch.images, place);
    if (plan.evaluation) centralImage(imageAt(set, indices[place]!), target, plan.evaluation.resize);
    else {
      augmentImage(imageAt(set, indices[place]!), target, augment, draws(place));
      augmentStrongly(target, augment, { seed, step: batch.step, place });
    }
    if (!augment.studentJitter) continue;
    const student = at(batch.studentImages!, place);
    student.data.set(target.data.subarray(target.offset, target.offset + imageBytes(set)), student.offset);
    applyJitter(student, drawJitter(jitterDraws(place), augment.studentJitter));
  }
}

/** What threads fill of a batch. */
export type FilledBatch = Pick<Batch, 'step' | 'images' | 'studentImages' | 'maps'>;

function fillScenes(plan: BatchPlan, { step, images, maps }: FilledBatch, from: number, to: number): void {
  const { set, seed, augment } = plan,
    scene = augment.scene!,
    size = imageSize(plan);
  const indices = batchIndices(plan, step),
    pixels = size.height * size.width;
  for (let place = from; place < to; place++) {
    const index = indices[place]!,
      source = { image: imageAt(set, index), map: mapAt(set, index) };
    const target = { image: { data: images, offset: place * imageBytes(size), ...size }, map: maps!.subarray(place * pixels, (place + 1) * pixels) };
    cropScene(source, drawScene(stream(seed, `data/scene ${place}`, step), source, scene), target, scene.padding);
  }
}

/** `[B, 4]`, as they will be erased. */
function erasedRectangles({ set, seed, batchSize, augment }: BatchPlan, step: number): Int32Array {
  const erased = new Int32Array(4 * batchSize);
  for (let place = 0; place < batchSize; place++) {
    const box = erasedBox(set, augment, { seed, step, place });
    if (box) erased.set(rectangleOf(box), 4 * place);
  }
  return erased;
}

/** Indices of the images of a batch. */
function batchIndices(plan: BatchPlan, step: number): Uint32Array {
  const {
    set,
    batchSize,
    evaluation,
    augment: { repeats = 1 },
  } = plan;
  if (evaluation) return Uint32Array.from({ length: Math.min(batchSize, set.count - step * batchSize) }, (_, i) => step * batchSize + i);
  const perEpoch = stepsPerEpoch(plan),
    start = (step % perEpoch) * batchSize,
    order = epochOrder(plan, Math.floor(step / perEpoch));
  return Uint32Array.from({ length: batchSize }, (_, i) => order[Math.floor((start + i) / repeats)]!);
}

/** The stream of the image at a place; one for all of them where they are in memory. */
function drawsOf({ files }: ImageSet, seed: number, purpose: string, step: number): (place: number) => Stream {
  if (files) return place => stream(seed, `${purpose} ${place}`, step);
  const all = stream(seed, purpose, step);
  return () => all;
}

/** The last order used with each plan: consecutive steps share it. */
const orders = new WeakMap<BatchPlan, { readonly epoch: number; readonly order: Uint32Array }>();

function epochOrder(plan: BatchPlan, epoch: number): Uint32Array {
  let last = orders.get(plan);
  if (last?.epoch !== epoch) {
    last = { epoch, order: stream(plan.seed, 'data/order', epoch).permutation(plan.set.count) };
    orders.set(plan, last);
  }
  return last.order;
}

function augmentImage(source: Pixels, target: Pixels, { crop, flip }: Augment, draws: Stream): void {
  if (crop) resizeBicubic(source, randomResizedCrop(draws, source.height, source.width, crop), target);
  else centralImage(source, target);
  if (flip && draws.uniform() < 0.5) flipHorizontal(target);
}
