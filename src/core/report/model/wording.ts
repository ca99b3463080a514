/** Sentences that HTML and Markdown share. */
import type { Report } from './model.ts';

/** Names the scale, which the title leaves out. */
export const reportKicker = ({ profile, overrides }: Report): string => `Ablation report, profile ${profile}${overrides.length === 0 ? '' : `, changed: ${overrides.join(', ')}`}`;

export const reportTitle = (report: Report): string => `${report.study} ablations`;

/** The seeds that have a result, and how many were planned where some have none yet. */
export function seedsText({ seeds, ablations }: Pick<Report, 'seeds' | 'ablations'>): { readonly text: string; readonly detail?: string } {
  const found = new Set(ablations.flatMap(({ rows }) => rows.flatMap(({ measured }) => measured?.perSeed.map(({ seed }) => seed) ?? [])));
  const measured = seeds.filter(seed => found.has(seed));
  if (measured.length === seeds.length) return { text: seeds.join(', ') };
  return { text: measured.length === 0 ? 'none' : measured.join(', '), detail: `of ${seeds.length} planned` };
}
