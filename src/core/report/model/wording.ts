/** Sentences that all faces of a report share. */
import type { ClaimCount } from './claims.ts';
import { barsRule } from './mean-interval.ts';
import type { AblationReport, Report } from './model.ts';
import { plural } from '../../text/format.ts';

/** Names the scale, which the title leaves out. */
export const reportKicker = ({ profile, overrides }: Report): string => `Ablation report, profile ${profile}${overrides.length === 0 ? '' : `, changed: ${overrides.join(', ')}`}`;

export const reportTitle = (report: Report): string => `${report.study} ablations`;

/** `1 of 5 seeds`; where none is missing `one seed`, `5 seeds`. */
export function seedShare(measured: number, wanted: number): string {
  if (measured < wanted) return `${measured} of ${plural(wanted, 'seed')}`;
  return measured === 1 ? 'one seed' : plural(measured, 'seed');
}

/** How many of the seeds have a result, and which: `1 of 5 seeds (seed 0)`. */
export function seedsText({ seeds, ablations }: Pick<Report, 'seeds' | 'ablations'>): string {
  const found = new Set(ablations.flatMap(({ rows }) => rows.flatMap(({ measured }) => measured?.perSeed.map(({ seed }) => seed) ?? [])));
  const measured = seeds.filter(seed => found.has(seed));
  const named = measured.length === 0 ? '' : ` (${measured.length === 1 ? 'seed' : 'seeds'} ${measured.join(', ')})`;
  return `${seedShare(measured.length, seeds.length)}${named}`;
}

/** Arms with a result, and what became of the others. */
export function armsShare({ arms: { total, done, partial, failed, missing } }: Pick<Report, 'arms'>): { readonly value: string; readonly detail?: string } {
  const others = [partial > 0 ? `${partial} in part` : '', failed > 0 ? `${failed} failed` : '', missing > 0 ? `${missing} missing` : ''].filter(Boolean);
  return { value: `${done + partial} of ${total}`, ...(others.length === 0 ? {} : { detail: others.join(', ') }) };
}

/** Verdicts that occur, with their number; those without one by their direction. */
export function claimCountText({ reproduced, contradicted, agrees, disagrees, withinNoise, notRun }: ClaimCount): string {
  const undecided = agrees + disagrees + withinNoise;
  const directions = [agrees > 0 ? `${agrees} ${agrees === 1 ? 'agrees' : 'agree'}` : '', disagrees > 0 ? `${disagrees} ${disagrees === 1 ? 'disagrees' : 'disagree'}` : '', withinNoise > 0 ? `${withinNoise} within noise` : ''];
  return [
    reproduced > 0 ? `${reproduced} reproduced` : '',
    contradicted > 0 ? `${contradicted} contradicted` : '',
    undecided > 0 ? `${undecided} undecided (${directions.filter(Boolean).join(', ')})` : '',
    notRun > 0 ? `${notRun} not run` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

export function dotPlotCaption({ rows }: AblationReport): string {
  const seeds = rows.some(row => (row.measured?.n ?? 0) > 1) ? ' Small dots: the seeds.' : '';
  return `Same arms, same order, each panel on its own scale; the dashed line marks the default arm. ${barsRule(rows)}${seeds}`;
}
