/** Crops, flips, resizing and distortion of scenes: image and map alike, a function of (seed, step, place). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../../src/engine/random/rng.ts';
import { makeBatch, type BatchPlan } from '../../../../../src/tinymim/data/batch.ts';
import { createLoader } from '../../../../../src/tinymim/data/loader.ts';
import type { Pixels } from '../../../../../src/tinymim/data/resize.ts';
import { cropScene, drawScene, fittedSize, type Scene, type SceneAugment, type SceneDraw } from '../../../../../src/tinymim/data/scenes/augment.ts';
import { distort, drawDistortion, type Distortion } from '../../../../../src/tinymim/data/scenes/distort.ts';
import { openScenes } from '../../../../../src/tinymim/data/scenes/open.ts';
import { IGNORED } from '../../../../../src/tinymim/data/scenes/spec.ts';

const plain: SceneAugment = { crop: [4, 6], resize: null, cat_max_ratio: 1, flip: false, photometric: false };
const image = (height: number, width: number, channels = 1): Pixels => ({ data: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37) % 256), offset: 0, height, width, channels });
/** A scene whose map has the level of each pixel. */
const leveled = (height: number, width: number): Scene => {
  const levels = image(height, width);
  return { image: levels, map: levels.data.map(level => level % 250) };
};
const empty = ([height, width]: readonly [number, number], channels = 1) => ({
  image: { data: new Uint8Array(height * width * channels), offset: 0, height, width, channels },
  map: new Uint8Array(height * width),
});
const cropped = (scene: Scene, draw: SceneDraw, crop: readonly [number, number], padding = [7]) => {
  const target = empty(crop, scene.image.channels);
  cropScene(scene, draw, target, padding);
  return { levels: target.image.data, labels: target.map };
};
const still = { flip: false, distortion: null };

describe('a crop', () => {
  it('of a scene at its size is its pixels, with their classes', () => {
    const scene = leveled(9, 10);
    const { levels, labels } = cropped(scene, { ...still, size: [9, 10], top: 2, left: 3 }, [4, 6]);
    const expected = Array.from({ length: 24 }, (_, i) => scene.image.data[(2 + Math.floor(i / 6)) * 10 + 3 + (i % 6)]);
    expect([...levels]).toEqual(expected);
    expect([...labels]).toEqual(expected.map(level => level! % 250));
  });

  it('that is flipped is its mirror image, map and all', () => {
    const scene = leveled(5, 7),
      place = { ...still, size: [5, 7] as const, top: 0, left: 1 };
    const [one, other] = [cropped(scene, place, [4, 6]), cropped(scene, { ...place, flip: true }, [4, 6])];
    for (const part of ['levels', 'labels'] as const) {
      const rows = (values: Uint8Array) => Array.from({ length: 4 }, (_, y) => [...values.subarray(y * 6, (y + 1) * 6)]);
      expect(rows(other[part])).toEqual(rows(one[part]).map(row => row.reverse()));
    }
  });

  it('beyond the scene is ignored and has the padding', () => {
    const { levels, labels } = cropped(leveled(3, 4), { ...still, size: [3, 4], top: 0, left: 0 }, [5, 6], [99]);
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 6; x++) if (y >= 3 || x >= 4) expect([levels[y * 6 + x], labels[y * 6 + x]]).toEqual([99, IGNORED]);
    }
    expect(labels.subarray(0, 4)).not.toContain(IGNORED);
    const flipped = cropped(leveled(3, 4), { ...still, flip: true, size: [3, 4], top: 0, left: 0 }, [5, 6], [99]);
    expect([...flipped.labels.subarray(0, 2)]).toEqual([IGNORED, IGNORED]);
    expect(flipped.levels[0]).toBe(99);
  });

  it('of a scene twice as large has each class twice, and levels between those of neighbours', () => {
    const scene = leveled(4, 5);
    const { levels, labels } = cropped(scene, { ...still, size: [8, 10], top: 0, left: 0 }, [8, 10]);
    labels.forEach((label, i) => expect(label).toBe(scene.map[Math.floor(i / 20) * 5 + Math.floor((i % 10) / 2)]));
    // PyTorch's and OpenCV's rule: pixel 1 lies a quarter of the way from 0 to 1.
    const [a, b] = [scene.image.data[0]!, scene.image.data[1]!];
    expect([...levels.subarray(0, 3)]).toEqual([a, Math.round(0.75 * a + 0.25 * b), Math.round(0.25 * a + 0.75 * b)]);
  });
});

describe('what is drawn for a scene', () => {
  it('keeps crops within it, and covers all of it', () => {
    const scene = leveled(6, 9),
      places = Array.from({ length: 200 }, (_, i) => drawScene(stream(1, 'test', i), scene, plain));
    expect(new Set(places.map(({ top }) => top))).toEqual(new Set([0, 1, 2]));
    expect(new Set(places.map(({ left }) => left))).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(places.map(({ flip }) => flip))).toEqual(new Set([false]));
    expect(new Set(Array.from({ length: 50 }, (_, i) => drawScene(stream(1, 'test', i), scene, { ...plain, flip: true }).flip))).toEqual(new Set([false, true]));
  });

  it('avoids crops of one class where there are others', () => {
    const map = new Uint8Array(400); // of 20 x 20, one corner of another class
    for (let y = 0; y < 8; y++) map.fill(1, y * 20, y * 20 + 8);
    const scene: Scene = { image: image(20, 20), map };
    const mixed = (share: number) =>
      Array.from({ length: 100 }, (_, i) => {
        const { labels } = cropped(scene, drawScene(stream(2, 'test', i), scene, { ...plain, crop: [6, 6], cat_max_ratio: share }), [6, 6]);
        return new Set(labels).size > 1;
      }).filter(Boolean).length;
    expect(mixed(0.75)).toBeGreaterThan(2 * mixed(1));
  });

  it('resizes a scene to fit into a multiple of two sides, as mmcv does', () => {
    expect(fittedSize([683, 512], [2048, 512])).toEqual([683, 512]);
    expect(fittedSize([256, 341], [2048, 512])).toEqual([512, 682]);
    expect(fittedSize([100, 1000], [2048, 512])).toEqual([205, 2048]);
    expect(fittedSize([512, 512], [2048, 512], 0.5)).toEqual([256, 256]);
    const sizes = Array.from({ length: 100 }, (_, i) => drawScene(stream(3, 'test', i), leveled(16, 16), { ...plain, resize: { within: [64, 16], ratio: [0.5, 2] } }).size[0]);
    expect(Math.min(...sizes)).toBeLessThan(11);
    expect(Math.max(...sizes)).toBeGreaterThan(28);
    for (const size of sizes) expect(size >= 8 && size <= 32).toBe(true);
  });
});

