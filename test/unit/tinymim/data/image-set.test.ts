import { describe, expect, it } from 'vitest';
import { centralImage } from '../../../../src/tinymim/data/augment.ts';
import { channelStatistics, openDataset } from '../../../../src/tinymim/data/dataset.ts';
import { DataError } from '../../../../src/tinymim/data/errors.ts';
import { holdOut, joinIdx } from '../../../../src/tinymim/data/fashion-mnist.ts';
import { allocateImageSet, evalBatches, imageBytes, labelledSubset, unlabelledSubset, type ImageSet } from '../../../../src/tinymim/data/image-set.ts';
import { imageCount, type DataSpec, type Split } from '../../../../src/tinymim/data/spec.ts';

const spec = { name: 'procedural', classes: 4, image_size: [12, 16], channels: 3, train: 203, validation: 40, test: 41, seed: 7 } satisfies DataSpec;
const { train, validation, test, mean, std } = openDataset(spec, '');

const perClass = (set: ImageSet): number[] => set.classes.map((_, label) => set.labels.filter(own => own === label).length);
const imagesOf = (set: ImageSet): string[] => Array.from({ length: set.count }, (_, i) => Buffer.from(set.images.subarray(i * imageBytes(set), (i + 1) * imageBytes(set))).toString('base64'));

