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

/** The share of items that a found right, less that of b. Needs an item. */
export function pairedShareDifference({ both, onlyA, onlyB, neither }: PairedItems): number {
  return (onlyA - onlyB) / (both + onlyA + onlyB + neither);
}

/**
 * Standard error of {@link pairedShareDifference}: sqrt((b + c) - (b - c)^2 / N) / N, where the two differ on b + c of N items. What both
 * find right, or neither, adds nothing. (Difference of dependent proportions: Agresti, Categorical Data Analysis, 2nd edition, section
 * 10.1.) It is about these two trained models and this test set; another seed of the same recipes differs by more.
 */
export function pairedShareError({ both, onlyA, onlyB, neither }: PairedItems): number {
  const items = both + onlyA + onlyB + neither;
  return Math.sqrt(onlyA + onlyB - (onlyA - onlyB) ** 2 / items) / items;
}
