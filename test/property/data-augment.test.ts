import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flipHorizontal, randomResizedCrop } from '../../src/tinymim/data/augment.ts';
import { resizeBicubic, type Box, type Pixels } from '../../src/tinymim/data/resize.ts';
import { stream } from '../../src/engine/random/rng.ts';

const sizes = fc.integer({ min: 1, max: 12 });
const images = fc.record({ height: sizes, width: sizes, channels: fc.constantFrom(1, 3) }).chain(size => {
  const length = size.height * size.width * size.channels;
  return fc.uint8Array({ minLength: length, maxLength: length }).map(data => ({ ...size, offset: 0, data }));
});

const blank = (height: number, width: number, channels: number): Pixels => ({ data: new Uint8Array(height * width * channels), offset: 0, height, width, channels });
const whole = ({ height, width }: Pixels): Box => ({ top: 0, left: 0, height, width });

function resized(source: Pixels, box: Box, height: number, width: number): Uint8Array {
  const target = blank(height, width, source.channels);
  resizeBicubic(source, box, target);
  return target.data;
}

describe('resizeBicubic', () => {
  it('keeps an image of the same size, and one colour at any size', () => {
    fc.assert(
      fc.property(images, sizes, sizes, fc.nat(255), (image, height, width, level) => {
        expect(Buffer.compare(resized(image, whole(image), image.height, image.width), image.data)).toBe(0);
        const flat = { ...image, data: image.data.map(() => level) };
        expect(new Set(resized(flat, whole(flat), height, width))).toEqual(new Set([level]));
      }),
    );
  });

  it('sees nothing outside the box, and writes nothing outside the target', () => {
    fc.assert(
      fc.property(images, fc.nat(), sizes, sizes, fc.nat(255), (image, seed, height, width, level) => {
        const box = randomResizedCrop(stream(seed, 'box', 0), image.height, image.width, { scale: [0.01, 1], ratio: [0.2, 5] });
        const row = image.width * image.channels;
        const cropped = blank(box.height, box.width, image.channels);
        for (let y = 0; y < box.height; y++) {
          const from = (box.top + y) * row + box.left * image.channels;
          cropped.data.set(image.data.subarray(from, from + box.width * image.channels), y * box.width * image.channels);
        }
        const expected = resized(cropped, whole(cropped), height, width);
        const batch = new Uint8Array(expected.length + 20).fill(level);
        resizeBicubic(image, box, { data: batch, offset: 10, height, width, channels: image.channels });
        expect(Buffer.compare(batch.subarray(10, -10), expected)).toBe(0);
        expect([...batch.subarray(0, 10), ...batch.subarray(-10)]).toEqual(new Array(20).fill(level));
      }),
    );
  });
});

describe('a cutout of a resized image', () => {
  it('has the bytes that it has in the whole of it', () => {
    fc.assert(
      fc.property(images, sizes, sizes, fc.nat(), (image, height, width, seed) => {
        const draws = stream(seed, 'cutout', 0);
        const [rows, columns] = [1 + draws.integer(height), 1 + draws.integer(width)];
        const [top, left] = [draws.integer(height - rows + 1), draws.integer(width - columns + 1)];
        const all = resized(image, whole(image), height, width),
          target = blank(rows, columns, image.channels);
        resizeBicubic(image, whole(image), target, { of: { height, width }, top, left });
        const row = columns * image.channels;
        for (let y = 0; y < rows; y++) {
          const from = ((top + y) * width + left) * image.channels;
          expect(Buffer.compare(target.data.subarray(y * row, (y + 1) * row), all.subarray(from, from + row))).toBe(0);
        }
      }),
    );
  });
});

describe('randomResizedCrop', () => {
  it('stays within the image, and within the ranges up to rounding', () => {
    const range = (min: number, max: number) => fc.tuple(fc.double({ min, max, noNaN: true }), fc.double({ min, max, noNaN: true })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const side = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(fc.nat(), side, side, range(0.01, 1), range(0.25, 4), (seed, height, width, scale, ratio) => {
        const box = randomResizedCrop(stream(seed, 'box', 0), height, width, { scale, ratio });
        expect(Object.values(box).every(Number.isInteger)).toBe(true);
        expect(Math.min(box.top, box.left)).toBeGreaterThanOrEqual(0);
        expect(Math.min(box.height, box.width)).toBeGreaterThanOrEqual(1);
        expect(box.top + box.height).toBeLessThanOrEqual(height);
        expect(box.left + box.width).toBeLessThanOrEqual(width);
        const widest = ratio[1] * (box.height + 0.5) + 0.5,
          highest = (box.width + 0.5) / ratio[0] + 0.5;
        expect(box.width).toBeLessThanOrEqual(Math.max(widest * (1 + 1e-9), 1));
        expect(box.height).toBeLessThanOrEqual(Math.max(highest * (1 + 1e-9), 1));
      }),
    );
  });
});

describe('flipHorizontal', () => {
  it('undoes itself', () => {
    fc.assert(
      fc.property(images, image => {
        const flipped = { ...image, data: image.data.slice() };
        flipHorizontal(flipped);
        for (let x = 0; x < image.width; x++) {
          const mirrored = (image.width - 1 - x) * image.channels;
          expect(flipped.data[x * image.channels]).toBe(image.data[mirrored]);
        }
        flipHorizontal(flipped);
        expect(Buffer.compare(flipped.data, image.data)).toBe(0);
      }),
    );
  });
});
