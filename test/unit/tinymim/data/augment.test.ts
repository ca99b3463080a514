import { describe, expect, it } from 'vitest';
import { flipHorizontal, randomResizedCrop, roundHalfEven } from '../../../../src/tinymim/data/augment.ts';
import { applyJitter, drawJitter } from '../../../../src/tinymim/data/color-jitter.ts';
import { resizeBicubic, type Pixels } from '../../../../src/tinymim/data/resize.ts';
import { stream } from '../../../../src/engine/random/rng.ts';

const pixels = (height: number, width: number, channels: number, ...data: number[]): Pixels => ({ data: Uint8Array.from(data), offset: 0, height, width, channels });

describe('roundHalfEven', () => {
  it('sends halves to the even neighbour, as Python does', () => {
    expect([0.5, 1.5, 2.5, 2.4, 2.6, 7].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3, 7]);
  });
});

describe('randomResizedCrop', () => {
  it('falls back to the largest central box where no drawn box fits', () => {
    const draws = stream(0, 'test', 0);
    // The whole area at a ratio that a 4 x 40 image cannot have.
    expect(randomResizedCrop(draws, 4, 40, { scale: [1, 1], ratio: [1, 2] })).toEqual({ top: 0, left: 16, height: 4, width: 8 });
    expect(randomResizedCrop(draws, 40, 5, { scale: [1, 1], ratio: [0.5, 1] })).toEqual({ top: 15, left: 0, height: 10, width: 5 });
  });

  it('draws area uniformly and ratio log-uniformly', () => {
    const draws = stream(0, 'test', 1);
    const boxes = Array.from({ length: 4000 }, () => randomResizedCrop(draws, 1000, 1000, { scale: [0.1, 0.3], ratio: [0.5, 2] }));
    const mean = (value: (box: (typeof boxes)[number]) => number): number => boxes.reduce((sum, box) => sum + value(box), 0) / boxes.length;
    // Standard errors: 0.0009, 0.006, 0.005.
    expect(mean(box => (box.width * box.height) / 1e6)).toBeCloseTo(0.2, 2);
    expect(Math.abs(mean(box => Math.log(box.width / box.height)))).toBeLessThan(0.025);
    expect(Math.abs(mean(box => box.left / (1000 - box.width)) - 0.5)).toBeLessThan(0.02);
  });
});

describe('flipHorizontal', () => {
  it('mirrors rows and keeps channels, within its own image', () => {
    const batch = { ...pixels(1, 3, 2, 9, 9, 1, 2, 3, 4, 5, 6, 9, 9), offset: 2 };
    flipHorizontal(batch);
    expect([...batch.data]).toEqual([9, 9, 5, 6, 3, 4, 1, 2, 9, 9]);
  });
});

describe('jitter', () => {
  it('draws the same factors for the others when one is turned off', () => {
    const factor = (options: Parameters<typeof drawJitter>[1], name: string): number | undefined => drawJitter(stream(3, 'test', 0), options).find(([adjustment]) => adjustment === name)?.[1];
    const all = { brightness: 0.4, contrast: 0.3, saturation: 0.2 };
    expect(factor({ ...all, brightness: 0 }, 'contrast')).toBe(factor(all, 'contrast'));
    expect(factor({ ...all, brightness: 0 }, 'brightness')).toBe(1);
    expect(factor({ brightness: 0.4, contrast: 0.3 }, 'saturation')).toBe(1);
  });

  it('draws factors from [max(0, 1 - x), 1 + x] and all orders', () => {
    const draws = stream(4, 'test', 0);
    const drawn = Array.from({ length: 500 }, () => drawJitter(draws, { brightness: 0.4, contrast: 1.5 }));
    const range = (name: string): number[] => {
      const factors = drawn.flatMap(jitter => jitter.filter(([adjustment]) => adjustment === name).map(([, factor]) => factor));
      return [Math.min(...factors), Math.max(...factors)];
    };
    expect(range('brightness')[0]).toBeCloseTo(0.6, 1);
    expect(range('brightness')[1]).toBeCloseTo(1.4, 1);
    expect(range('contrast')[0]).toBeCloseTo(0, 1);
    expect(range('contrast')[0]).toBeGreaterThanOrEqual(0);
    expect(new Set(drawn.map(jitter => jitter.map(([name]) => name).join())).size).toBe(6);
  });

  it('acts on grey images by brightness and contrast, not by saturation', () => {
    const grey = pixels(1, 4, 1, 0, 50, 100, 250);
    applyJitter(grey, [['saturation', 0.1]]);
    expect([...grey.data]).toEqual([0, 50, 100, 250]);
    applyJitter(grey, [['contrast', 0.5]]); // mean 100
    expect([...grey.data]).toEqual([50, 75, 100, 175]);
    applyJitter(grey, [['brightness', 2]]);
    expect([...grey.data]).toEqual([100, 150, 200, 255]);
  });
});

describe('resizeBicubic', () => {
  it('refuses a box outside the image, and other channels', () => {
    const source = pixels(2, 2, 1, 1, 2, 3, 4);
    expect(() => resizeBicubic(source, { top: 0, left: 1, height: 2, width: 2 }, pixels(1, 1, 1, 0))).toThrow('Expected a box of whole pixels within 2x2, got 2x2 at row 0, column 1.');
    expect(() => resizeBicubic(source, { top: 0, left: 0, height: 2, width: 0.5 }, pixels(1, 1, 1, 0))).toThrow(RangeError);
    expect(() => resizeBicubic(source, { top: 0, left: 0, height: 2, width: 2 }, pixels(1, 1, 3, 0, 0, 0))).toThrow('Expected a target of 1 channels, got 3.');
    const part = { of: { height: 1, width: 3 }, top: 0, left: 3 };
    expect(() => resizeBicubic(source, { top: 0, left: 0, height: 2, width: 2 }, pixels(1, 1, 1, 0), part)).toThrow('Expected a part of the resized image of 1x3, got 1x1 at row 0, column 3.');
  });
});
