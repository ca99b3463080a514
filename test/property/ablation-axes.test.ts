import fc from 'fast-check';
import { expect, test } from 'vitest';
import { axesOf, type ArmPiece } from '../../src/core/ablation/axes.ts';
import { expandAblation } from '../../src/core/ablation/expand.ts';
import { canonicalJson } from '../../src/core/ablation/json.ts';
import study, { type Factors } from '../toy/experiments/study.ts';

const { axis, product, zip, union } = axesOf<Factors>();

/** An axis of a factor with distinct values, named after them. */
function axisOf<K extends keyof Factors>(factor: K, values: readonly Factors[K][]): fc.Arbitrary<ArmPiece<Factors>[]> {
  return fc.shuffledSubarray([...values], { minLength: 1 }).map(chosen =>
    axis(
      factor,
      chosen.map(value => ({ name: `${factor}.${values.indexOf(value)}`, label: `${factor} ${JSON.stringify(value)}`, value: value as Exclude<Factors[K], undefined> })),
    ),
  );
}

const all = fc.tuple(
  axisOf('variety', ['oak', 'elm', 'fir']),
  axisOf('cut', [0, 0.25, 1]),
  axisOf('grafted', [true, false]),
  axisOf('trouble', [
    { kind: 'none', at: 0 },
    { kind: 'fail', at: 1 },
    { kind: 'fail', at: 2 },
  ]),
);
const axes = all.chain(list => fc.shuffledSubarray(list, { minLength: 1 }));
const choices = (arms: readonly ArmPiece<Factors>[]): string[] => arms.map(a => canonicalJson(a.factors)).sort();

test('a product holds each combination once, whatever the order of its axes', () => {
  fc.assert(
    fc.property(
      axes,
      axes.map(list => list.length),
      (list, turn) => {
        const arms = product(...list);
        expect(arms).toHaveLength(list.reduce((n, pieces) => n * pieces.length, 1));
        expect(new Set(choices(arms)).size).toBe(arms.length);
        expect(new Set(arms.map(a => a.name)).size).toBe(arms.length);
        const turned = [...list.slice(turn % list.length), ...list.slice(0, turn % list.length)].reverse();
        expect(choices(product(...turned))).toEqual(choices(arms));
      },
    ),
  );
});

test('expansion gives each combination its full choice of factors, in any order of axes the same, none twice', () => {
  const expanded = (arms: readonly ArmPiece<Factors>[]): string[] => {
    const declaration = { name: 'x', title: 't', table: 'ours', question: 'q', expected: 'e', base: {}, default: arms[0]!.name, arms: arms as never };
    return expandAblation(declaration, study)
      .arms.map(a => canonicalJson(a.factors))
      .sort();
  };
  fc.assert(
    fc.property(axes, list => {
      const found = expanded(product(...list));
      expect(new Set(found).size).toBe(found.length);
      expect(expanded(product(...[...list].reverse()))).toEqual(found);
      expect(expanded(product(...list).reverse())).toEqual(found);
    }),
  );
});

test('products nest: it does not matter which axes are multiplied first', () => {
  fc.assert(
    fc.property(all, ([a, b, c, d]) => {
      const flat = product(a, b, c, d);
      expect(product(product(a, b), product(c, d))).toEqual(flat);
      expect(product(a, product(b, product(c, d)))).toEqual(flat);
    }),
  );
});

test('a product with parts of an axis gives parts of the product', () => {
  fc.assert(
    fc.property(all, fc.nat(3), ([a, b], at) => {
      expect(union(product(a.slice(0, at), b), product(a.slice(at), b))).toEqual(product(a, b));
    }),
  );
});

test('zip gives arms of the product, each piece used once', () => {
  fc.assert(
    fc.property(all, ([a, b, c]) => {
      const length = Math.min(a.length, b.length, c.length);
      const [x, y, z] = [a.slice(0, length), b.slice(0, length), c.slice(0, length)];
      const arms = zip(x, y, z);
      expect(arms).toHaveLength(length);
      expect(product(x, y, z)).toEqual(expect.arrayContaining(arms));
      for (const pieces of [x, y, z]) expect(arms.map(arm => pieces.filter(p => arm.name.split('-').includes(p.name)).length)).toEqual(pieces.map(() => 1));
    }),
  );
});
