/** Scenes composed of small images: whose they are, what each pixel is, and that they are the same everywhere. */
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../../../../src/tinymim/data/dataset.ts';
import { allocateImageSet, imageBytes, type ImageSet } from '../../../../../src/tinymim/data/image-set.ts';
import { composeScenes, itemPixels, type SceneSet } from '../../../../../src/tinymim/data/scenes/compose.ts';
import { openScenes } from '../../../../../src/tinymim/data/scenes/open.ts';
import { sceneClasses, sceneSpec, type SceneSpec } from '../../../../../src/tinymim/data/scenes/spec.ts';

/** Squares of one level on black: image i is of class i, at level 100 + 50 i. */
function squares(): ImageSet {
  const set = allocateImageSet({ name: 'squares', count: 3, height: 8, width: 8, channels: 1, classes: ['a', 'b', 'c'] });
  for (let i = 0; i < 3; i++) {
    set.labels[i] = i;
    for (let y = 1; y < 7; y++) set.images.fill(100 + 50 * i, i * 64 + y * 8 + 1, i * 64 + y * 8 + 7);
  }
  return set;
}

const spec = { canvas: [20, 24] as [number, number], items: [2, 4] as [number, number], scale: [1, 1] as [number, number], seed: 3 };
const bytes = ({ images, maps }: SceneSet): string[] => [images, maps].map(array => Buffer.from(array).toString('base64'));

describe('a composed scene', () => {
  it('has the class of each pixel: that of the item whose level is seen there, or the background', () => {
    const scenes = composeScenes(squares(), spec, 'train', 40);
    expect(scenes.classes).toEqual(['background', 'a', 'b', 'c']);
    expect(scenes.maps).toHaveLength(40 * 20 * 24);
    const seen = new Set<number>();
    scenes.maps.forEach((label, i) => {
      const level = scenes.images[i]!;
      // The background has at most 64, or what a slope comes to beyond its third corner.
      if (label === 0) expect([100, 150, 200].includes(level) && level > 128).toBe(false);
      else expect(level).toBe(50 + 50 * label);
      seen.add(label);
    });
    expect([...seen].sort()).toEqual([0, 1, 2, 3]);
  });

  it('has items that overlap, are cut off by its edges and leave of some only parts', () => {
    const { maps } = composeScenes(squares(), { ...spec, items: [4, 4] }, 'train', 30);
    const whole = 36;
    const partial = Array.from({ length: 30 }, (_, i) => maps.subarray(i * 480, (i + 1) * 480).filter(label => label > 0).length).filter(count => count < 4 * whole);
    expect(partial.length).toBeGreaterThan(15);
  });

  it('is a function of seed, split and its number, however many there are', () => {
    const ten = composeScenes(squares(), spec, 'train', 10);
    expect(bytes(composeScenes(squares(), spec, 'train', 10))).toEqual(bytes(ten));
    const three = composeScenes(squares(), spec, 'train', 3);
    expect(three.images).toEqual(ten.images.subarray(0, 3 * imageBytes(ten)));
    expect(three.maps).toEqual(ten.maps.subarray(0, 3 * 480));
    for (const other of [composeScenes(squares(), { ...spec, seed: 4 }, 'train', 10), composeScenes(squares(), spec, 'test', 10)]) expect(bytes(other)).not.toEqual(bytes(ten));
  });

  it('has items of drawn sizes', () => {
    const areas = (scale: [number, number]) => composeScenes(squares(), { ...spec, items: [1, 1], scale }, 'train', 60).maps.filter(label => label > 0).length;
    expect(areas([2, 2])).toBeGreaterThan(2 * areas([1, 1]));
    expect(areas([0.5, 2])).not.toBe(areas([1, 1]));
  });
});

describe('what belongs to an item on black', () => {
  const picture = (...rows: string[]) => ({
    data: Uint8Array.from(rows.join(''), c => (c === '#' ? 200 : c === '.' ? 5 : 0)),
    offset: 0,
    height: rows.length,
    width: rows[0]!.length,
    channels: 1,
  });
  const shown = (pixels: Uint8Array, width: number) => Array.from({ length: pixels.length / width }, (_, y) => Array.from(pixels.subarray(y * width, (y + 1) * width), p => (p ? '#' : ' ')).join(''));

  it('is what is not dark, and what is dark within it; the gap between two legs is not', () => {
    expect(shown(itemPixels(picture(' ##### ', ' #...# ', ' #...# ', ' ##### ', ' #   # ', ' #   # ')), 7)).toEqual([' ##### ', ' ##### ', ' ##### ', ' ##### ', ' #   # ', ' #   # ']);
  });

  it('is nothing in a black image', () => {
    expect(itemPixels(picture('  ', '. ')).some(Boolean)).toBe(false);
  });
});

describe('a split', () => {
  const composed = sceneSpec.parse({
    name: 'composed',
    source: { name: 'procedural', classes: 3, image_size: [8, 8], channels: 1, train: 12, validation: 1, test: 9, seed: 1 },
    canvas: [16, 16],
    items: [1, 3],
    scale: [1, 1],
    train: 6,
    test: 5,
    seed: 2,
  }) as Extract<SceneSpec, { name: 'composed' }>;

  it('is made of the images of its own split alone: no test image is trained on', () => {
    const { train, test } = openScenes(composed, '');
    const source = openDataset(composed.source, '');
    expect([train.count, test.count]).toEqual([6, 5]);
    expect(bytes(test)).toEqual(bytes(composeScenes(source.test, composed, 'test', 5)));
    expect(bytes(train)).toEqual(bytes(composeScenes(source.train, composed, 'train', 6)));
    expect(train.classes).toHaveLength(sceneClasses(composed));
  });

  it('is refused of files, and with ranges the wrong way round', () => {
    const refused = (fields: object) => sceneSpec.safeParse({ ...composed, ...fields }).error!.issues.map(({ message }) => message);
    expect(refused({ source: { name: 'imagenet1k' } })).toEqual(['expected images that are in memory: fashion-mnist or procedural']);
    expect(refused({ items: [3, 1], scale: [2, 1] })).toEqual(['expected a range, the smaller bound first', 'expected a range, the smaller bound first']);
  });
});
