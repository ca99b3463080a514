/** What a test of a segmenter predicts, beside the same computed window by window; and scenes in files, from training to score. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageResult } from '../../../../../src/core/ablation/kind.ts';
import { loadEngine } from '../../../../../src/engine/backend.ts';
import { toTensors, type Weights } from '../../../../../src/engine/formats/weights.ts';
import { resizeBilinear } from '../../../../../src/engine/grad/resample.ts';
import * as tf from '../../../../../src/engine/tf.ts';
import { rememberFolder } from '../../../../../src/tinymim/data/folder/known.ts';
import { imageAt, mapAt } from '../../../../../src/tinymim/data/image-set.ts';
import { indexScenes } from '../../../../../src/tinymim/data/scenes/folder.ts';
import { openScenes } from '../../../../../src/tinymim/data/scenes/open.ts';
import { palettePng } from '../../../../../src/tinymim/data/scenes/png.ts';
import { initEncoder } from '../../../../../src/tinymim/nn/init.ts';
import { segment } from '../../../../../src/tinymim/nn/upernet.ts';
import { normalise } from '../../../../../src/tinymim/stages/images.ts';
import { runSegmentEvaluate } from '../../../../../src/tinymim/stages/segment/evaluate.ts';
import { onEncoder, segmenterConfig } from '../../../../../src/tinymim/stages/segment/model.ts';
import { segmentEvaluateRecipe, segmentRecipe } from '../../../../../src/tinymim/stages/segment/recipes.ts';
import { runSegment } from '../../../../../src/tinymim/stages/segment/segment.ts';
import { leaveUpstream, StageInFolder } from '../../../../helpers/run-stage.ts';
import { encoderModel, segmentEvaluateFields, segmentFields } from '../../../../helpers/segmentation.ts';

beforeAll(() => loadEngine({ device: 'cpu', threads: 1 }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'segment-evaluate-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const recipe = segmentRecipe.parse(segmentFields);
const [CANVAS, WINDOW] = [[12, 14] as const, [8, 12] as const];
/** Of all windows that `stride: [5, 8]` gives; the last of a row or column lies on its edge. */
const CORNERS = [0, 4].flatMap(top => [0, 2].map(left => [top, left] as const));

/** How the logits of windows at a pixel become those of the pixel. */
type Joined = 'mean' | 'last window';

/** The share of all pixels that are right, each window computed by itself and laid into a canvas of zeros. */
function shareOfRight(weights: Weights, joined: Joined): number {
  return tf.tidy(() => {
    const { test, mean, std } = openScenes(recipe.data, ''),
      params = toTensors(weights);
    let right = 0;
    for (let scene = 0; scene < test.count; scene++) {
      const { data, offset } = imageAt(test, scene),
        image = tf.tensor4d(Float32Array.from(data.subarray(offset, offset + CANVAS[0] * CANVAS[1])), [1, ...CANVAS, 1]);
      let logits = tf.zeros([1, ...CANVAS, test.classes.length]),
        seen = tf.zeros([1, ...CANVAS, 1]);
      for (const [top, left] of CORNERS) {
        const window = tf.slice(image, [0, top, left, 0], [1, ...WINDOW, 1]);
        const own = resizeBilinear(segment(params, normalise(window, { mean, std }), segmenterConfig(recipe), { statistics: 'running' }).decode, [...WINDOW]);
        const onCanvas = (x: tf.Tensor): tf.Tensor => tf.pad(x, [[0, 0], [top, CANVAS[0] - WINDOW[0] - top], [left, CANVAS[1] - WINDOW[1] - left], [0, 0]]); // prettier-ignore
        const here = onCanvas(tf.ones([1, ...WINDOW, 1]));
        if (joined === 'mean') [logits, seen] = [tf.add(logits, onCanvas(own)), tf.add(seen, here)];
        else [logits, seen] = [tf.add(tf.mul(logits, tf.sub(1, here)), onCanvas(own)), tf.ones([1, ...CANVAS, 1])];
      }
      const predicted = tf.argMax(tf.div(logits, seen), 3).dataSync();
      mapAt(test, scene).forEach((label, i) => (right += label === predicted[i] ? 1 : 0));
    }
    return right / (test.count * CANVAS[0] * CANVAS[1]);
  });
}

describe('where windows overlap', () => {
  it('a pixel has the class of the mean of their logits, over all windows of all scenes', async () => {
    const { weights } = onEncoder(recipe, 3, { config: encoderModel, weights: initEncoder(encoderModel, 1) });
    const stage = new StageInFolder(folder, segmentEvaluateRecipe.parse(segmentEvaluateFields), { weights: { ...leaveUpstream(folder, recipe, weights), kind: 'segment' } });
    const { aacc } = await runSegmentEvaluate(stage.context());
    expect(aacc).toBe(shareOfRight(weights, 'mean'));
    expect(aacc).not.toBe(shareOfRight(weights, 'last window'));
  });
});

describe('scenes in files', () => {
  /** Three classes in stripes behind one that is none of them; of sizes of their own. */
  function streets(path: string): void {
    for (const [split, count] of [
      ['train', 4],
      ['test', 5],
    ] as const) {
      for (const part of ['images', 'annotations']) mkdirSync(join(path, part, split), { recursive: true });
      for (let i = 0; i < count; i++) {
        const [height, width] = [16 + 2 * i, 20 + i];
        const labels = Uint8Array.from({ length: height * width }, (_, pixel) => Math.floor((i % 2 ? pixel / width : pixel % width) / 4) % 4);
        writeFileSync(join(path, 'images', split, `${i}.png`), palettePng(labels, width, [[9, 9, 9], [200, 30, 30], [30, 200, 30], [30, 30, 200]])); // prettier-ignore
        writeFileSync(join(path, 'annotations', split, `${i}.png`), palettePng(labels, width, [0, 1, 2, 3].map(level => [level, level, level]))); // prettier-ignore
      }
    }
    rememberFolder('streets', path, folder);
    indexScenes(path, folder);
  }

  it('are trained on and tested at sizes of their own, and nothing of a photograph is in the result', async () => {
    streets(join(folder, 'streets'));
    const data = { name: 'folder', folder: 'streets', classes: 3, train: 4, test: 5, reduce_zero_label: true, ignored: null };
    const encoder = { ...encoderModel, in_chans: 3 };
    const training = segmentRecipe.parse({
      ...segmentFields,
      data,
      model: { ...segmentFields.model, in_chans: 3 },
      schedule: { ...segmentFields.schedule, steps: 40, batch_size: 4, lr: 3e-2 },
      layer_decay: 1,
      augment: { ...segmentFields.augment, resize: { within: [20, 16], ratio: [0.75, 1.25] } },
    });
    const trained = new StageInFolder(folder, training, { weights: leaveUpstream(folder, { model: encoder }, initEncoder(encoder, 1)) });
    await runSegment(trained.context());
    const test = new StageInFolder(folder, segmentEvaluateRecipe.parse({ ...segmentEvaluateFields, data, resize: [20, 16] }), {
      weights: { key: 'k', kind: 'segment', recipe: training, result: {}, output: trained.output },
    });
    const result: StageResult = await runSegmentEvaluate(test.context());
    expect(result['scenes']).toBe(5);
    expect(result['miou']).toBeGreaterThan(0.3); // of one class throughout it is a ninth
    expect(Object.values(result).filter(value => typeof value !== 'number')).toEqual([]);
  });
});
