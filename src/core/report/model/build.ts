/** Records and declarations -> report model. Pure: the same inputs, in any order of records, give the same report. */
import { assumptionsOf } from '../../ablation/assumptions.ts';
import type { AblationDeclaration, Fact, ProfileBase, Study } from '../../ablation/declaration.ts';
import type { Ablation } from '../../ablation/expand.ts';
import { isHeadroom } from '../../ablation/headroom.ts';
import { headlineMeasure, measuresOf } from '../../ablation/measures.ts';
import { declaredSeeds, sweptAblations } from '../../ablation/swept.ts';
import { buildAblation } from './ablation.ts';
import { countClaims, evaluateClaims } from './claims.ts';
import { claimRule } from './claim-rule.ts';
import { conditionsOf, missedSentence } from './conditions.ts';
import { agreementRule, countOrder, valueRule } from '../statistics/compare.ts';
import { enginesText, type Engines } from '../records/engines.ts';
import { objectionSentence, objectionsTo } from '../../plan/objections.ts';
import { buildPlan, type Plan } from '../../plan/plan.ts';
import type { AblationReport, ArmCount, ArmRow, Report, ReportSeeds } from './model.ts';
import { headroomOf } from './headroom.ts';
import { buildRecipes } from './recipes.ts';
import { retrainingRule } from './retraining.ts';
import { verdictSentences } from './sentence.ts';
import { joinAdopted, type AdoptedNumber } from '../records/adopted.ts';
import { sortRecords, type ReportRecord } from '../records/records.ts';
import { buildOverview } from './overview.ts';
import { oneLine } from '../../text/clean.ts';
import { tablesOf } from './tables-of.ts';
import { earlierText, shownMeasure } from './usage.ts';

export interface ReportInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  /** In the order of the report. */
  readonly ablations: readonly AblationDeclaration<object>[];
  /** The same ablations with the factors of their arms: for the recipes, which a report without them does not have. */
  readonly expanded?: readonly Ablation[];
  readonly records: readonly ReportRecord[];
  /** Numbers that were not run here: they stand beside the others and in nothing that is made of those. */
  readonly adopted?: readonly AdoptedNumber[];
  /** Changes of the profile in canonical form, `path=json`: part of what the numbers mean. */
  readonly overrides?: readonly string[];
  /** From the provenance of the stages; a report without it mixes nothing that it knows of. */
  readonly engines?: Engines;
}

function countArms(rows: readonly ArmRow[]): ArmCount {
  const count = (state: ArmRow['state']): number => rows.filter(row => row.state === state).length;
  return { total: rows.length, done: count('done'), partial: count('partial'), failed: count('failed'), missing: count('missing') };
}

/** What arms of an ablation rest on runs with them, unless the profile names it. */
const headroomSeeds = ({ headroom }: Study, profile: ProfileBase, ablation: string): readonly number[] =>
  declaredSeeds(profile, headroom !== undefined && sweptAblations(profile)?.includes(headroom.name) === true ? headroom.name : ablation);

function seedsOf(profile: ProfileBase, ablations: readonly AblationReport[]): ReportSeeds {
  const ascending = (list: Iterable<number>): number[] => [...new Set(list)].sort((a, b) => a - b);
  const seeds = [...profile.seeds, ...ablations.flatMap(({ name }) => declaredSeeds(profile, name))];
  const found = ascending(ablations.flatMap(({ rows }) => rows.flatMap(({ measured, extraSeeds }) => [...(measured?.perSeed ?? []), ...extraSeeds].map(({ seed }) => seed))));
  return { declared: ascending(seeds), measured: found.filter(seed => seeds.includes(seed)), extra: found.filter(seed => !seeds.includes(seed)) };
}

function factsOf(facts: readonly Fact[], records: readonly ReportRecord[], engines: Engines): Report['facts'] {
  return facts.map(({ label, value, lead, scale, engines: titles }) => {
    const used = titles === undefined ? undefined : enginesText(records, engines, titles);
    return { label: oneLine(label), value: oneLine(used ?? value), ...(lead === true ? { lead } : {}), ...(scale === true ? { scale } : {}) };
  });
}

/** Recipes do not depend on the seed of the replicate. */
const ANY_SEED = 0;

/** What a plan warns of or refuses by now, and was run before: who reads the numbers has to know. */
function doubtNotes({ kinds }: Study, plan: Plan): string[] {
  return objectionsTo(kinds, plan)
    .filter(({ weight }) => weight !== 'unavailable')
    .map(objection => `Surely not meant: ${objectionSentence(objection)}.`);
}

/**
 * Of a profile that says what a sweep runs, those ablations, and others of which something was run that none of those needs; of any other profile all of which
 * it measures a number.
 * The headroom has no table of its own.
 */
