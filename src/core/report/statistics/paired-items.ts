/** Two trained models tested on the same items (images): what the items on which they differ say about their difference. */

/** Items of two stages that tested the same ones, two by two. */
export interface PairedItems {
  readonly both: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly neither: number;
}

/** Undefined where the two have not tested as many items. */
export function pairItems(a: readonly boolean[], b: readonly boolean[]): PairedItems | undefined {
  if (a.length !== b.length) return undefined;
  let both = 0,
    onlyA = 0,
    onlyB = 0;
  a.forEach((inA, i) => {
    if (inA && b[i]!) both += 1;
    else if (inA) onlyA += 1;
    else if (b[i]!) onlyB += 1;
  });
  return { both, onlyA, onlyB, neither: a.length - both - onlyA - onlyB };
}

/**
 * Standard error of the share of items that a finds right, less that of b: sqrt((b + c) - (b - c)^2 / N) / N, where the two differ on
 * b + c of N items. What both find right, or neither, adds nothing. Needs an item. (Difference of dependent proportions: Agresti, Categorical Data Analysis, 2nd edition, section
 * 10.1.) It is about these two trained models and this test set; another seed of the same recipes differs by more.
 */
export function pairedShareError({ both, onlyA, onlyB, neither }: PairedItems): number {
  const items = both + onlyA + onlyB + neither;
  return Math.sqrt(onlyA + onlyB - (onlyA - onlyB) ** 2 / items) / items;
}
