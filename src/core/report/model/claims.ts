/** Claims of the declarations, judged from the records: each pair of arms, then each claim, then all claims of an ablation together. */
import { armNameText, pairsOf, type ArmName, type Pair } from '../../ablation/claims.ts';
import type { AblationDeclaration, ArmDeclaration, Claim, ProfileBase, Published, Study } from '../../ablation/declaration.ts';
import { knownMeasures, measuresOf, noiseOf, publishedFor, type Measure } from '../../ablation/measures.ts';
import { declaredSeeds } from '../../ablation/swept.ts';
import { publishedDifference, type Replicates } from '../statistics/compare.ts';
import { holmDecisions } from '../statistics/holm.ts';
import { scale } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import { tidy, type Interval } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import type { ShownMeasure } from './measure.ts';
import { replicatesOfArms, shownMeasure } from './usage.ts';
import type { Origin } from './words.ts';
import { ALPHA, FEWEST_SEEDS, intervalOf, judge, verdictOf, type Direction, type Judgement, type Sides, type Verdict, type VerdictRule } from '../statistics/verdict.ts';

/** What the paper's own table says about a claim. `within noise`: its gap is below the paper's noise, or the claim's own margin. */
export type PublishedOutcome = 'supports' | 'contradicts' | 'within noise';

interface ClaimArm extends ArmName {
  /** The arm's label, with the ablation's name before it where that is another one. */
  readonly label: string;
}

/**
 * One comparison of two arms. Numbers of the judgement and the margin are in the measure's unit, and so turned that more is better: a difference of errors
 * is positive where the first arm has fewer.
 */
export interface PairResult extends Judgement {
  readonly type: Pair['type'];
  readonly measure: ShownMeasure;
  /** Whether the ablation has several. */
  readonly ofSeveral: boolean;
  readonly arm: ClaimArm;
  readonly than: ClaimArm;
  readonly margin: number;
  /** Two-sided, of the mean difference, at the level that decides about the claim; undefined where there is no verdict to give. */
  readonly interval: Interval | undefined;
  /** Sides without a replicate. */
  readonly missing: readonly ('arm' | 'than')[];
  /** Gap of the two published values in their own unit; undefined where the paper does not give both in one unit. */
  readonly published: { readonly gap: number; readonly outcome: PublishedOutcome } | undefined;
}

export interface ClaimResult {
  readonly ablation: string;
  readonly name: string;
  readonly sentence: string;
  readonly origin: Origin;
  readonly source: string | undefined;
  readonly note: string | undefined;
  /** After Holm's correction over all claims that the ablation declares, run or not, in both directions. */
  readonly verdict: Verdict;
  /** As if it were the only claim. */
  readonly beforeCorrection: Verdict;
  /** Of a claim without a verdict. */
  readonly direction: Direction | undefined;
  /** Of the comparison that has the fewest: declared seeds that both arms have, and how many are declared. */
  readonly seeds: { readonly n: number; readonly declared: number };
  readonly published: PublishedOutcome | undefined;
  /** The comparison that stands for the claim: of those that it needs, the one that goes most against it. */
  readonly deciding: PairResult;
  /**
   * Of the claim as a whole, which needs all its comparisons, by the paired t test: twice the smaller of its two sides, and the same
   * corrected. Undefined where there is no verdict to give.
   */
  readonly p: { readonly value: number; readonly adjusted: number } | undefined;
  readonly pairs: readonly PairResult[];
}

export interface ClaimCount {
  readonly total: number;
  readonly reproduced: number;
  readonly contradicted: number;
  readonly undecided: number;
  readonly interim: number;
  readonly exploratory: number;
  readonly noVerdict: number;
  readonly notRun: number;
  /** Of the claims without a verdict. */
  readonly agrees: number;
  readonly disagrees: number;
  readonly withinNoise: number;
  /** As if each claim were the only one. */
  readonly beforeCorrection: { readonly reproduced: number; readonly contradicted: number };
}

export interface ClaimInput {
  readonly study: Study;
  readonly profile: ProfileBase;
  readonly ablations: readonly AblationDeclaration<object>[];
  readonly records: readonly ReportRecord[];
}

