/** Holm's correction for testing several things at once. */

export interface HolmDecision {
  /** Significant at `alpha` for all together exactly where it is at most `alpha`. */
  readonly adjusted: number;
  /** The level at which this test alone decides, so that all together keep `alpha`: its own p is at most this exactly where it is significant. */
  readonly level: number;
}

/**
 * Step-down correction: the smallest p is held against alpha / m, the next against alpha / (m - 1), and so on until one fails, which all
 * larger ones then do. In the order given. (Holm 1979, Scandinavian Journal of Statistics 6; adjusted p-values as in Wright 1992,
 * Biometrics 48.)
 */
export function holmDecisions(pValues: readonly number[], alpha: number): HolmDecision[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const decisions = new Array<HolmDecision>(pValues.length);
  let highest = 0;
  let failed: number | undefined;
  order.forEach((test, rank) => {
    const steps = pValues.length - rank;
    highest = Math.max(highest, Math.min(1, steps * pValues[test]!));
    if (highest > alpha) failed ??= alpha / steps;
    decisions[test] = { adjusted: highest, level: failed ?? alpha / steps };
  });
  return decisions;
}