function shownAblations(study: Study, profile: ProfileBase, declared: ReportInput['ablations'], records: readonly ReportRecord[]): AblationDeclaration<object>[] {
  const swept = sweptAblations(profile);
  const roles = new Map(declared.map(ablation => [ablation.name, measuresOf(study, ablation).map(({ role }) => role)]));
  const beyond = new Set(
    records.flatMap(({ uses }) => {
      const names = uses.filter(use => roles.get(use.ablation)?.includes(use.role) === true).map(use => use.ablation);
      return names.some(name => swept?.includes(name) === true) ? [] : names;
    }),
  );
  return declared.filter(({ name }) => !isHeadroom(study, name) && (swept === undefined || swept.includes(name) || beyond.has(name)));
}

/** Those of which the plan measures something, or somebody else did; all, where no arms are known. */
function withNumbers(ablations: readonly AblationDeclaration<object>[], tables: readonly Ablation[], { arms }: Plan, adopted: readonly AdoptedNumber[]): AblationDeclaration<object>[] {
  const known = new Set([...arms, ...adopted].map(({ ablation }) => ablation));
  return ablations.filter(({ name }) => tables.length === 0 || known.has(name));
}

export function buildReport({ study, profile, ablations: declared, expanded = [], records, adopted = [], overrides = [], engines = {} }: ReportInput): Report {
  const sorted = sortRecords(records);
  const numbers = joinAdopted(adopted);
  const shown = shownAblations(study, profile, declared, sorted);
  const { publishedNoise } = study.report;
  const headline = shownMeasure(study, profile, sorted, headlineMeasure(study));
  const comparable = overrides.length === 0 && study.report.comparable(profile);
  // An ablation that is not shown may be one that this profile cannot run.
  const tables = expanded.filter(({ declaration }) => shown.some(({ name }) => name === declaration.name)),
    plan = buildPlan({ study, profile, ablations: tables, seeds: [ANY_SEED] });
  const ablations = profile.sweep === undefined ? withNumbers(shown, tables, plan, numbers) : shown;
  const recipes = buildRecipes(plan, tables);
  const claims = evaluateClaims({ study, profile, ablations, records: sorted });
  const reports: AblationReport[] = ablations.map(ablation =>
    buildAblation({
      study,
      profile,
      ablation,
      records: sorted,
      adopted: numbers,
      declared: declaredSeeds(profile, ablation.name),
      headroomSeeds: headroomSeeds(study, profile, ablation.name),
      comparable,
      engines,
      claims: claims.filter(claim => claim.ablation === ablation.name),
      recipes: recipes.arms.get(ablation.name),
      headroom: headroomOf(study, ablation.name, expanded),
    }),
  );
  const published = reports.flatMap(tablesOf).some(table => table.published);
  const arms = countArms(reports.flatMap(report => report.rows));
  const order = countOrder(reports.flatMap(tablesOf).flatMap(({ pairs }) => pairs));
  const seeds = seedsOf(profile, reports);
  const isShown = ({ name }: { readonly name: string }): boolean => isHeadroom(study, name) || ablations.some(shown => shown.name === name);
  const conditions = conditionsOf({ study, profile, ablations: declared.filter(isShown), expanded: expanded.filter(({ declaration }) => isShown(declaration)), records: sorted });
  return {
    study: oneLine(study.name),
    profile: oneLine(profile.name),
    seeds,
    facts: factsOf(study.report.facts(profile), sorted, engines),
    overrides: overrides.map(oneLine),
    assumptions: assumptionsOf(study, profile, overrides).map(({ field, value, reason }) => ({ field: oneLine(field), value: oneLine(value), reason: oneLine(reason) })),
    published,
    notes: [...study.report.notes(profile, published), ...doubtNotes(study, plan)].map(oneLine),
    comparable,
    headline,
    arms,
    order,
    claims: countClaims(claims),
    claimRule: claimRule(study, profile, ablations, sorted, claims),
    conditions,
    verdict: [...verdictSentences({ claims, arms, seeds, order }), ...(conditions === undefined ? [] : missedSentence(conditions, headline.unit))],
    rule: published ? agreementRule(publishedNoise) : '',
    valueRule: published ? [valueRule(comparable, overrides.length > 0), ...(comparable && study.report.retraining !== undefined ? [retrainingRule(study.report.retraining)] : [])].join(' ') : '',
    ablations: reports,
    overview: buildOverview(study.report.overview, reports),
    defaultRecipes: recipes.defaults,
    stages: sorted.map(record => {
      const { key, kind, seed, state, uses, resultSha256, codeHash } = record;
      return { key, kind, seed, state, earlier: earlierText(study, [record]), uses: uses.length, firstUse: `${uses[0]!.ablation}/${uses[0]!.arm}`, resultSha256, codeHash };
    }),
  };
}