describe('procedural images', () => {
  it('have the sizes of the spec, in memory that threads can share', () => {
    for (const [split, set] of Object.entries({ train, validation, test })) {
      expect(set.count).toBe(imageCount(spec, split as Split));
      expect([set.height, set.width, set.channels]).toEqual([12, 16, 3]);
      expect(set.images).toHaveLength(set.count * 12 * 16 * 3);
      expect(set.images.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(set.labels.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect(set.classes).toEqual(['disc', 'square', 'triangle', 'ring']);
    }
    expect(perClass(train)).toEqual([51, 51, 51, 50]);
  });

  it('depend on the seed and their place alone', () => {
    const same = openDataset({ ...spec, train: 50, classes: 4 }, '').train;
    expect(Buffer.compare(same.images, train.images.subarray(0, same.images.length))).toBe(0);
    expect(openDataset({ ...spec, seed: 8 }, '').train.images).not.toEqual(train.images);
    expect(new Set([train, validation, test].flatMap(imagesOf)).size).toBe(203 + 40 + 41);
  });

  it('cannot be told apart by brightness, but can by comparing pixels', () => {
    const { train: seen, test: unseen } = openDataset({ ...spec, image_size: [16, 16], channels: 1, train: 1000, test: 200 }, '');
    const brightness = (set: ImageSet, i: number): Uint8Array | number[] => [imageOf(set, i).reduce((sum, level) => sum + level, 0)];
    expect(nearestNeighbour(seen, unseen, brightness)).toBeLessThan(0.35);
    const pixels = nearestNeighbour(seen, unseen, imageOf);
    expect(pixels).toBeGreaterThan(0.6);
    expect(pixels).toBeLessThan(0.95);
  });
});

function imageOf(set: ImageSet, i: number): Uint8Array {
  return set.images.subarray(i * imageBytes(set), (i + 1) * imageBytes(set));
}

/** Share of `unseen` whose nearest neighbour in `seen` has its label. */
function nearestNeighbour(seen: ImageSet, unseen: ImageSet, feature: (set: ImageSet, i: number) => ArrayLike<number>): number {
  const known = Array.from({ length: seen.count }, (_, i) => feature(seen, i));
  let right = 0;
  for (let i = 0; i < unseen.count; i++) {
    const own = feature(unseen, i);
    const distances = known.map(other => {
      let sum = 0;
      for (let k = 0; k < own.length; k++) sum += (own[k]! - other[k]!) ** 2;
      return sum;
    });
    const nearest = distances.indexOf(Math.min(...distances));
    if (seen.labels[nearest] === unseen.labels[i]) right++;
  }
  return right / unseen.count;
}

describe('channelStatistics', () => {
  it('gives mean and deviation of each channel, where 255 is 1', () => {
    const set = allocateImageSet({ name: 'x', count: 2, height: 1, width: 2, channels: 2, classes: ['a'] });
    set.images.set([0, 255, 255, 255, 0, 255, 255, 255]);
    expect(channelStatistics(set)).toEqual({ mean: [0.5, 1], std: [0.5, 0] });
  });

  it('is taken from the training split', () => {
    expect({ mean, std }).toEqual(channelStatistics(train));
    expect(mean).not.toEqual(channelStatistics(test).mean);
  });
});

describe('subsets', () => {
  it('of labelled images have balanced classes and contain the smaller ones', () => {
    const large = labelledSubset(train, 42),
      small = labelledSubset(train, 8);
    expect(perClass(large)).toEqual([11, 11, 10, 10]);
    expect(perClass(small)).toEqual([2, 2, 2, 2]);
    expect(imagesOf(large)).toEqual(expect.arrayContaining(imagesOf(small)));
    expect(imagesOf(train)).toEqual(expect.arrayContaining(imagesOf(large)));
    expect(imagesOf(labelledSubset(train, 42))).toEqual(imagesOf(large));
    expect(imagesOf(labelledSubset(train, 42, 1))).not.toEqual(imagesOf(large));
    expect(large.images.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('of unlabelled images have distinct images and contain the smaller ones', () => {
    const large = imagesOf(unlabelledSubset(train, 60)),
      small = imagesOf(unlabelledSubset(train, 10));
    expect(new Set(large).size).toBe(60);
    expect(large).toEqual(expect.arrayContaining(small));
    expect(imagesOf(unlabelledSubset(train, train.count))).toEqual(imagesOf(train));
  });

  it('cannot be larger than the set, or than its smallest class allows', () => {
    expect(() => labelledSubset(train, 204)).toThrow('Expected a subset of 1 to 203 images of procedural/train, got 204.');
    expect(() => unlabelledSubset(train, 0)).toThrow(DataError);
    const uneven = allocateImageSet({ name: 'uneven', count: 5, height: 1, width: 1, channels: 1, classes: ['a', 'b'] });
    uneven.labels[4] = 1;
    expect(() => labelledSubset(uneven, 4)).toThrow('Expected uneven to have enough images of every class for 4 with balanced classes, got 1 too few of "b". Ask for fewer.');
  });
});

describe('evalBatches', () => {
  it('gives every image once, in order, with its label', () => {
    const batches = [...evalBatches(test, 16)];
    expect(batches.map(({ start, labels }) => [start, labels.length])).toEqual([
      [0, 16],
      [16, 16],
      [32, 9],
    ]);
    expect(Buffer.concat(batches.map(({ images }) => images)).equals(test.images)).toBe(true);
    expect(batches.flatMap(({ labels }) => [...labels])).toEqual([...test.labels]);
  });

  it('gives the centres of resized images where that is asked for', () => {
    const [batch] = evalBatches(test, 16, 14),
      { height, width, channels } = test;
    const at = (data: Uint8Array, i: number) => ({ data, offset: i * imageBytes(test), height, width, channels });
    const expected = new Uint8Array(16 * imageBytes(test));
    for (let i = 0; i < 16; i++) centralImage(at(test.images, i), at(expected, i), 14);
    expect(Buffer.compare(batch!.images, expected)).toBe(0);
    expect(Buffer.compare(batch!.images, test.images.subarray(0, expected.length))).not.toBe(0);
    expect([...batch!.labels]).toEqual([...test.labels.subarray(0, 16)]);
  });
});

describe('holdOut', () => {
  it('splits a set in two, with balanced classes held out', () => {
    const { train: rest, validation: held } = holdOut(train, 40);
    expect(perClass(held)).toEqual([10, 10, 10, 10]);
    expect([...imagesOf(rest), ...imagesOf(held)].sort()).toEqual(imagesOf(train).sort());
    expect(imagesOf(holdOut(train, 40).validation)).toEqual(imagesOf(held));
  });
});

describe('joinIdx', () => {
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40);
  const labels = (...values: number[]): Uint8Array => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, values.length, ...values);

  it('makes grey images with labels', () => {
    const set = joinIdx('x', images, labels(1, 0), ['a', 'b']);
    expect([set.count, set.height, set.width, set.channels]).toEqual([2, 1, 2, 1]);
    expect([...set.images]).toEqual([10, 20, 30, 40]);
    expect([...set.labels]).toEqual([1, 0]);
  });

  it.each([
    [images, labels(1), 'Expected x labels of shape [2], one for each image, got [1].'],
    [images, labels(1, 2), 'Expected x labels below 2, got 2.'],
    [labels(1), labels(1), 'Expected x images of shape [N, H, W], got [1].'],
  ])('refuses files that do not belong together', (one, two, message) => {
    expect(() => joinIdx('x', one, two, ['a', 'b'])).toThrow(message);
  });
});

describe('openDataset', () => {
  it('says which file of Fashion-MNIST is missing and what mends that', () => {
    expect(() => openDataset({ name: 'fashion-mnist' }, '/nonexistent')).toThrow(
      expect.objectContaining({
        code: 'DATA_MISSING',
        message: 'Expected the file /nonexistent/fashion-mnist/train-images-idx3-ubyte, got none. Run `npx ablate setup`.',
      }),
    );
  });
});
