/** Test sets that are made of images: always the same, whoever looks at them. */
import { describe, expect, it } from 'vitest';
import { CORRUPTION_NAMES } from '../../../../src/tinymim/data/corruption-names.ts';
import type { EvalBatch, ImageSet } from '../../../../src/tinymim/data/image-set.ts';
import { proceduralSet } from '../../../../src/tinymim/data/procedural.ts';
import { openCorrupted, openShifted, type Beside } from '../../../../src/tinymim/data/test-sets.ts';

const spec = { name: 'procedural', classes: 4, image_size: [28, 28], channels: 1, train: 4, validation: 4, test: 16, seed: 3 } as const;
const split: ImageSet = proceduralSet({ ...spec, image_size: [28, 28] }, 'test');
const before = Buffer.from(split.images);
const beside = (test: ImageSet = split): Beside => ({ dataset: { train: test, validation: test, test, mean: [0.5], std: [0.5] }, split: 'test', dataDir: '', size: [28, 28] });
const shifted = (name: 'sheared-scaled' | 'shade-inverted', images: number | null = null, test = split): ImageSet => openShifted({ name, images }, beside(test)).set;

const batchesOf = (corruption: string, size: number, images: number | null = null): EvalBatch[] => [
  ...(openCorrupted({ name: 'simulated', images }, beside()).batches(corruption, size) as Iterable<EvalBatch>),
];
const joined = (batches: readonly EvalBatch[]): Buffer => Buffer.concat(batches.map(({ images }) => images));

describe('corrupted images', () => {
  it.each(CORRUPTION_NAMES)('%s: the same bytes in batches of any size, stronger at the highest severity than at the lowest, and the images as they were', corruption => {
    const all = batchesOf(corruption, 32);
    expect(all.map(({ start, labels }) => [start, labels.length])).toEqual([[0, 32], [32, 32], [64, 16]]); // prettier-ignore
    expect(joined(all).equals(joined(batchesOf(corruption, 7)))).toBe(true);
    const bytes = split.images.length;
    const strength = [0, 4].map(severity => joined(all).subarray(severity * bytes, (severity + 1) * bytes).reduce((sum, level, i) => sum + Math.abs(level - before[i]!), 0)); // prettier-ignore
    expect(strength[0]).toBeGreaterThan(0);
    if (corruption !== 'elastic_transform') expect(strength[1]).toBeGreaterThan(strength[0]!); // whose mildest moves corners furthest
    expect(before.equals(split.images)).toBe(true);
  });

  it('have the labels of the images at every severity', () => {
    const labels = batchesOf('fog', 64).flatMap(batch => [...batch.labels]);
    expect(labels).toEqual(Array.from({ length: 5 }, () => [...split.labels]).flat());
  });

  it('are of as many images as are asked for, with balanced classes', () => {
    const { count, shape } = openCorrupted({ name: 'simulated', images: 12 }, beside());
    expect([count, shape.count]).toEqual([12, 60]);
    const labels = batchesOf('scale', 60, 12).flatMap(batch => [...batch.labels].slice(0, 12));
    expect([0, 1, 2, 3].map(label => labels.filter(other => other === label).length)).toEqual([3, 3, 3, 3]);
  });

  it('differ from image to image where anything is drawn', () => {
    const blank = { ...split, images: new Uint8Array(split.images.length).fill(128) };
    const images = [...(openCorrupted({ name: 'simulated', images: null }, beside(blank)).batches('gaussian_noise', 16) as Iterable<EvalBatch>)][0]!.images;
    expect(Buffer.from(images.subarray(0, 784)).equals(images.subarray(784, 2 * 784))).toBe(false);
  });
});

describe('shifted images', () => {
  it.each(['sheared-scaled', 'shade-inverted'] as const)('%s: others than the images, always the same, and the images as they were', name => {
    const changed = shifted(name);
    expect(before.equals(split.images)).toBe(true);
    expect(Buffer.from(changed.images).equals(before)).toBe(false);
    expect(Buffer.from(changed.images).equals(shifted(name).images)).toBe(true);
    expect([...changed.labels]).toEqual([...split.labels]);
    expect(shifted(name, 8).count).toBe(8);
  });

  it('have inverted shades: where it was black it is white', () => {
    const black = { ...split, images: new Uint8Array(split.images.length) };
    expect(shifted('shade-inverted', null, black).images.every(level => level === 255)).toBe(true);
    expect(shifted('sheared-scaled', null, black).images.every(level => level === 0)).toBe(true);
  });
});