/** What a pair is judged with, looked up once. */
interface Evidence {
  /** The paper's of a measure, in the unit of the published values; 0: none stated. */
  readonly noise: (measure: string) => number;
  /** The profile's, in the same unit. */
  readonly margin: number;
  /** Of claims that an ablation declares. */
  readonly rule: (ablation: string) => VerdictRule;
  readonly measures: ReadonlyMap<string, MeasuredArms>;
  /** Name of the first measure of each ablation. */
  readonly first: ReadonlyMap<string, string>;
  /** Ablations that have several. */
  readonly several: ReadonlySet<string>;
  readonly declared: ReadonlyMap<string, ArmDeclaration<object>>;
}

/** By `ablation/arm`. */
interface MeasuredArms {
  readonly shown: ShownMeasure;
  readonly replicates: ReadonlyMap<string, Replicates>;
}

const NOTHING: Replicates = new Map();

/**
 * Every claim of the ablations in the order of their declaration. An arm of an ablation that is not among them counts as
 * not run unless the records have it.
 */
export function evaluateClaims({ study, profile, ablations, records }: ClaimInput): ClaimResult[] {
  const named = ablations.flatMap(({ name, claims = [] }) => claims.flatMap(({ parts }) => parts.flatMap(part => pairsOf(part, name))).flatMap(({ arm, than }) => [arm, than]));
  const measuredArms = (measure: Measure): MeasuredArms => ({ shown: shownMeasure(study, profile, records, measure), replicates: replicatesOfArms(records, measure, new Set(named.map(armNameText))) });
  const evidence: Evidence = {
    noise: name => noiseOf(study, { name }),
    margin: marginOf(profile),
    rule: ablation => verdictRule(profile, ablation),
    measures: new Map([...knownMeasures(study)].map(([name, measure]) => [name, measuredArms(measure)])),
    several: new Set(ablations.filter(ablation => measuresOf(study, ablation).length > 1).map(({ name }) => name)),
    first: new Map(ablations.map(ablation => [ablation.name, measuresOf(study, ablation)[0].name])),
    declared: new Map(ablations.flatMap(({ name, arms }) => arms.map(arm => [armNameText({ ablation: name, arm: arm.name }), arm] as const))),
  };
  return ablations.flatMap(({ name, claims = [] }) => decideTogether(claims.map(claim => evaluateClaim(claim, name, evidence))));
}

/** How the profile declares that verdicts on claims of an ablation are given. */
export const verdictRule = (profile: ProfileBase, ablation: string): VerdictRule => ({ seeds: declaredSeeds(profile, ablation), gives: profile.verdicts !== false });

/** Whether the profile gives verdicts on claims of an ablation, once all seeds are there. */
export function givesVerdicts(profile: ProfileBase, ablation: string): boolean {
  const { seeds, gives } = verdictRule(profile, ablation);
  return gives && seeds.length >= FEWEST_SEEDS;
}

/** The profile's margin, in the unit of the published values; 0 where it declares none. */
export const marginOf = ({ verdicts }: ProfileBase): number => (verdicts || undefined)?.margin ?? 0;

/** A claim before its ablation is looked at as a whole. */
interface EvaluatedClaim extends Omit<ClaimResult, 'verdict' | 'p' | 'pairs' | 'deciding'> {
  /** Undefined unless a verdict can be given. */
  readonly sides: Sides | undefined;
  readonly pairs: readonly Omit<PairResult, 'interval'>[];
}

function evaluateClaim(claim: Claim, ablation: string, evidence: Evidence): EvaluatedClaim {
  const pairs = claim.parts.flatMap(part => pairsOf(part, ablation)).map(pair => evaluatePair(pair, ablation, claim.margin, evidence));
  const sides = composeSides(pairs.map(pair => pair.sides));
  return {
    ablation,
    name: claim.name,
    sentence: oneLine(claim.sentence),
    origin: claim.source !== undefined && pairs.some(({ published }) => published !== undefined) ? 'published' : 'own',
    source: claim.source === undefined ? undefined : oneLine(claim.source),
    note: claim.note === undefined ? undefined : oneLine(claim.note),
    beforeCorrection: sides === undefined ? openState(pairs) : verdictOf(sides),
    direction: directionOf(pairs),
    seeds: { n: Math.min(...pairs.map(({ n }) => n)), declared: evidence.rule(ablation).seeds.length },
    published: composePublished(pairs),
    sides,
    pairs,
  };
}

