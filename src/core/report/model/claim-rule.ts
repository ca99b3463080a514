/** How claims are judged, in words: for the report's readers, who should not need the code for it. */
import type { AblationDeclaration, ProfileBase, Study } from '../../ablation/declaration.ts';
import type { ReportRecord } from '../records/records.ts';
import { oneLine } from '../../text/clean.ts';
import { declaredSeeds } from '../../ablation/swept.ts';
import { listed, plural } from '../../text/format.ts';
import { ALPHA, FEWEST_SEEDS } from '../statistics/verdict.ts';
import { givesVerdicts, type ClaimResult } from './claims.ts';
import { byOrigin, claimsCaption, claimsCorner, verdictWord } from './words.ts';

/** @param claims as they were judged: their words are those of what there is */
export function claimRule(study: Study, profile: ProfileBase, ablations: readonly AblationDeclaration<object>[], records: readonly ReportRecord[], claims: readonly ClaimResult[]): string[] {
  if (claims.length === 0) return [];
  const directions = `Without a verdict a ${claimsCorner(claims).toLowerCase()} agrees or disagrees by its mean; a mean within the margin or smaller than its own standard error is within noise.`;
  const names = [...new Set(claims.map(({ ablation }) => ablation))];
  return [...givenWhen(profile, names), ...(names.some(name => givesVerdicts(profile, name)) ? verdictsRule(profile, claims) : []), directions, ...variance(study, ablations, records)];
}

function verdictsRule(profile: ProfileBase, claims: readonly ClaimResult[]): string[] {
  const [first = 'own', second] = byOrigin(claims).map(({ origin }) => origin);
  const [reproduced, contradicted, claim] = [verdictWord('reproduced', first), verdictWord('contradicted', first), claimsCorner(claims).toLowerCase()];
  return [
    `A comparison is the mean of the differences per seed, with its two-sided t interval. \u201cAbove\u201d is ${reproduced} when the interval lies above the margin, and ${contradicted} when it lies below minus the margin; ` +
      `\u201cnot below\u201d is ${reproduced} when it lies above minus the margin; \u201cno different\u201d when it lies within the margin, and ${contradicted} when it lies outside. ` +
      `A ${claim} of several comparisons is ${reproduced} when all are, and ${contradicted} when one is (which has to stand a Bonferroni correction).` +
      (second === undefined ? '' : ' By the same rule a hypothesis of the study\u2019s own, which no source states, is supported or refuted.'),
    `Verdicts are those after Holm\u2019s correction over all ${claimsCaption(claims).toLowerCase()} that an ablation declares, run or not, in both directions: the chance that any of them is wrong is at most ${100 * ALPHA} %. Brackets and p are at the level that so decides, ` +
      'and the interval is beyond the margin exactly where there is a verdict. It does not control the chance of a wrong verdict somewhere among several ablations.',
    ...marginRule(profile, claim),
  ];
}

/** Whether and when there are verdicts. @param ablations that declare claims */
function givenWhen(profile: ProfileBase, ablations: readonly string[]): string[] {
  if (profile.verdicts === false) return ['The profile gives no verdicts: its numbers show that everything runs.'];
  const declared = (name: string): string => seedsText(declaredSeeds(profile, name));
  const given = [...new Set(ablations.filter(name => givesVerdicts(profile, name)).map(declared))];
  const without = ablations.filter(name => !givesVerdicts(profile, name));
  const few = [...new Set(without.map(declared))];
  if (given.length === 0) return [`The profile declares ${few.join(', or ')}; a verdict needs ${FEWEST_SEEDS}, so it gives none.`];
  return [
    `A verdict is given when all ${given.join(', or ')} that the profile declares are there. Before that a result is interim: looking again after each seed would make more false verdicts than are accounted for. ` +
      'Seeds beyond the declared ones are exploratory.',
    ...few.map(seeds => `For ${listed(without.filter(name => declared(name) === seeds))} the profile declares ${seeds}; a verdict needs ${FEWEST_SEEDS}, so none is given there.`),
  ];
}

const seedsText = (seeds: readonly number[]): string => `${plural(seeds.length, 'seed')} (${seeds.join(', ')})`;

function marginRule({ verdicts }: ProfileBase, claim: string): string[] {
  if (verdicts === false || verdicts === undefined) return [];
  return [`Margin where a ${claim} names none: ${verdicts.margin} points, ${oneLine(verdicts.source)}.`];
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
