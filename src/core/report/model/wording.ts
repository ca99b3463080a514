/** Sentences that all faces of a report share. */
import type { ClaimCount } from './claims.ts';
import type { Report } from './model.ts';
import { plural } from '../../text/format.ts';
import { verdictWord, type Origin } from './words.ts';

/** Names the scale, which the title leaves out. */
export const reportKicker = ({ profile, overrides }: Report): string => `Ablation report, profile ${profile}${overrides.length === 0 ? '' : `, changed: ${overrides.join(', ')}`}`;

export const reportTitle = (report: Report): string => `${report.study} ablations`;

/** `1 of 5 seeds`; where none is missing `one seed`, `5 seeds`. */
export function seedShare(measured: number, wanted: number): string {
  if (measured < wanted) return `${measured} of ${plural(wanted, 'seed')}`;
  return measured === 1 ? 'one seed' : plural(measured, 'seed');
}

/** How many of the declared seeds have a result, and which: `1 of 5 seeds (seed 0)`. */
export function seedsText({ seeds: { declared, measured, extra } }: Pick<Report, 'seeds'>): string {
  const named = (seeds: readonly number[]): string => `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`;
  return `${seedShare(measured.length, declared.length)}${measured.length === 0 ? '' : ` (${named(measured)})`}${extra.length === 0 ? '' : `, and beyond them ${named(extra)}`}`;
}

/** Arms with a result, and what became of the others. */
export function armsShare({ arms: { total, done, partial, failed, missing } }: Pick<Report, 'arms'>): { readonly value: string; readonly detail?: string } {
  const others = [partial > 0 ? `${partial} in part` : '', failed > 0 ? `${failed} failed` : '', missing > 0 ? `${missing} missing` : ''].filter(Boolean);
  return { value: `${done + partial} of ${total}`, ...(others.length === 0 ? {} : { detail: others.join(', ') }) };
}

/** How many claims of one origin have which verdict, those that occur: `2 reproduced, 1 not run`. */
export function claimCountText({ reproduced, contradicted, undecided, interim, exploratory, noVerdict, notRun }: ClaimCount, origin: Origin): string {
  const counts = [
    [reproduced, verdictWord('reproduced', origin)],
    [contradicted, verdictWord('contradicted', origin)],
    [undecided, 'undecided'],
    [interim, 'interim'],
    [exploratory, 'exploratory'],
    [noVerdict, 'without a verdict'],
    [notRun, 'not run'],
  ] as const;
  return counts.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`])).join(', ');
}

/** What Holm's correction took away; undefined where it took nothing. */
export function beforeCorrectionText({ reproduced, contradicted, beforeCorrection: before }: ClaimCount, origin: Origin): string | undefined {
  if (before.reproduced === reproduced && before.contradicted === contradicted) return undefined;
  const counts = (['reproduced', 'contradicted'] as const).flatMap(verdict => (before[verdict] === 0 ? [] : [`${before[verdict]} ${verdictWord(verdict, origin)}`]));
  return `before correction ${counts.join(', ')}`;
}
