/** Whether two sides learn the same: a fast wrong step must not win. */
import type { Precision } from './contenders.ts';

/** Largest difference of a loss, as a share of the reference's, over the first steps. */
export const TOLERANCE: Readonly<Record<Precision, number>> = { float32: 1e-4, bfloat16: 2e-2 };

/** Steps whose losses are compared, by which every batch was learned from once and seen again. */
export const COMPARED_STEPS = 6;

/** Largest relative difference; infinite where a loss is not finite or one is missing. */
export function deviation(losses: readonly number[], reference: readonly number[]): number {
  if (losses.length !== reference.length || losses.length === 0) return Infinity;
  return Math.max(
    ...losses.map((loss, i) => {
      const difference = Math.abs(loss - reference[i]!) / Math.abs(reference[i]!);
      return Number.isFinite(difference) ? difference : Infinity;
    }),
  );
}

/**
 * Of sweeps, whose sides draw crops and order on their own: largest difference of an arm's distillation loss as a share of the
 * reference's, and of the mean accuracy over the arms.
 */
export const SWEEP_TOLERANCE = { loss: 0.15, accuracy: 0.08 } as const;

interface Outcome {
  readonly loss: number;
  readonly accuracy: number;
}

/** How far the arms of one side are from those of the other. */
export function outcomeDeviation(arms: Readonly<Record<string, Outcome>>, reference: Readonly<Record<string, Outcome>>): Outcome {
  const names = Object.keys(reference);
  const accuracies = (of: Readonly<Record<string, Outcome>>): number => names.reduce((sum, name) => sum + (of[name]?.accuracy ?? NaN), 0) / names.length;
  return {
    loss: Math.max(...names.map(name => deviation([arms[name]?.loss ?? NaN], [reference[name]!.loss]))),
    accuracy: Math.abs(accuracies(arms) - accuracies(reference)),
  };
}
