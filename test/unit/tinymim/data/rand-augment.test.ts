import { describe, expect, it } from 'vitest';
import { applyRandAugment, drawRandAugment, OPERATIONS, parseRandAugment } from '../../../../src/tinymim/data/rand-augment.ts';
import { stream } from '../../../../src/engine/random/rng.ts';

describe("timm's notation", () => {
  it.each([
    ['rand-m9-mstd0.5-inc1', { magnitude: 9, deviation: 0.5, layers: 2, probability: 0.5 }],
    ['rand-inc1', { magnitude: 10, deviation: 0, layers: 2, probability: 0.5 }],
    ['rand-n3-inc1-m7-p0.25', { magnitude: 7, deviation: 0, layers: 3, probability: 0.25 }],
  ])('%s', (text, options) => {
    expect(parseRandAugment(text)).toEqual(options);
  });

  it.each(['rand-m9', 'rand-m9-inc0', 'rand-m11-inc1', 'rand-m9.5-inc1', 'rand-mstd101-inc1', 'rand-m9-inc1-w0', 'rand-m9-tweights-inc1', 'rand-n0-inc1', 'rand-p2-inc1', 'rand--inc1', 'v0-inc1', ''])(
    "'%s' is another than ours",
    text => {
      expect(parseRandAugment(text)).toBeUndefined();
    },
  );
});

describe('draws', () => {
  const options = parseRandAugment('rand-m9-mstd0.5-inc1')!;
  const drawn = Array.from({ length: 6000 }, (_, i) => drawRandAugment(stream(1, `test ${i}`, 0), options));
  const layers = drawn.flat();

  it('apply each of two operations every second time', () => {
    // Standard error of the mean number of operations: 0.009.
    expect(Math.abs(layers.length / drawn.length - 1)).toBeLessThan(0.04);
    expect(new Set(drawn.map(({ length }) => length))).toEqual(new Set([0, 1, 2]));
  });

  it('take all operations alike, either sign, and a normal magnitude that ends at 10', () => {
    for (const name of Object.keys(OPERATIONS)) {
      const share = layers.filter(({ operation }) => operation === name).length / layers.length;
      expect(Math.abs(share - 1 / 15)).toBeLessThan(0.014); // standard error 0.0032
    }
    expect(Math.abs(layers.filter(({ sign }) => sign < 0).length / layers.length - 0.5)).toBeLessThan(0.03);
    const magnitudes = layers.map(({ magnitude }) => magnitude);
    expect(magnitudes.reduce((a, b) => a + b, 0) / magnitudes.length).toBeCloseTo(9, 1);
    expect(Math.max(...magnitudes)).toBe(10);
    expect(magnitudes.filter(m => m === 10).length / magnitudes.length).toBeCloseTo(0.023, 2); // beyond two deviations
  });
});

it('changes nothing outside its image, at the largest magnitude either', () => {
  const data = new Uint8Array(3 + 5 * 4 * 3 + 3).fill(77);
  for (const operation of Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]) {
    for (const sign of [1, -1] as const) {
      applyRandAugment({ data, offset: 3, height: 5, width: 4, channels: 3 }, [{ operation, magnitude: 10, sign }], [1, 2, 3]);
      expect([...data.subarray(0, 3), ...data.subarray(63)]).toEqual([77, 77, 77, 77, 77, 77]);
    }
  }
});

it('leaves black where no bit of a level is kept, which a PIL of today refuses', () => {
  const data = Uint8Array.of(0, 130, 255);
  applyRandAugment({ data, offset: 0, height: 1, width: 3, channels: 1 }, [{ operation: 'PosterizeIncreasing', magnitude: 10, sign: 1 }], [0]);
  expect([...data]).toEqual([0, 0, 0]);
});
