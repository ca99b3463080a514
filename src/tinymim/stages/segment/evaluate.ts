/** A segmenter and scenes to a result: mIoU by sliding windows over whole scenes. */
import { Interrupted } from '../../../core/ablation/errors.ts';
import type { StageContext, StageRunner } from '../../../core/ablation/kind.ts';
import { toTensors } from '../../../engine/formats/weights.ts';
import { resizeBilinear } from '../../../engine/grad/resample.ts';
import * as tf from '../../../engine/tf.ts';
import { imageAt, mapAt } from '../../data/image-set.ts';
import type { Pixels } from '../../data/resize.ts';
import { DataError } from '../../data/errors.ts';
import { fittedSize, linearTaps, resizedImage, type Tap } from '../../data/scenes/augment.ts';
import type { SceneSet } from '../../data/scenes/compose.ts';
import { segment } from '../../nn/upernet.ts';
import { createEvaluator, type Evaluator } from '../evaluator.ts';
import { normalise, pixels } from '../images.ts';
import { graphSignature } from '../signature.ts';
import { upstreamWeights } from '../stage-io.ts';
import { upload } from '../train-step.ts';
import { Confusion } from './confusion.ts';
import { segmenterConfig } from './model.ts';
import { scenePictures } from './pictures.ts';
import { segmentRecipe, type SegmentEvaluateRecipe } from './recipes.ts';
import { loadEngineAndScenes } from './scenes.ts';
import { windowCorners, type Corner } from './windows.ts';

export const runSegmentEvaluate: StageRunner<SegmentEvaluateRecipe> = async context => {
  const { recipe } = context,
    { engine, stride, batch_size, resize } = recipe;
  const { test, mean, std } = await loadEngineAndScenes(context);
  const trained = segmentRecipe.parse(context.upstream['weights']?.recipe),
    config = segmenterConfig(trained),
    window = config.image_size;
  const params = toTensors(upstreamWeights(context.upstream['weights']));
  const evaluator = createEvaluator((p, { images }) => ({ logits: resizeBilinear(segment(p, normalise(images!, { mean, std }), config, { statistics: 'running' }).decode, window) }), {
    engine,
    signature: graphSignature('segment-evaluate', { config, head: trained.head, mean, std, engine }),
  });
  evaluator.use(params);
  const confusion = new Confusion(test.classes.length),
    pictures: Record<string, string> = {};
  try {
    const predicted = predictions(evaluator, test, { window, stride, batchSize: batch_size, resize });
    for (const [scene, map] of told(context, test.count, predicted)) {
      confusion.add(mapAt(test, scene), map);
      Object.assign(pictures, scenePictures(recipe.data, test, scene, map));
    }
  } finally {
    evaluator.dispose();
    tf.dispose(params);
  }
  return { ...confusion.scores(), scenes: test.count, ...pictures };
};

/** Tells how far it is, and ends where it is asked to stop. */
function* told<T>(context: StageContext<SegmentEvaluateRecipe>, count: number, scenes: Iterable<T>): Generator<T, void> {
  let done = 0;
  context.progress({ phase: 'evaluate', step: done, steps: count });
  for (const scene of scenes) {
    if (context.signal.aborted) throw new Interrupted();
    yield scene;
    context.progress({ phase: 'evaluate', step: ++done, steps: count });
  }
}

interface Windows {
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly batchSize: number;
  readonly resize: readonly [number, number] | null;
}

/** A scene at the size that windows see, and what they come to. */
interface OpenScene {
  readonly scene: number;
  /** Of its map. */
  readonly size: readonly [height: number, width: number];
  readonly image: Pixels;
  /** `[H, W, K]` */
  readonly sums: Float32Array;
  /** How many windows see each pixel, `[H, W]`. */
  readonly seen: Float32Array;
  /** Windows that are still to come. */
  left: number;
}

interface Place {
  readonly open: OpenScene;
  readonly corner: Corner;
}

/**
 * The class of each pixel of each scene, in order: where windows overlap, that of the mean of their logits; of a scene that was resized, that of the
 * logits at the size of its map.
 */
function* predictions(evaluator: Evaluator, set: SceneSet, windows: Windows): Generator<readonly [scene: number, map: Uint8Array], void> {
  const { window, batchSize } = windows;
  const waiting: Place[] = [];
  const compute = function* (batch: readonly Place[]): Generator<readonly [number, Uint8Array], void> {
    const logits = logitsOf(evaluator, batch, { window, batchSize, channels: set.channels });
    for (const [i, { open, corner }] of batch.entries()) {
      addWindow(open, logits.subarray((i * logits.length) / batchSize), { corner, window, classes: set.classes.length });
      if (--open.left === 0) yield [open.scene, predictedMap(open, set.classes.length)];
    }
  };
  for (let scene = 0; scene < set.count; scene++) {
    waiting.push(...placesOf(set, scene, windows));
    while (waiting.length >= batchSize) yield* compute(waiting.splice(0, batchSize));
  }
  if (waiting.length > 0) yield* compute(waiting);
}

