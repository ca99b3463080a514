import { describe, expect, test } from 'vitest';
import { buildReport } from '../../../../../src/core/report/model/build.ts';
import { retraining, retrainingRule, retrainingTolerance } from '../../../../../src/core/report/model/retraining.ts';
import type { ArmRow } from '../../../../../src/core/report/model/model.ts';
import { sampleInput } from '../../../../helpers/report/sample.ts';
import tinymim from '../../../../../src/tinymim/study.ts';

const MAE = { values: [83.63, 83.66, 83.52, 83.46], source: 'four seeds of MAE ViT-B' };

describe('the retraining tolerance', () => {
  // t of 3 degrees of freedom: 3.182446 (tables), times 0.0935860 (numpy, ddof 1), times the square root of 2, of 4/3, of 1.2.
  test.each([
    [1, 0.421198],
    [3, 0.343907],
    [5, 0.326259],
  ])('with %i seeds is half a prediction interval', (n, expected) => {
    expect(retrainingTolerance(MAE, n)).toBeCloseTo(expected, 5);
  });

  test('holds what the one retraining by others gave, 84.7 of the published 85.0, and no more than its width', () => {
    expect(retraining(84.7 - 85, 1, MAE)).toBe('within');
    expect(retraining(0.43, 1, MAE)).toBe('outside');
    expect(retraining(-0.35, 3, MAE)).toBe('outside');
  });

  test('TinyMIM has that of MAE, and names the retraining', () => {
    expect(tinymim.report.retraining!.values).toEqual(MAE.values);
    expect(retrainingRule(tinymim.report.retraining!)).toMatch(/within 0\.42 points .* 4 published seeds, 0\.09\. .* 84\.7 against the published 85\.0/);
  });
});

/** The sample at the paper's own scale. */
function comparableReport(comparable: boolean) {
  const input = sampleInput();
  const { retraining: declared = MAE, ...report } = input.study.report;
  return buildReport({ ...input, study: { ...input.study, report: { ...report, retraining: declared, comparable: () => comparable } } });
}

test('a value is within or outside of it only where values compare; it is no verdict', () => {
  const report = comparableReport(true);
  const rows = report.ablations[0]!.rows.filter((row): row is ArmRow & { valueGap: number } => row.valueGap !== undefined);
  expect(rows.length).toBeGreaterThan(0);
  for (const { valueGap, retraining: found } of rows) expect(found).toBe(Math.abs(100 * valueGap) <= 0.4212 ? 'within' : 'outside');
  expect(report.valueRule).toContain('within 0.42 points of the published one is within the retraining tolerance');
  expect(report.valueRule).not.toContain('reproduced');

  const other = comparableReport(false);
  expect(other.ablations[0]!.rows.map(row => row.retraining)).toEqual(other.ablations[0]!.rows.map(() => undefined));
  expect(other.valueRule).not.toContain('retraining');
});
