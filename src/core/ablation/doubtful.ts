/** Numbers of a stage that its kind declares to be doubtful: it runs and ends as any other, and who reads what rests on it has to know. */
import type { MetricSpec, StageKind } from './kind.ts';

export interface DoubtfulNumber {
  readonly metric: string;
  readonly label: string;
  readonly value: number;
  /** What is expected at least. */
  readonly below: number;
  readonly why: string;
}

/** @param numbers of a result or of a record of the curve; what is no metric of the kind is passed over */
export function doubtfulNumbers({ metrics }: Pick<StageKind, 'metrics'>, numbers: Readonly<Record<string, unknown>>): DoubtfulNumber[] {
  return metricsWithDoubt(metrics).flatMap(([metric, { label, doubtful }]) => {
    const value = numbers[metric];
    return typeof value === 'number' && value < doubtful.below ? [{ metric, label, value, ...doubtful }] : [];
  });
}

/** Whether any number of the kind can be. */
export const canBeDoubtful = ({ metrics }: Pick<StageKind, 'metrics'>): boolean => metricsWithDoubt(metrics).length > 0;

type WithDoubt = MetricSpec & Required<Pick<MetricSpec, 'doubtful'>>;

const metricsWithDoubt = (metrics: StageKind['metrics']): [string, WithDoubt][] => Object.entries(metrics).filter((entry): entry is [string, WithDoubt] => entry[1].doubtful !== undefined);

/** Two digits say how far it is from what is expected. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(2)));

/** `target spread: expected at least 0.01, got 4e-8: the targets are ...`. */
export const doubtText = ({ label, value, below, why }: DoubtfulNumber): string => `${label}: expected at least ${below}, got ${shortNumber(value)}: ${why}`;
