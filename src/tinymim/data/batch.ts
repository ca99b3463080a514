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
 *
 * What is turned off draws nothing.
 */
import { stream, type Stream } from '../../engine/random/rng.ts';
import { flipHorizontal, randomResizedCrop, type CropOptions } from './augment.ts';
import { applyJitter, drawJitter, type JitterOptions } from './color-jitter.ts';
import { DataError } from './errors.ts';
import { imageBytes, type ImageSet } from './image-set.ts';
import { resizeBicubic, type Box, type Pixels } from './resize.ts';
import { rectangleOf, augmentStrongly, type StrongAugment } from './strong-augment.ts';

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
}

export interface BatchPlan {
  readonly set: ImageSet;
  readonly batchSize: number;
  readonly seed: number;
  readonly augment: Augment;
  /** Whether batches carry labels: pre-training and distillation must not see any. */
  readonly withLabels: boolean;
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

/** The batch of one step, counted from 0. */
export function makeBatch(plan: BatchPlan, step: number): Batch {
  const { set, seed, augment, withLabels } = plan;
  const perEpoch = stepsPerEpoch(plan);
  const indices = imagesOf(plan, step, perEpoch);
  const images = augmentImages(set, indices, augment, stream(seed, 'data/augment', step));
  const erased = strongAugment(plan, images, step);
  return {
    step,
    epoch: step / perEpoch,
    images,
    ...(erased && { erased }),
    ...(augment.studentJitter ? { studentImages: jitterImages(set, images, augment.studentJitter, stream(seed, 'data/jitter', step)) } : {}),
    labels: withLabels ? Int32Array.from(indices, index => set.labels[index]!) : new Int32Array(0),
  };
}

/** Indices of the images of a batch. */
function imagesOf(plan: BatchPlan, step: number, perEpoch: number): Uint32Array {
  const {
    batchSize,
    augment: { repeats = 1 },
  } = plan;
  const start = (step % perEpoch) * batchSize,
    order = epochOrder(plan, Math.floor(step / perEpoch));
  return Uint32Array.from({ length: batchSize }, (_, i) => order[Math.floor((start + i) / repeats)]!);
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

function augmentImages(set: ImageSet, indices: Uint32Array, { crop, flip }: Augment, draws: Stream): Uint8Array {
  const { height, width, channels } = set;
  const bytes = imageBytes(set);
  const whole: Box = { top: 0, left: 0, height, width };
  const images = new Uint8Array(indices.length * bytes);
  for (let i = 0; i < indices.length; i++) {
    const source: Pixels = { data: set.images, offset: indices[i]! * bytes, height, width, channels };
    const target: Pixels = { data: images, offset: i * bytes, height, width, channels };
    resizeBicubic(source, crop ? randomResizedCrop(draws, height, width, crop) : whole, target);
    if (flip && draws.uniform() < 0.5) flipHorizontal(target);
  }
  return images;
}

/** The images of a batch, one after the other. */
function eachImage({ height, width, channels }: ImageSet, images: Uint8Array, use: (image: Pixels, i: number) => void): void {
  const bytes = height * width * channels;
  for (let offset = 0, i = 0; offset < images.length; offset += bytes, i++) use({ data: images, offset, height, width, channels }, i);
}

/** What comes after crop and flip. @returns `[B, 4]` rectangles that were erased, if any may be */
function strongAugment({ set, seed, batchSize, augment }: BatchPlan, images: Uint8Array, step: number): Int32Array | undefined {
  const erased = augment.randomErase ? new Int32Array(4 * batchSize) : undefined;
  eachImage(set, images, (image, place) => {
    const box = augmentStrongly(image, augment, { seed, step, place });
    if (box) erased?.set(rectangleOf(box), 4 * place);
  });
  return erased;
}

function jitterImages(set: ImageSet, images: Uint8Array, options: JitterOptions, draws: Stream): Uint8Array {
  const jittered = images.slice();
  eachImage(set, jittered, image => {
    applyJitter(image, drawJitter(draws, options));
  });
  return jittered;
}
