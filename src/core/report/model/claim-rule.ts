/** How claims are judged, in words: for the report's readers, who should not need the code for it. */
import type { AblationDeclaration, Study } from '../../ablation/declaration.ts';
import type { ReportRecord } from '../records/records.ts';
import { oneLine } from '../../text/clean.ts';
import { FEWEST_SEEDS } from '../statistics/verdict.ts';

export function claimRule(study: Study, ablations: readonly AblationDeclaration<object>[], records: readonly ReportRecord[]): string[] {
  const { publishedNoise } = study.report;
  return [
    `A comparison is decided by a one-sided paired t test at 5 % on the differences per seed, from ${FEWEST_SEEDS} seeds on. ` +
      '\u201cAbove\u201d is reproduced when the whole interval lies above the margin and contradicted when it lies below minus the margin; ' +
      '\u201cnot below\u201d is reproduced when it lies above minus the margin. The brackets hold both one-sided 95 % bounds.',
    'An undecided comparison agrees or disagrees by its mean; a mean smaller than the margin or than its own standard error is within noise. A claim needs all its comparisons.',
    ...(publishedNoise === undefined ? [] : [`Margin where a claim names none: ${publishedNoise.value} points, ${oneLine(publishedNoise.source)}.`]),
    ...variance(study, ablations, records),
  ];
}

/** Which spread the intervals contain: that of the arms' own seeds; a stage that all seeds share adds none. */
function variance({ report }: Study, ablations: readonly AblationDeclaration<object>[], records: readonly ReportRecord[]): string[] {
  const shown = new Set(ablations.map(ablation => ablation.name));
  const stageSeeds = new Map<string, Set<number>>();
  const armSeeds = new Set<number>();
  for (const record of records) {
    for (const { ablation, role, seed } of record.uses) {
      if (!shown.has(ablation)) continue;
      armSeeds.add(seed);
      if (!report.ownRoles.includes(role)) stageSeeds.set(role, (stageSeeds.get(role) ?? new Set()).add(record.seed));
    }
  }
  const fixed = [...stageSeeds]
    .filter(([, seeds]) => seeds.size === 1)
    .map(([role]) => role)
    .sort();
  if (armSeeds.size < 2) return [];
  const without =
    fixed.length === 0
      ? ''
      : ` ${fixed.length === 1 ? `The stage \u2018${fixed[0]!}\u2019 has` : `The stages ${fixed.map(role => `\u2018${role}\u2019`).join(', ')} have`} one seed for all arms, so that spread is in no interval.`;
  return [`Intervals cover the spread over the seeds of the arms\u2019 own stages, on one test set.${without}`];
}
