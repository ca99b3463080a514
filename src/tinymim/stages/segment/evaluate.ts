/** A segmenter and scenes to a result: mIoU by sliding windows over whole scenes. */
import { Interrupted } from '../../../core/ablation/errors.ts';
import type { StageContext, StageRunner } from '../../../core/ablation/kind.ts';
import { toTensors } from '../../../engine/formats/weights.ts';
import { resizeBilinear } from '../../../engine/grad/resample.ts';
import * as tf from '../../../engine/tf.ts';
import { imageAt, mapAt } from '../../data/image-set.ts';
import type { Pixels } from '../../data/resize.ts';
import type { SceneSet } from '../../data/scenes/compose.ts';
import { segment } from '../../nn/upernet.ts';
import { createEvaluator, type Evaluator } from '../evaluator.ts';
import { normalise, pixels } from '../images.ts';
import { graphSignature } from '../signature.ts';
import { upstreamWeights } from '../stage-io.ts';
import { upload } from '../train-step.ts';
import { Confusion } from './confusion.ts';
import { segmenterConfig } from './model.ts';
import { segmentRecipe, type SegmentEvaluateRecipe } from './recipes.ts';
import { loadEngineAndScenes } from './scenes.ts';
import { windowCorners, type Corner } from './windows.ts';

export const runSegmentEvaluate: StageRunner<SegmentEvaluateRecipe> = async context => {
  const { recipe } = context,
    { engine, stride, batch_size } = recipe;
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
  const confusion = new Confusion(test.classes.length);
  try {
    const predicted = predictions(evaluator, test, { window, stride, batchSize: batch_size });
    for (const [scene, map] of told(context, test.count, predicted)) confusion.add(mapAt(test, scene), map);
  } finally {
    evaluator.dispose();
    tf.dispose(params);
  }
  return { ...confusion.scores(), scenes: test.count };
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
}

interface Place {
  readonly scene: number;
  readonly corner: Corner;
}

/** The class of each pixel of each scene, in order: where windows overlap, that of the mean of their logits. */
function* predictions(evaluator: Evaluator, set: SceneSet, { window, stride, batchSize }: Windows): Generator<readonly [scene: number, map: Uint8Array], void> {
  const corners = windowCorners([set.height, set.width], window, stride),
    seen = timesSeen(set, window, corners);
  const places = Array.from({ length: set.count }, (_, scene) => corners.map((corner): Place => ({ scene, corner }))).flat();
  const classes = set.classes.length;
  let sums = new Float32Array(set.height * set.width * classes),
    left = corners.length;
  for (let start = 0; start < places.length; start += batchSize) {
    const batch = places.slice(start, start + batchSize);
    const logits = logitsOf(evaluator, set, window, batch, batchSize);
    for (const [i, { scene, corner }] of batch.entries()) {
      addWindow(sums, logits, i, { corner, window, width: set.width, classes });
      if (--left > 0) continue;
      yield [scene, largest(sums, seen, classes)];
      sums = new Float32Array(sums.length);
      left = corners.length;
    }
  }
}

/** Logits of so many windows, `[B, h, w, K]`; a batch that is not full is filled up with black. */
function logitsOf(evaluator: Evaluator, set: SceneSet, [height, width]: readonly [number, number], batch: readonly Place[], batchSize: number): Float32Array {
  const { channels } = set,
    bytes = height * width * channels,
    images = new Uint8Array(batchSize * bytes);
  batch.forEach(({ scene, corner }, i) => {
    copyWindow(imageAt(set, scene), corner, images.subarray(i * bytes, (i + 1) * bytes), width * channels);
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
  /** Of the scene. */
  readonly width: number;
  readonly classes: number;
}

function addWindow(sums: Float32Array, logits: Float32Array, index: number, { corner: [top, left], window: [height, across], width, classes }: Addition): void {
  const row = across * classes;
  for (let y = 0; y < height; y++) {
    const to = ((top + y) * width + left) * classes,
      from = (index * height + y) * row;
    for (let i = 0; i < row; i++) sums[to + i]! += logits[from + i]!;
  }
}

/** How many windows see each pixel, `[H * W]`. */
function timesSeen({ height, width }: SceneSet, [down, across]: readonly [number, number], corners: readonly Corner[]): Float32Array {
  const seen = new Float32Array(height * width);
  for (const [top, left] of corners) for (let y = top; y < top + down; y++) for (let x = left; x < left + across; x++) seen[y * width + x]!++;
  return seen;
}

/** The class with the largest mean of each pixel; of equal ones the first. */
function largest(sums: Float32Array, seen: Float32Array, classes: number): Uint8Array {
  return Uint8Array.from(seen, (times, pixel) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (Math.fround(sums[pixel * classes + c]! / times) > Math.fround(sums[pixel * classes + best]! / times)) best = c;
    return best;
  });
}
