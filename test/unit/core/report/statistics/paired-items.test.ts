import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { difference, testSetError, type Replicate } from '../../../../../src/core/report/statistics/compare.ts';
import { pairedShareError, pairItems } from '../../../../../src/core/report/statistics/paired-items.ts';

describe('pairItems', () => {
  it('counts the items by which of two were right', () => {
    expect(pairItems([true, true, true, false, false, false], [true, true, false, true, false, false])).toEqual({ both: 2, onlyA: 1, onlyB: 1, neither: 2 });
    expect(pairItems([], [])).toEqual({ both: 0, onlyA: 0, onlyB: 0, neither: 0 });
  });

  it('compares nothing where the two have not tested as many', () => {
    expect(pairItems([true], [true, false])).toBeUndefined();
  });
});

/** `both`, `only a`, `only b` and `neither` items in that order. */
const items = (counts: readonly [number, number, number, number], right: readonly [boolean, boolean, boolean, boolean]): boolean[] =>
  counts.flatMap((count, i) => Array.from({ length: count }, () => right[i]!));
const ofA = (...counts: [number, number, number, number]): boolean[] => items(counts, [true, true, false, false]);
const ofB = (...counts: [number, number, number, number]): boolean[] => items(counts, [true, false, true, false]);

/** As a test gives it: the share that is right and its binomial standard error. */
function tested(right: readonly boolean[]): Replicate {
  const value = right.filter(Boolean).length / right.length;
  return { value, standardError: Math.sqrt((value * (1 - value)) / right.length), items: () => right };
}

describe('the standard error of the difference of two shares of the same items', () => {
  // Approval of a prime minister by 1,600 people, asked twice: Agresti, Categorical Data Analysis, 2nd edition, table 10.1 and section 10.1.
  const approval: [number, number, number, number] = [794, 150, 86, 570];

  it('is that of the textbook: 0.0095, where two samples of other people would have 0.0175', () => {
    const pairs = pairItems(ofA(...approval), ofB(...approval))!;
    expect(pairedShareError(pairs).toFixed(4)).toBe('0.0095');
    const [a, b] = [tested(ofA(...approval)), tested(ofB(...approval))];
    expect(testSetError(a, b)).toEqual({ standardError: pairedShareError(pairs), of: 'images' });
    expect(testSetError({ ...a, items: undefined }, b)).toEqual({ standardError: expect.closeTo(0.0175, 4) as number, of: 'binomial' });
  });

  it('is the deviation of the differences of the items over the root of their number, whichever of the two comes first', () => {
    const rights = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rights, all => {
        const [a, b] = [all.map(([inA]) => inA), all.map(([, inB]) => inB)];
        const deltas = all.map(([inA, inB]) => Number(inA) - Number(inB));
        const centre = deltas.reduce((sum, delta) => sum + delta, 0) / deltas.length;
        const variance = deltas.reduce((sum, delta) => sum + (delta - centre) ** 2, 0) / deltas.length;
        const pairs = pairItems(a, b)!;
        expect(pairedShareError(pairs)).toBeCloseTo(Math.sqrt(variance / deltas.length), 12);
        expect(pairedShareError(pairItems(b, a)!)).toBe(pairedShareError(pairs));
      }),
    );
  });
});

describe('two models of one seed', () => {
  const [a, b] = [ofA(8_300, 120, 80, 1_500), ofB(8_300, 120, 80, 1_500)];

  it('differ by the images on which they differ: 0.14 points, where taking them as independent says 0.52', () => {
    const paired = difference(new Map([[0, tested(a)]]), new Map([[0, tested(b)]]))!;
    expect(paired).toMatchObject({ n: 1, error: 'images', interval: undefined });
    expect([100 * paired.value, 100 * paired.standardError].map(points => points.toFixed(2))).toEqual(['0.40', '0.14']);
    const apart = difference(new Map([[0, { ...tested(a), items: undefined }]]), new Map([[0, tested(b)]]))!;
    expect([apart.error, (100 * apart.standardError).toFixed(2)]).toEqual(['binomial', '0.52']);
  });

  it('compare by images for a share of wrong ones, too', () => {
    const wrong = (right: readonly boolean[]): Replicate => ({ ...tested(right), value: 1 - tested(right).value });
    expect(testSetError(wrong(a), wrong(b))).toEqual(testSetError(tested(a), tested(b)));
  });

  it.each<[string, Replicate]>([
    ['the other has none', { ...tested(b), items: undefined }],
    ['the record of the other cannot be read', { ...tested(b), items: () => undefined }],
    ['the other was tested on fewer', tested(b.slice(1))],
    ['the other was tested on none', { ...tested(b), items: () => [] }],
    ['the value is not their share', { ...tested(b), value: 100 * tested(b).value }],
  ])('are taken as independent where %s', (_, other) => {
    for (const pair of [[tested(a), other] as const, [other, tested(a)] as const]) {
      expect(testSetError(...pair)).toEqual({ standardError: Math.hypot(tested(a).standardError, other.standardError), of: 'binomial' });
    }
  });

  it('of more seeds the spread over seeds counts, not the images', () => {
    const seeds = (...all: Replicate[]): Map<number, Replicate> => new Map(all.map((one, seed) => [seed, one]));
    const first = tested(a).value - tested(b).value;
    expect(difference(seeds(tested(a), tested(a)), seeds(tested(b), tested(a)))).toMatchObject({ n: 2, error: 'paired', standardError: Math.abs(first) / 2 });
    // Seeds that differ alike have no spread.
    expect(difference(seeds(tested(a), tested(a)), seeds(tested(b), tested(b)))).toMatchObject({ n: 2, error: 'paired', standardError: testSetError(tested(a), tested(b)).standardError });
  });
});