function evaluatePair(pair: Pair, ablation: string, ownMargin: number | undefined, evidence: Evidence): Omit<PairResult, 'interval'> {
  const { type, arm, than, measure = evidence.first.get(ablation)! } = pair;
  const { shown, replicates } = evidence.measures.get(measure)!;
  const margin = tidy((ownMargin ?? evidence.margin) / scale(1, shown.unit));
  const values = (name: ArmName): Replicates => turned(replicates.get(armNameText(name)) ?? NOTHING, shown);
  const published = (name: ArmName): Published | undefined => publishedFor(evidence.declared.get(armNameText(name))?.published, measure, evidence.first.get(name.ablation) ?? measure);
  return {
    ...judge(type, values(arm), values(than), margin, evidence.rule(ablation)),
    type,
    measure: shown,
    ofSeveral: evidence.several.has(ablation),
    arm: { ...arm, label: armLabel(arm, ablation, evidence) },
    than: { ...than, label: armLabel(than, ablation, evidence) },
    margin,
    missing: (['arm', 'than'] as const).filter(side => values(pair[side]).size === 0),
    published: publishedGap(pair, shown, published(arm), published(than), Math.max(ownMargin ?? 0, evidence.noise(measure))),
  };
}

function armLabel(name: ArmName, ablation: string, { declared }: Evidence): string {
  const declaration = declared.get(armNameText(name));
  if (declaration === undefined) return oneLine(armNameText(name));
  const label = oneLine(declaration.label);
  return name.ablation === ablation ? label : `${oneLine(name.ablation)}: ${label}`;
}

/** So that more is better. */
const turned = (replicates: Replicates, { better }: ShownMeasure): Replicates =>
  better === 'lower' ? new Map([...replicates].map(([seed, { value, ...of }]) => [seed, { ...of, value: -value }])) : replicates;

function publishedGap({ type }: Pair, { better }: ShownMeasure, arm: Published | undefined, than: Published | undefined, noise: number): PairResult['published'] {
  if (arm === undefined || than === undefined || arm.unit !== than.unit) return undefined;
  const gap = better === 'lower' ? publishedDifference(than.value, arm.value) : publishedDifference(arm.value, than.value);
  const size = Math.abs(gap);
  if (type === 'same') return { gap, outcome: size <= noise ? 'supports' : 'contradicts' };
  // A loss of just the margin is not more than the margin.
  if (gap === 0 || size < noise || (type === 'not-worse' && size === noise)) return { gap, outcome: 'within noise' };
  return { gap, outcome: gap > 0 ? 'supports' : 'contradicts' };
}

/**
 * A claim needs all its comparisons: it is reproduced as far as the least of them is (intersection-union test, Berger 1982, Technometrics
 * 24), and contradicted by any of them, for which as many tries are paid for (Bonferroni). Undefined unless each can be decided. @internal
 */
export function composeSides(parts: readonly (Sides | undefined)[]): Sides | undefined {
  const known = parts.filter(part => part !== undefined);
  if (known.length < parts.length) return undefined;
  return { reproduced: Math.max(...known.map(part => part.reproduced)), contradicted: Math.min(1, known.length * Math.min(...known.map(part => part.contradicted))) };
}

/** Why a claim has no verdict: the comparison that is furthest from one says it. */
function openState(pairs: readonly Pick<Judgement, 'verdict'>[]): Verdict {
  const states = ['not run', 'no verdict', 'exploratory', 'interim'] as const;
  return states.find(state => pairs.some(({ verdict }) => verdict === state)) ?? 'undecided';
}

