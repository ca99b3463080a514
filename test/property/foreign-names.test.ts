import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostTensor, Weights } from '../../src/engine/formats/weights.ts';
import { DIALECTS, foreignNames, fromDialect, readForeignNames, recogniseDialects, toDialect } from '../../src/tinymim/nn/foreign-names.ts';
import { classifierSpec, encoderSpec, maeSpec, type ModelSpec } from '../../src/tinymim/nn/spec.ts';

const dialects = fc.constantFrom(...DIALECTS);
const model = fc
  .record({ depth: fc.integer({ min: 1, max: 13 }), width: fc.constantFrom(4, 8, 12), of: fc.constantFrom('encoder', 'mae', 'mean', 'class_token', 'distilled', 'wide') })
  .map(({ depth, width, of }): ModelSpec => {
    const vit = { image_size: [4, 6] as const, patch_size: 2, in_chans: 1, embed_dim: width, depth, num_heads: 2, mlp_ratio: 2 };
    if (of === 'encoder') return encoderSpec(vit);
    if (of === 'mae') return maeSpec(vit, { embed_dim: 4, depth: 2, num_heads: 1, mlp_ratio: 1 });
    if (of === 'distilled' || of === 'wide') return classifierSpec({ ...vit, pool: 'class_token', dist_token: true, feature_dim: of === 'wide' ? 8 : null }, 3);
    return classifierSpec({ ...vit, pool: of }, 3);
  });

/** All numbers of a model differ, so that no exchange is missed. */
function filled(spec: ModelSpec): Weights {
  let next = 0;
  return Object.fromEntries(
    Object.entries(spec).map(([name, { shape }]): [string, HostTensor] => [name, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++) }]),
  );
}

const shuffled = <T>(record: Readonly<Record<string, T>>, seed: readonly number[]): Record<string, T> =>
  Object.fromEntries(
    Object.entries(record)
      .map((entry, i) => [seed[i % seed.length]! + i / 1e6, entry] as const)
      .sort(([a], [b]) => a - b)
      .map(([, entry]) => entry),
  );
const order = fc.array(fc.nat(1000), { minLength: 1, maxLength: 50 });

describe('names of other libraries', () => {
  it('lead back to the same weights, whatever their order', () => {
    fc.assert(
      fc.property(model, dialects, order, (spec, dialect, seed) => {
        const weights = filled(spec);
        const { weights: foreign, without } = toDialect(weights, dialect);
        const back = fromDialect(shuffled(foreign, seed), dialect);
        expect(back.weights).toEqual(Object.fromEntries(Object.entries(weights).filter(([name]) => !without.includes(name))));
        expect([back.unknown, [...back.incomplete]]).toEqual([[], []]);
        expect(without.every(name => foreignNames(name, dialect) === undefined)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('tell the dialect that wrote them', () => {
    fc.assert(
      fc.property(model, dialects, (spec, dialect) => {
        expect(recogniseDialects(Object.keys(toDialect(filled(spec), dialect).weights))).toContain(dialect);
      }),
      { numRuns: 25 },
    );
  });

  it('account for every name that is read, once', () => {
    const known = DIALECTS.flatMap(dialect =>
      Object.keys(maeSpec({ image_size: [2, 2], patch_size: 1, in_chans: 1, embed_dim: 4, depth: 2, num_heads: 1, mlp_ratio: 1 }, { embed_dim: 4, depth: 1, num_heads: 1, mlp_ratio: 1 })).flatMap(
        name => foreignNames(name, dialect) ?? [],
      ),
    );
    const name = fc.oneof(fc.constantFrom(...new Set(known), 'blocks.0.attn.q.weight', 'blocks.0.attn.k.weight', 'layernorm.weight'), fc.string({ unit: 'binary', maxLength: 8 }));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 20 }), dialects, (names, dialect) => {
        const { sources, unknown, incomplete } = readForeignNames(names, dialect);
        const used = [...sources.values()].flat();
        expect(new Set(used).size).toBe(used.length);
        expect(used.every(one => names.includes(one))).toBe(true);
        expect([...incomplete.values()].flat().some(one => names.includes(one))).toBe(false);
        // What is neither used nor unknown is part of something incomplete.
        const rest = names.filter(one => !used.includes(one) && !unknown.includes(one));
        expect(used.some(one => unknown.includes(one))).toBe(false);
        expect(rest.length > 0).toBe(incomplete.size > 0);
      }),
      { numRuns: 40 },
    );
  });
});
