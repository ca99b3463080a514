/** The exact sign-flip test: what paired differences say without supposing that they are normally distributed. */

/** A million sign vectors; for more seeds than anybody runs no p is given. @internal */
export const MOST_FLIPPED = 20;

/** Sums that differ by less than this share of their terms are one sum: it is the rounding of doubles. */
const ROUNDING = 1e-9;

/**
 * One-sided p of the exact sign-flip test (Fisher's randomization test of matched pairs): the share of the 2^n ways to sign
 * the differences whose sum is at least the one seen. Exact where without an effect a difference of either sign is as likely;
 * undefined for none or more than {@link MOST_FLIPPED}. (Fisher 1935, The Design of Experiments, section 21; Pitman 1937.)
 */
export function signFlipPValue(differences: readonly number[]): number | undefined {
  const n = differences.length;
  if (n === 0 || n > MOST_FLIPPED) return undefined;
  const sizes = differences.map(Math.abs).sort((a, b) => b - a);
  const rest = sizes.map((_, i) => sizes.slice(i).reduce((sum, size) => sum + size, 0));
  const seen = differences.reduce((sum, difference) => sum + difference, 0);
  const threshold = seen - ROUNDING * rest[0]!;
  const reaching = (i: number, sum: number): number => {
    const open = rest[i] ?? 0;
    if (sum - open >= threshold) return 2 ** (n - i);
    if (sum + open < threshold) return 0;
    return reaching(i + 1, sum + sizes[i]!) + reaching(i + 1, sum - sizes[i]!);
  };
  return reaching(0, 0) / 2 ** n;
}