/** Undefined where a comparison is missing. @internal */
export function directionOf(parts: readonly Pick<Judgement, 'verdict' | 'direction'>[]): Direction | undefined {
  const directions = parts.map(({ verdict, direction }) => (verdict === 'reproduced' ? 'agrees' : verdict === 'contradicted' ? 'disagrees' : direction));
  if (directions.includes(undefined)) return undefined;
  return directions.includes('disagrees') ? 'disagrees' : directions.includes('within noise') ? 'within noise' : 'agrees';
}

function composePublished(pairs: readonly Pick<PairResult, 'published'>[]): PublishedOutcome | undefined {
  const outcomes = pairs.map(pair => pair.published?.outcome);
  if (outcomes.includes('contradicts')) return 'contradicts';
  if (outcomes.includes(undefined)) return undefined;
  return outcomes.includes('within noise') ? 'within noise' : 'supports';
}

const pOf = ({ reproduced, contradicted }: Sides): number => Math.min(1, 2 * Math.min(reproduced, contradicted));

/** The claims of one ablation, with Holm's correction over all of them: those that cannot be decided yet are part of what was asked. */
function decideTogether(claims: readonly EvaluatedClaim[]): ClaimResult[] {
  const decisions = holmDecisions(
    claims.map(({ sides }) => (sides === undefined ? 1 : pOf(sides))),
    ALPHA,
  );
  return claims.map(({ sides, pairs, ...claim }, i): ClaimResult => {
    const { adjusted, level } = decisions[i]!;
    const verdict = sides === undefined ? claim.beforeCorrection : verdictOf(sides, level);
    const against = sides !== undefined && sides.contradicted < sides.reproduced;
    const ofPair = against ? level / pairs.length : level;
    const withIntervals = pairs.map(pair => ({ ...pair, interval: sides === undefined ? undefined : intervalOf(pair, 1 - ofPair) }));
    return {
      ...claim,
      verdict,
      direction: verdict === 'reproduced' || verdict === 'contradicted' ? undefined : claim.direction,
      p: sides === undefined ? undefined : { value: pOf(sides), adjusted },
      deciding: decidingPair(withIntervals, sides === undefined ? 'none' : against ? 'contradicted' : 'reproduced'),
      pairs: withIntervals,
    };
  });
}

/**
 * The one that the side of the claim rests on: the least reproduced or, where the claim points against itself, the most contradicted. Without a test the one
 * furthest from what it needs, and one that is missing before all others.
 */
function decidingPair(pairs: readonly PairResult[], side: keyof Sides | 'none'): PairResult {
  const strength = (pair: PairResult): number => {
    if (pair.delta === undefined) return -Infinity;
    if (side === 'none' || pair.sides === undefined) return excess(pair);
    return side === 'reproduced' ? -pair.sides.reproduced : pair.sides.contradicted;
  };
  return pairs.reduce((found, pair) => (strength(pair) < strength(found) ? pair : found));
}

/** How far the mean is beyond what the comparison needs. */
function excess({ type, delta = 0, margin }: Pick<PairResult, 'type' | 'delta' | 'margin'>): number {
  return type === 'greater' ? delta - margin : type === 'not-worse' ? delta + margin : margin - Math.abs(delta);
}

export function countClaims(claims: readonly (Pick<ClaimResult, 'verdict' | 'direction'> & Partial<Pick<ClaimResult, 'beforeCorrection'>>)[]): ClaimCount {
  const verdicts = (verdict: Verdict): number => claims.filter(claim => claim.verdict === verdict).length;
  const directions = (direction: Direction): number => claims.filter(claim => claim.direction === direction).length;
  const before = (verdict: Verdict): number => claims.filter(claim => claim.beforeCorrection === verdict).length;
  return {
    total: claims.length,
    reproduced: verdicts('reproduced'),
    contradicted: verdicts('contradicted'),
    undecided: verdicts('undecided'),
    interim: verdicts('interim'),
    exploratory: verdicts('exploratory'),
    noVerdict: verdicts('no verdict'),
    notRun: verdicts('not run'),
    agrees: directions('agrees'),
    disagrees: directions('disagrees'),
    withinNoise: directions('within noise'),
    beforeCorrection: { reproduced: before('reproduced'), contradicted: before('contradicted') },
  };
}