describe('photometric distortion', () => {
  const none: Distortion = { brightness: null, contrast: null, contrastFirst: true, saturation: null, hue: null };
  const changed = (channels: number, levels: readonly number[], distortion: Partial<Distortion>): number[] => {
    const pixels = { data: Uint8Array.from(levels), offset: 0, height: 1, width: levels.length / channels, channels };
    distort(pixels, { ...none, ...distortion });
    return [...pixels.data];
  };

  it('adds brightness, multiplies contrast, and cuts off', () => {
    expect(changed(1, [0, 100, 250], { brightness: 20.5 })).toEqual([20, 120, 255]);
    expect(changed(1, [0, 100, 250], { contrast: 1.25 })).toEqual([0, 125, 255]);
    expect(changed(1, [5, 100], { brightness: -20, contrast: 0.5 })).toEqual([0, 40]);
  });

  it('changes contrast before or after the colours', () => {
    const levels = [200, 100, 50],
      both = { contrast: 1.5, saturation: 1.5 };
    expect(changed(3, levels, { ...both, contrastFirst: true })).not.toEqual(changed(3, levels, { ...both, contrastFirst: false }));
  });

  it('turns red by 120 degrees into green, and back', () => {
    expect(changed(3, [200, 50, 50], { hue: 120 })).toEqual([50, 200, 50]);
    expect(changed(3, [50, 200, 50], { hue: -120 })).toEqual([200, 50, 50]);
    expect(changed(3, [200, 50, 50], { hue: 60 })).toEqual([200, 200, 50]);
  });

  it('without saturation leaves grey, and greys as they are; a whole turn changes nothing', () => {
    const level = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(level, level, level), fc.integer({ min: -36, max: 36 }), (rgb, hue) => {
        const value = Math.max(...rgb);
        expect(changed(3, rgb, { saturation: 0 })).toEqual([value, value, value]);
        expect(changed(3, [value, value, value], { saturation: 1.5, hue })).toEqual([value, value, value]);
        expect(changed(3, rgb, { hue: 360 })).toEqual(rgb);
        expect(Math.max(...changed(3, rgb, { hue, saturation: 0.5 }))).toBe(value);
      }),
    );
  });

  it('is drawn within its ranges, for about half of the images each, and without colour for grey ones', () => {
    const drawn = Array.from({ length: 400 }, (_, i) => drawDistortion(stream(4, 'test', i), 3));
    for (const key of ['brightness', 'contrast', 'saturation', 'hue'] as const) {
      const values = drawn.flatMap(one => one[key] ?? []);
      expect(values.length).toBeGreaterThan(150);
      expect(values.length).toBeLessThan(250);
      const [low, high] = { brightness: [-32, 32], contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: [-36, 36] }[key];
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low!);
      expect(Math.max(...values)).toBeLessThanOrEqual(high!);
    }
    const grey = Array.from({ length: 50 }, (_, i) => drawDistortion(stream(4, 'test', i), 1));
    expect(grey.filter(({ saturation, hue }) => saturation !== null || hue !== null)).toEqual([]);
  });
});

describe('a batch of scenes', () => {
  const source = { name: 'procedural', classes: 3, image_size: [8, 8], channels: 1, train: 12, validation: 1, test: 9, seed: 1 } as const;
  const { train } = openScenes({ name: 'composed', source: { ...source, image_size: [8, 8] }, canvas: [16, 18], items: [2, 4], scale: [1, 1.5], train: 10, test: 1, seed: 2 }, '');
  const plan: BatchPlan = { set: train, batchSize: 4, seed: 5, augment: { scene: { ...plain, crop: [8, 10], flip: true, cat_max_ratio: 0.75, photometric: true, padding: [60] } }, withLabels: false };

  it('has crops and maps of one size, each scene at most once an epoch', () => {
    const { images, maps } = makeBatch(plan, 1);
    expect([images.length, maps!.length]).toEqual([4 * 80, 4 * 80]);
    expect(new Set(maps)).toContain(0);
    expect(new Set(maps).size).toBeGreaterThan(1);
  });

  it('is a function of seed and step, in a thread as here', async () => {
    const loader = createLoader({ ...plan, startStep: 3, endStep: 5 });
    try {
      for (const step of [3, 4]) {
        const batch = await loader.next(),
          here = makeBatch({ ...plan }, step);
        expect(Buffer.compare(batch.images, here.images)).toBe(0);
        expect(Buffer.compare(batch.maps!, here.maps!)).toBe(0);
        loader.release(batch);
      }
    } finally {
      await loader.close();
    }
    expect(Buffer.compare(makeBatch({ ...plan, seed: 6 }, 3).maps!, makeBatch(plan, 3).maps!)).not.toBe(0);
  });
});
