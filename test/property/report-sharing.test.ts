import fc from 'fast-check';
import { expect, test } from 'vitest';
import { share, unshare } from '../../src/core/report/charts/vega/sharing.ts';

/** Anything that JSON can hold, but for keys that are empty. */
const { value } = fc.letrec<{ value: unknown; few: unknown }>(tie => ({
  few: fc.constantFrom(0, 1, null, true, 'x', 'a text that is said again and again', [1, 2], { key: 'value' }),
  value: fc.oneof(
    { maxDepth: 4 },
    tie('few'),
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => number + 0),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter(key => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
}));

const plain = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

test('what is shared comes back as it was, through a file', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), values => {
      const written = JSON.parse(JSON.stringify(share(values))) as ReturnType<typeof share>;
      expect(values.map((_, i) => unshare(written, i))).toEqual(plain(values));
    }),
  );
});

test('the same value again costs no more than a reference to it', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 8, maxLength: 12 }), fc.integer({ min: 2, max: 9 }), (part, times) => {
      const size = (count: number): number => JSON.stringify(share(Array.from({ length: count }, () => part))).length;
      expect(size(times + 1) - size(times)).toBeLessThanOrEqual(24);
    }),
  );
});

test('who reads a value twice gets two of them', () => {
  const shared = share([{ rows: [{ y: 1 }, { y: 1 }] }]);
  const [one, two] = [unshare(shared, 0), unshare(shared, 0)] as { rows: object[] }[];
  expect(one!.rows[0]).not.toBe(one!.rows[1]);
  expect(one!.rows[0]).not.toBe(two!.rows[0]);
});

test('an empty key is refused', () => {
  expect(() => share([{ a: [{ '': 0 }] }])).toThrow('Expected keys that are not empty');
});
