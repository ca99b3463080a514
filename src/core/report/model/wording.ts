/** Sentences that HTML and Markdown share. */
import type { Report } from './model.ts';

/** Names the scale, which the title leaves out. */
export const reportKicker = ({ profile, overrides }: Report): string => `Ablation report, profile ${profile}${overrides.length === 0 ? '' : `, changed: ${overrides.join(', ')}`}`;

export const reportTitle = (report: Report): string => `${report.study} ablations`;

/** The declared seeds that have a result, of how many. */
export function seedsText({ seeds: { declared, measured } }: Pick<Report, 'seeds'>): { readonly text: string; readonly detail?: string } {
  if (measured.length === declared.length) return { text: declared.join(', ') };
  return { text: `${measured.length} of ${declared.length}`, ...(measured.length === 0 ? {} : { detail: `(${measured.length === 1 ? 'seed' : 'seeds'} ${measured.join(', ')})` }) };
}
