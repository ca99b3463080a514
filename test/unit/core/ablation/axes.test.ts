import { describe, expect, test } from 'vitest';
import { axesOf } from '../../../../src/core/ablation/axes.ts';
import type { Published } from '../../../../src/core/ablation/declaration.ts';
import { UsageError } from '../../../../src/core/ablation/errors.ts';
import type { Factors } from '../../../toy/experiments/study.ts';

const { axis, product, zip, union, withPublished } = axesOf<Factors>();

const variety = axis('variety', [
  { name: 'oak', label: 'Oak', value: 'oak' },
  { name: 'elm', label: 'Elm', value: 'elm', note: 'Brittle.' },
]);
const cut = axis('cut', [
  { name: '', label: 'whole', value: 1 },
  { name: 'half', label: 'half', value: 0.5, note: 'See cut.' },
]);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('expected a refusal');
}

describe('axis', () => {
  test('gives one piece a value, as plain data', () => {
    expect(variety).toEqual([
      { name: 'oak', label: 'Oak', factors: { variety: 'oak' } },
      { name: 'elm', label: 'Elm', factors: { variety: 'elm' }, note: 'Brittle.' },
    ]);
    expect(JSON.parse(JSON.stringify(variety))).toEqual(variety);
  });

  test('refuses two points of one name, both named', () => {
    const points = [
      { name: 'a', label: 'First', value: 1 },
      { name: 'a', label: 'Second', value: 0.5 },
    ];
    expect(refusal(() => axis('cut', points))).toBe("axis 'cut': expected a name of its own for each arm, got 'a' for 'First' and for 'Second'");
  });
});

describe('product', () => {
  test('gives every combination, the last axis fastest; names, labels, factors and notes are joined', () => {
    expect(product(variety, cut)).toEqual([
      { name: 'oak', label: 'Oak, whole', factors: { variety: 'oak', cut: 1 }, crossed: ['Oak', 'whole'] },
      { name: 'oak-half', label: 'Oak, half', factors: { variety: 'oak', cut: 0.5 }, note: 'See cut.', crossed: ['Oak', 'half'] },
      { name: 'elm', label: 'Elm, whole', factors: { variety: 'elm', cut: 1 }, note: 'Brittle.', crossed: ['Elm', 'whole'] },
      { name: 'elm-half', label: 'Elm, half', factors: { variety: 'elm', cut: 0.5 }, note: 'Brittle. See cut.', crossed: ['Elm', 'half'] },
    ]);
  });

  test('a list written by hand is an axis, also for several factors at once', () => {
    const both = product([{ name: 'x', label: 'X', factors: { variety: 'fir', cut: 0 } }], axis('grafted', [{ name: 'own', label: 'own root', value: false }]));
    expect(both).toEqual([{ name: 'x-own', label: 'X, own root', factors: { variety: 'fir', cut: 0, grafted: false }, crossed: ['X', 'own root'] }]);
  });

  test('of two axes say which row and column an arm is; one of them or three do not', () => {
    const crossed = (...axes: (typeof variety)[]) => product(...axes).map(piece => piece.crossed);
    const grafted = axis('grafted', [
      { name: '', label: '', value: false },
      { name: 'grafted', label: 'grafted', value: true },
    ]);
    // The unmarked choice has no label of its own.
    expect(crossed(variety, grafted).slice(0, 2)).toEqual([
      ['Oak', 'without grafted'],
      ['Oak', 'grafted'],
    ]);
    for (const axes of [[variety], [variety, cut, grafted]]) expect(crossed(...axes).filter(place => place !== undefined)).toEqual([]);
    expect(union(zip(variety, cut)).map(arm => arm.crossed)).toEqual([undefined, undefined]);
  });

  test('axes may set one factor to the same value', () => {
    const again = [{ name: 'again', label: 'again', factors: { trouble: { kind: 'fail', at: 1 } } }] as const;
    expect(product(again, [{ ...again[0], name: 'twice' }])[0]!.factors).toEqual(again[0].factors);
  });

  test('refuses two values of one factor, both named', () => {
    expect(refusal(() => product(variety, [{ name: 'firs', label: 'Firs', factors: { variety: 'fir' } }]))).toBe(
      "product: expected one value of 'variety' in an arm, got \"oak\" from 'oak' and \"fir\" from 'firs'",
    );
  });

  test('refuses two combinations of one name', () => {
    const short = [
      { name: 'a', label: 'A', factors: {} },
      { name: 'a-b', label: 'AB', factors: { cut: 0 } },
    ];
    const long = [
      { name: 'b-c', label: 'BC', factors: {} },
      { name: 'c', label: 'C', factors: { grafted: false } },
    ];
    expect(refusal(() => product(short, long))).toBe("product: expected a name of its own for each arm, got 'a-b-c' for 'A, BC' and for 'AB, C'");
  });

  test('leaves its axes as they were', () => {
    const before = structuredClone(variety);
    product(variety, cut);
    expect(variety).toEqual(before);
  });
});

describe('zip', () => {
  test('pairs the first with the first', () => {
    expect(zip(variety, cut).map(a => a.factors)).toEqual([
      { variety: 'oak', cut: 1 },
      { variety: 'elm', cut: 0.5 },
    ]);
  });

  test('refuses axes of unequal length, both listed', () => {
    expect(refusal(() => zip(variety, cut.slice(1)))).toBe("zip: expected axes of equal length, got 2 ('oak', 'elm') and 1 ('half')");
  });
});

describe('union', () => {
  test('appends lists, arms that are the same as others among them', () => {
    expect(union(variety, [{ name: 'half', label: 'Half', sameAs: 'cut/half' }]).map(a => a.name)).toEqual(['oak', 'elm', 'half']);
  });

  test('refuses a name that two lists have', () => {
    expect(refusal(() => union(variety, [{ name: 'elm', label: 'Another elm', factors: {} }]))).toBe("union: expected a name of its own for each arm, got 'elm' for 'Elm' and for 'Another elm'");
  });
});

test('withPublished attaches values arm by arm and leaves the others alone', () => {
  const value: Published = { value: 1, unit: 'kg', table: 'T', row: 'oak', column: 'c', source: 's', quote: 'q' };
  expect(withPublished(variety, arm => (arm.name === 'oak' ? value : undefined))).toEqual([{ ...variety[0], published: value }, variety[1]]);
});
