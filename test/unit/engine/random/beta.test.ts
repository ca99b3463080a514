import { describe, expect, it } from 'vitest';
import { drawBeta } from '../../../../src/engine/random/beta.ts';
import { stream } from '../../../../src/engine/random/rng.ts';

const N = 20_000;
const sample = (a: number, b: number): number[] => Array.from({ length: N }, (_, i) => drawBeta(stream(3, `test ${a} ${b}`, i), a, b));
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

describe.each([
  [0.8, 0.8],
  [1, 1],
  [0.2, 0.2],
  [2.5, 0.7],
])('Beta(%d, %d)', (a, b) => {
  const values = sample(a, b);

  it('has its mean, variance and range', () => {
    const expected = a / (a + b),
      variance = (a * b) / ((a + b) ** 2 * (a + b + 1));
    expect(Math.abs(mean(values) - expected)).toBeLessThan(4 * Math.sqrt(variance / N));
    expect(Math.abs(mean(values.map(v => (v - expected) ** 2)) / variance - 1)).toBeLessThan(0.05);
    expect(values.every(v => v >= 0 && v <= 1)).toBe(true);
  });
});

it('Beta(1, 1) is uniform: no share of values below a bound is further off than chance has it', () => {
  const sorted = sample(1, 1).sort((x, y) => x - y);
  const distance = Math.max(...sorted.map((v, i) => Math.abs(v - (i + 0.5) / N)));
  expect(distance * Math.sqrt(N)).toBeLessThan(1.95); // Kolmogorov and Smirnov, 1 in 1,000
});

it('is a number for tiny parameters, too: nearly always 0 or 1', () => {
  const values = Array.from({ length: 200 }, (_, i) => drawBeta(stream(5, 'tiny', i), 1e-3, 1e-3));
  expect(values.every(v => v >= 0 && v <= 1)).toBe(true);
  expect(mean(values)).toBeGreaterThan(0.3);
  expect(mean(values)).toBeLessThan(0.7);
});
