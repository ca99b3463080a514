/** The beta distribution, from uniforms and normals. */
import type { Stream } from './rng.ts';

/** A number of Beta(a, b), a > 0 and b > 0. How many numbers it takes of the stream depends on what they are. */
export function drawBeta(draws: Stream, a: number, b: number): number {
  const x = logGamma(draws, a),
    y = logGamma(draws, b);
  return 1 / (1 + Math.exp(y - x)); // by logarithms: for small a and b both gammas are too small for a number
}

/**
 * Logarithm of a number of Gamma(shape, 1); below 1 that of one more, times `u^(1 / shape)`.
 * Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
 */
function logGamma(draws: Stream, shape: number): number {
  if (shape < 1) return logGamma(draws, shape + 1) + Math.log(1 - draws.uniform()) / shape;
  const d = shape - 1 / 3,
    c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = draws.normal(),
      v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - draws.uniform()) < (x * x) / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v);
  }
}
