import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keptPatches, maskingIndices } from '../../../../src/tinymim/nn/masking.ts';

const cases = fc
  .record({ batch: fc.integer({ min: 1, max: 4 }), patches: fc.integer({ min: 2, max: 20 }), keep: fc.double({ min: 0.05, max: 0.95, noNaN: true }) })
  .filter(({ patches, keep }) => keptPatches(patches, 1 - keep) >= 1 && keptPatches(patches, 1 - keep) < patches)
  .chain(({ batch, patches, keep }) =>
    fc.record({
      patches: fc.constant(patches),
      ratio: fc.constant(1 - keep),
      // few distinct values of both signs and both zeros, so that ties occur
      noise: fc.array(fc.integer({ min: -15, max: 15 }), { minLength: batch * patches, maxLength: batch * patches }).map(values => Float32Array.from(values, (x, i) => (i % 2 ? -x : x) / 31)),
    }),
  );

describe('maskingIndices', () => {
  it('keeps the patches with the smallest noise, in its order, and can restore the order of the patches', () => {
    fc.assert(
      fc.property(cases, ({ patches, ratio, noise }) => {
        const { batch, kept, idsKeep, idsRestore, mask } = maskingIndices(noise, patches, ratio);
        expect(batch).toBe(noise.length / patches);
        for (let b = 0; b < batch; b++) {
          const sample = (all: Int32Array | Float32Array, size: number) => [...all.subarray(b * size, (b + 1) * size)];
          const keep = sample(idsKeep, kept),
            restore = sample(idsRestore, patches),
            values = sample(noise, patches);
          expect(restore.toSorted((a, c) => a - c)).toEqual(restore.map((_, i) => i));
          keep.forEach((patch, place) => expect(restore[patch]).toBe(place));
          expect(keep).toEqual([...values.keys()].sort((a, c) => values[a]! - values[c]! || a - c).slice(0, kept));
          expect(sample(mask, patches)).toEqual(restore.map(place => (place < kept ? 0 : 1)));
        }
      }),
    );
  });

  it('rounds the number of visible patches down, as MAE does', () => {
    expect(keptPatches(196, 0.75)).toBe(49);
    expect(keptPatches(49, 0.75)).toBe(12);
  });

  it.each([
    [0.99, 4],
    [0, 4],
  ])('refuses ratio %d of %i patches', (ratio, patches) => {
    expect(() => maskingIndices(new Float32Array(8), patches, ratio)).toThrow(/mask ratio that leaves 1 to 3 of 4/);
  });

  it('refuses noise for half an image', () => expect(() => maskingIndices(new Float32Array(6), 4, 0.5)).toThrow(/whole images of 4 patches, got 6/));
});