/** @throws DataError where a window is larger than the scene */
function placesOf(set: SceneSet, scene: number, { window, stride, resize }: Windows): Place[] {
  const original = imageAt(set, scene),
    size = [original.height, original.width] as const;
  const image = resize ? resizedImage(original, fittedSize(size, resize)) : original;
  if (image.height < window[0] || image.width < window[1]) {
    throw new DataError(
      'DATA_INVALID',
      `Expected scenes of at least ${window.join(' x ')}, the window of the test, got ${image.height} x ${image.width} in scene ${scene} of ${set.name}. Set segment.evaluate.resize to larger sides.`,
    );
  }
  const corners = windowCorners([image.height, image.width], window, stride),
    pixelCount = image.height * image.width;
  const open: OpenScene = { scene, size, image, sums: new Float32Array(pixelCount * set.classes.length), seen: timesSeen(image, window, corners), left: corners.length };
  return corners.map(corner => ({ open, corner }));
}

interface BatchShape {
  readonly window: readonly [height: number, width: number];
  readonly batchSize: number;
  readonly channels: number;
}

/** Logits of so many windows, `[B, h, w, K]`; a batch that is not full is filled up with black. */
function logitsOf(evaluator: Evaluator, batch: readonly Place[], { window: [height, width], batchSize, channels }: BatchShape): Float32Array {
  const bytes = height * width * channels,
    images = new Uint8Array(batchSize * bytes);
  batch.forEach(({ open: { image }, corner }, i) => {
    copyWindow(image, corner, images.subarray(i * bytes, (i + 1) * bytes), width * channels);
  });
  const inputs = upload({ images: pixels(images, { height, width, channels }) });
  try {
    return evaluator.runArrays(inputs)['logits']!;
  } finally {
    tf.dispose(inputs);
  }
}

function copyWindow({ data, offset, width, channels }: Pixels, [top, left]: Corner, target: Uint8Array, row: number): void {
  for (let to = 0, y = top; to < target.length; to += row, y++) {
    const from = offset + (y * width + left) * channels;
    target.set(data.subarray(from, from + row), to);
  }
}

interface Addition {
  readonly corner: Corner;
  readonly window: readonly [number, number];
  readonly classes: number;
}

/** @param logits of the window, first */
function addWindow({ sums, image }: OpenScene, logits: Float32Array, { corner: [top, left], window: [height, across], classes }: Addition): void {
  const row = across * classes;
  for (let y = 0; y < height; y++) {
    const to = ((top + y) * image.width + left) * classes,
      from = y * row;
    for (let i = 0; i < row; i++) sums[to + i]! += logits[from + i]!;
  }
}

function timesSeen({ height, width }: Pixels, [down, across]: readonly [number, number], corners: readonly Corner[]): Float32Array {
  const seen = new Float32Array(height * width);
  for (const [top, left] of corners) for (let y = top; y < top + down; y++) for (let x = left; x < left + across; x++) seen[y * width + x]!++;
  return seen;
}

function predictedMap({ sums, seen, image, size: [height, width] }: OpenScene, classes: number): Uint8Array {
  for (let pixel = 0, i = 0; pixel < seen.length; pixel++) for (let c = 0; c < classes; c++, i++) sums[i]! /= seen[pixel]!;
  const logits = image.height === height && image.width === width ? sums : undefined;
  const rows = linearTaps(image.height, height, 0, height),
    columns = linearTaps(image.width, width, 0, width);
  const map = new Uint8Array(height * width),
    values = new Float32Array(classes);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) map[pixel] = largest(logits ? logits.subarray(pixel * classes, (pixel + 1) * classes) : between(sums, rows[y]!, columns[x]!, image.width, values));
  }
  return map;
}

/** Logits between four pixels, into `values`. */
function between(logits: Float32Array, row: Tap, column: Tap, width: number, values: Float32Array): Float32Array {
  const classes = values.length,
    at = (y: number, x: number): number => (y * width + x) * classes;
  const [a, b, c, d] = [at(row.before, column.before), at(row.before, column.after), at(row.after, column.before), at(row.after, column.after)] as const;
  for (let k = 0; k < classes; k++) {
    const above = logits[a + k]! * (1 - column.share) + logits[b + k]! * column.share,
      below = logits[c + k]! * (1 - column.share) + logits[d + k]! * column.share;
    values[k] = above * (1 - row.share) + below * row.share;
  }
  return values;
}

/** Place of the largest; of equal ones the first. */
function largest(values: Float32Array): number {
  let best = 0;
  for (let c = 1; c < values.length; c++) if (values[c]! > values[best]!) best = c;
  return best;
}
