/** Two reports of one small study, to be compared: an ablation `table` with the arms a, b and c and the claim that a is above b. */
import { compareReports, type Baseline, type Changes } from '../../../src/core/report/baseline/baseline.ts';
import type { ReportInput } from '../../../src/core/report/model/build.ts';
import type { ReportRecord } from '../../../src/core/report/records/records.ts';
import { accuracyRecords, claim, claimAblation, type Accuracies } from './claims.ts';
import { sampleStudy } from './sample.ts';

const above = claim([{ type: 'greater', arm: 'a', than: 'b' }], { name: 'above', sentence: 'A is above B.' });

/** The report that is compared, with three declared seeds. */
export const laterReport = (records: readonly ReportRecord[], more: Partial<ReportInput> = {}): ReportInput => ({
  study: sampleStudy,
  profile: { name: 'sample', seeds: [0, 1, 2] },
  ablations: [claimAblation('table', ['a', 'b', 'c'], [above])],
  records,
  ...more,
});

/** What it is compared with. */
export const earlierReport = (records: readonly ReportRecord[] | undefined, more: Partial<Baseline> = {}): Baseline => ({
  label: 'main (0123456789ab)',
  ahead: false,
  records,
  engines: {},
  claims: undefined,
  ...more,
});

export const compare = (before: readonly ReportRecord[] | undefined, now: readonly ReportRecord[], more: Partial<Baseline> = {}): Changes =>
  compareReports(laterReport(now), earlierReport(before, more));

/** Records of a later run: whatever decides their numbers has changed, and with it their keys. */
export const rerun = (accuracies: Accuracies): ReportRecord[] => accuracyRecords(accuracies).map(record => ({ ...record, key: `${record.key.slice(0, -1)}x` }));
