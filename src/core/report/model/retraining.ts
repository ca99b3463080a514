/** Whether a measured value is what another training of the published arm could have given: said where values compare, and never called reproduced. */
import type { Study } from '../../ablation/declaration.ts';
import { oneLine } from '../../text/clean.ts';
import { sampleStd, studentTQuantile, tidy } from '../statistics/statistics.ts';

export type Retraining = 'within' | 'outside';

type Published = NonNullable<Study['report']['retraining']>;

const LEVEL = 0.95;

/**
 * How far the mean of `n` trainings may lie from the one that was published, in the unit of the published values: half the width of the two-sided 95 %
 * prediction interval, t s sqrt(1 + 1 / n), with s and the degrees of freedom of t from the published seeds (Hahn and Meeker, Statistical Intervals,
 * 1991, section 4.7). @internal
 */
export const retrainingTolerance = ({ values }: Published, n: number): number => studentTQuantile((1 + LEVEL) / 2, values.length - 1) * sampleStd(values) * Math.sqrt(1 + 1 / n);

/** @param gap measured minus published, in the unit of the published values */
export const retraining = (gap: number, n: number, published: Published): Retraining => (tidy(Math.abs(gap)) <= tidy(retrainingTolerance(published, n)) ? 'within' : 'outside');

/** The rule, in words for the report. */
export const retrainingRule = (published: Published): string =>
  `With one seed a value within ${retrainingTolerance(published, 1).toFixed(2)} points of the published one is within the retraining tolerance: two trainings of one arm lie closer in 95 of 100 cases, ` +
  `going by the standard deviation of ${published.values.length} published seeds, ${sampleStd(published.values).toFixed(2)}. It is no verdict. Source: ${oneLine(published.source)}.`;
