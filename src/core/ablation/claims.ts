/** Claims taken apart into comparisons of two arms: what a verdict is given on. */
import type { Comparison } from './declaration.ts';

export interface ArmName {
  readonly ablation: string;
  readonly arm: string;
}

/** `greater`: `arm` is above (better than) `than`. `not-worse`: `arm` is not below `than` by more than the margin. `same`: neither is above the other by more. */
export interface Pair {
  readonly type: 'greater' | 'not-worse' | 'same';
  readonly arm: ArmName;
  readonly than: ArmName;
  /** Undefined: the first of the ablation that declares it. */
  readonly measure: string | undefined;
}

/** `arm` within `ablation`, or `ablation/arm`. */
export function armReference(name: string, ablation: string): ArmName {
  const slash = name.indexOf('/');
  return slash < 0 ? { ablation, arm: name } : { ablation: name.slice(0, slash), arm: name.slice(slash + 1) };
}

/** `relation/qk-vv`. */
export const armNameText = ({ ablation, arm }: ArmName): string => `${ablation}/${arm}`;

/**
 * The pairs that a comparison consists of; it holds when all of them do. `best` gives one pair for each of the others,
 * `monotone` one for each two neighbours (the later arm above the earlier).
 * @param ablation the one that declares the comparison, to which bare names of arms belong
 */
export function pairsOf(comparison: Comparison, ablation: string): Pair[] {
  const pair = (type: Pair['type'], arm: string, than: string): Pair => ({ type, arm: armReference(arm, ablation), than: armReference(than, ablation), measure: comparison.measure });
  switch (comparison.type) {
    case 'greater':
    case 'not-worse':
    case 'same':
      return [pair(comparison.type, comparison.arm, comparison.than)];
    case 'best':
      return comparison.of.map(other => pair('greater', comparison.arm, other));
    case 'monotone':
      return comparison.arms.slice(1).map((arm, i) => pair('greater', arm, comparison.arms[i]!));
  }
}

/** Names of the arms of a comparison as they are written, each where it stands: `[path in the comparison, name]`. */
export function armsOf(comparison: Comparison): (readonly [path: readonly (string | number)[], name: string])[] {
  switch (comparison.type) {
    case 'greater':
    case 'not-worse':
    case 'same':
      return [
        [['arm'], comparison.arm],
        [['than'], comparison.than],
      ];
    case 'best':
      return [[['arm'], comparison.arm], ...comparison.of.map((name, i) => [['of', i], name] as const)];
    case 'monotone':
      return comparison.arms.map((name, i) => [['arms', i], name] as const);
  }
}
