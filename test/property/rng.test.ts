import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../src/engine/random/rng.ts';

const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const steps = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const address = fc.tuple(seeds, fc.string({ unit: 'grapheme' }), steps);
const lengths = fc.integer({ min: 0, max: 70 });

describe('stream', () => {
  it('gives the same numbers whatever else is drawn in between', () => {
    fc.assert(
      fc.property(address, address, lengths, (one, other, n) => {
        const alone = stream(...one).uniforms(n);
        const s = stream(...one),
          noise = stream(...other);
        const mixed = Float32Array.from({ length: n }, () => (noise.normal(), s.uniform()));
        expect(mixed).toEqual(alone);
      }),
    );
  });

  it('draws n at once as it draws them one at a time', () => {
    fc.assert(
      fc.property(address, lengths, lengths, (at, n, m) => {
        const bulk = stream(...at),
          single = stream(...at);
        for (const count of [n, m]) {
          expect(bulk.normals(count)).toEqual(Float32Array.from({ length: count }, () => single.normal()));
          expect(bulk.uniforms(count)).toEqual(Float32Array.from({ length: count }, () => single.uniform()));
        }
      }),
    );
  });

  it('draws uniforms in [0, 1) that float32 represents exactly', () => {
    fc.assert(
      fc.property(address, at => {
        const s = stream(...at);
        for (let i = 0; i < 9; i++) {
          const u = s.uniform();
          expect(u).toBeGreaterThanOrEqual(0);
          expect(u).toBeLessThan(1);
          expect(Number.isInteger(u * 2 ** 24)).toBe(true);
        }
      }),
    );
  });

  it('draws finite normals', () => {
    fc.assert(
      fc.property(address, at => {
        expect(
          stream(...at)
            .normals(9)
            .every(z => Math.abs(z) < 6.67),
        ).toBe(true);
      }),
    );
  });

  it('draws integers below the bound', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 2 ** 32 }), (at, below) => {
        const x = stream(...at).integer(below);
        expect(Number.isInteger(x) && x >= 0 && x < below).toBe(true);
      }),
    );
  });

  it('draws permutations', () => {
    fc.assert(
      fc.property(address, lengths, (at, n) => {
        const sorted = stream(...at)
          .permutation(n)
          .sort();
        expect([...sorted]).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });
});
