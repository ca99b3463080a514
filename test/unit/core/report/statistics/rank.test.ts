import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Replicates } from '../../../../../src/core/report/statistics/compare.ts';
import { kendallPValue, kendallTauB } from '../../../../../src/core/report/statistics/kendall.ts';
import { rankAgreement } from '../../../../../src/core/report/statistics/rank.ts';
import { MOST_FLIPPED, signFlipPValue } from '../../../../../src/core/report/statistics/sign-flip.ts';

const reference = JSON.parse(readFileSync(new URL('../../../../fixtures/report/statistics.json', import.meta.url), 'utf8')) as {
  kendall: { x: number[]; y: number[]; tau: number; p: number }[];
  signFlip: { differences: number[]; p: number }[];
};

test('there are values of scipy', () => expect([reference.kendall.length, reference.signFlip.length]).not.toContain(0));

describe('Kendall\u2019s tau-b', () => {
  test.each(reference.kendall)('of $x and $y agrees with scipy', ({ x, y, tau, p }) => {
    expect(kendallTauB(x, y)).toBeCloseTo(tau, 12);
    expect(kendallPValue(x, y)).toBeCloseTo(p, 12);
    expect(kendallPValue(y, x)).toBeCloseTo(p, 12);
  });

  test('a side without an order gives none', () => {
    expect(kendallTauB([1, 2, 3], [5, 5, 5])).toBeUndefined();
    expect(kendallPValue([1, 2, 3], [5, 5, 5])).toBeUndefined();
    expect(kendallTauB([1], [1])).toBeUndefined();
  });

  test('lists of other lengths are refused', () => {
    expect(() => kendallTauB([1, 2], [1])).toThrow('Expected two lists of one length, got 2 and 1 values.');
  });

  test('no p is made up where both sides have ties and counting would take too long', () => {
    const long = Array.from({ length: 40 }, (_, i) => Math.max(i, 1));
    expect(kendallTauB(long, long)).toBeCloseTo(1, 12);
    expect(kendallPValue(long, long)).toBeUndefined();
    expect(
      kendallPValue(
        long,
        Array.from({ length: 40 }, (_, i) => i),
      ),
    ).toBeLessThan(1e-15);
  });
});

describe('the sign-flip test', () => {
  test.each(reference.signFlip)('of $differences agrees with scipy', ({ differences, p }) => {
    expect(signFlipPValue(differences)).toBe(p);
  });

  test('Fisher\u2019s own example: 863 of 32,768 ways', () => {
    // Darwin's fifteen pairs of maize, in eighths of an inch: The Design of Experiments, sections 17 and 21.
    const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(signFlipPValue(darwin)).toBe(863 / 32_768);
  });

  test('is given for as many seeds as it can enumerate', () => {
    expect(signFlipPValue([])).toBeUndefined();
    expect(signFlipPValue(Array.from({ length: MOST_FLIPPED }, () => 1))).toBe(2 ** -MOST_FLIPPED);
    expect(signFlipPValue(Array.from({ length: MOST_FLIPPED + 1 }, () => 1))).toBeUndefined();
    expect(signFlipPValue([0, 0, 0])).toBe(1);
  });
});

describe('rank agreement of a table', () => {
  const replicates = (...values: readonly number[]): Replicates => new Map(values.map((value, seed) => [seed, { value, standardError: 0.004 }]));
  const arm = (published: number, ...values: readonly number[]) => ({ published, replicates: replicates(...values) });

  test('is of the means, with the range over seeds', () => {
    const found = rankAgreement([arm(80, 0.5, 0.51, 0.56), arm(81, 0.52, 0.5, 0.52), arm(82, 0.53, 0.54, 0.56)])!;
    expect(found.tau).toBeCloseTo(1 / 3, 12);
    expect(found).toMatchObject({ arms: 3, pValue: 1, seeds: { n: 3, low: 0, high: 1 } });
  });

  test('leaves out arms that are not measured, and seeds that not all have', () => {
    const found = rankAgreement([arm(80, 0.5, 0.5, 0.5), arm(81, 0.52, 0.52), arm(82, 0.53, 0.53, 0.53), arm(83)]);
    expect(found).toMatchObject({ tau: 1, arms: 3, seeds: undefined });
  });

  test('needs three arms, and an order', () => {
    expect(rankAgreement([arm(80, 0.5), arm(81, 0.52)])).toBeUndefined();
    expect(rankAgreement([arm(80, 0.5), arm(80, 0.52), arm(80, 0.53)])).toBeUndefined();
  });

  test('means that differ in the last bits only are a tie', () => {
    expect((0.1 + 0.2) / 2).not.toBe(0.3 / 2);
    expect(rankAgreement([arm(80, 0.1, 0.2), arm(81, 0.15, 0.15), arm(82, 0.5, 0.5)])!.tau).toBeCloseTo(2 / Math.sqrt(6), 12);
  });
});
