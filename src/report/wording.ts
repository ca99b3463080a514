/** Sentences that HTML and Markdown share. */
import type { AblationReport, Report } from './model.ts';

/** Names the scale, which the title leaves out. */
export const reportKicker = ({ profile, overrides }: Report): string =>
  `Ablation report, profile ${profile}${overrides.length === 0 ? '' : `, changed: ${overrides.join(', ')}`}`;

export const reportTitle = (report: Report): string => `${report.study} ablations`;

export function dotPlotCaption({ rows }: AblationReport): string {
  const several = rows.some(row => (row.measured?.n ?? 0) > 1);
  const bars = several ? 'Bars: sample standard deviation over seeds, small dots the seeds.' : 'Bars: one binomial standard error.';
  return `Same arms, same order, each panel on its own scale; the dashed line marks the default arm. ${bars}`;
}
