/** Whether a measured value is what another training of the published arm could have given: said where values compare, and never called reproduced. */
import type { Study } from '../../ablation/declaration.ts';
import { oneLine } from '../../text/clean.ts';
import { studentTQuantile, tidy } from '../statistics/statistics.ts';

export type Retraining = 'within' | 'outside';

type Published = NonNullable<Study['report']['retraining']>;

const LEVEL = 0.95;

/**
 * How far the mean of `n` trainings may lie from the one that was published, in the unit of the published values: half the width of the two-sided 95 %
 * prediction interval, t s sqrt(1 + 1 / n), with t of the runs that gave s (Hahn and Meeker, Statistical Intervals, 1991, section 4.7).
 */
export const retrainingTolerance = ({ standardDeviation, runs }: Published, n: number): number => studentTQuantile((1 + LEVEL) / 2, runs - 1) * standardDeviation * Math.sqrt(1 + 1 / n);

/** @param gap measured minus published, in the unit of the published values */
export const retraining = (gap: number, n: number, published: Published): Retraining => (tidy(Math.abs(gap)) <= tidy(retrainingTolerance(published, n)) ? 'within' : 'outside');

/** The rule, in words for the report. */
export const retrainingRule = (published: Published): string =>
  `With one seed a value within ${retrainingTolerance(published, 1).toFixed(2)} points of the published one is within the retraining tolerance, what two trainings of one arm differ by in 95 of 100 cases, ` +
  `from a standard deviation of ${published.standardDeviation} over ${published.runs} runs; that is no verdict. Source: ${oneLine(published.source)}.`;
