/** Claims of the declarations, judged from the records: each pair of arms, then each claim, then all of them together. */
import { armNameText, pairsOf, type ArmName, type Pair } from '../../ablation/claims.ts';
import type { AblationDeclaration, ArmDeclaration, Claim, Published, Study } from '../../ablation/declaration.ts';
import { publishedDifference, type Replicates } from '../statistics/compare.ts';
import { scale, type Unit } from '../../text/format.ts';
import type { ReportRecord } from '../records/records.ts';
import { holmAdjusted, tidy } from '../statistics/statistics.ts';
import { oneLine } from '../../text/clean.ts';
import { replicatesOfArms } from './usage.ts';
import { ALPHA, judge, type Direction, type Judgement, type Verdict } from '../statistics/verdict.ts';

/** What the paper's own table says about a claim. `within noise`: its gap is below the margin or below the paper's noise. */
export type PublishedOutcome = 'supports' | 'contradicts' | 'within noise';

interface ClaimArm extends ArmName {
  /** The arm's label, with the ablation's name before it where that is another one. */
  readonly label: string;
}

/** One comparison of two arms. Numbers of the judgement and the margin are in the headline's unit. */
export interface PairResult extends Judgement {
  readonly type: Pair['type'];
  readonly arm: ClaimArm;
  readonly than: ClaimArm;
  readonly margin: number;
  /** Sides without a replicate. */
  readonly missing: readonly ('arm' | 'than')[];
  /** Equal for comparisons that are one test, in whichever claims they stand. */
  readonly test: string;
  /** Gap of the two published values in their own unit; undefined where the paper does not give both in one unit. */
  readonly published: { readonly gap: number; readonly outcome: PublishedOutcome } | undefined;
}

/** A probability, and the same after Holm's correction over all claims of the report that have one. */
export interface AdjustedP {
  readonly value: number;
  readonly adjusted: number;
}

export interface ClaimResult {
  readonly ablation: string;
  readonly name: string;
  readonly sentence: string;
  /** Undefined: the study's own. */
  readonly source: string | undefined;
  readonly note: string | undefined;
  readonly verdict: Verdict;
  /** Of an undecided claim. */
  readonly direction: Direction | undefined;
  readonly published: PublishedOutcome | undefined;
  /**
   * Of the claim as a whole, which needs all its comparisons: the largest of their p-values (intersection-union test, Berger
   * 1982, Technometrics 24). Undefined unless each of them has one.
   */
  readonly tTest: AdjustedP | undefined;
  readonly signFlip: AdjustedP | undefined;
  readonly pairs: readonly PairResult[];
}

/** Undecided claims are counted by their direction. */
export interface ClaimCount {
  readonly total: number;
  readonly reproduced: number;
  readonly contradicted: number;
  readonly agrees: number;
  readonly disagrees: number;
  readonly withinNoise: number;
  readonly notRun: number;
}

/** Comparisons, counted once however many claims contain them. */
export interface ComparisonCount {
  readonly total: number;
  /** With enough seeds for an interval. */
  readonly tested: number;
  readonly reproduced: number;
  readonly contradicted: number;
}

export interface ClaimInput {
  readonly study: Study;
  readonly ablations: readonly AblationDeclaration<object>[];
  readonly records: readonly ReportRecord[];
  readonly unit: Unit;
}

/** What a pair is judged with, looked up once. */
interface Evidence {
  readonly unit: Unit;
  /** In the unit of the published values; 0: none stated. */
  readonly noise: number;
  readonly replicates: ReadonlyMap<string, Replicates>;
  readonly declared: ReadonlyMap<string, ArmDeclaration<object>>;
}

const NOTHING: Replicates = new Map();

/**
 * Every claim of the ablations in the order of their declaration. An arm of an ablation that is not among them counts as
 * not run unless the records have it.
 */
export function evaluateClaims({ study, ablations, records, unit }: ClaimInput): ClaimResult[] {
  const named = ablations.flatMap(({ name, claims = [] }) => claims.flatMap(({ parts }) => parts.flatMap(part => pairsOf(part, name))).flatMap(({ arm, than }) => [arm, than]));
  const evidence: Evidence = {
    unit,
    noise: study.report.publishedNoise?.value ?? 0,
    replicates: replicatesOfArms(records, study.report.headline, new Set(named.map(armNameText))),
    declared: new Map(ablations.flatMap(({ name, arms }) => arms.map(arm => [armNameText({ ablation: name, arm: arm.name }), arm] as const))),
  };
  const claims = ablations.flatMap(({ name, claims: ofAblation }) => (ofAblation ?? []).map(claim => evaluateClaim(claim, name, evidence)));
  return withHolm(claims);
}

type UntestedClaim = Omit<ClaimResult, 'tTest' | 'signFlip'>;

function evaluateClaim(claim: Claim, ablation: string, evidence: Evidence): UntestedClaim {
  const margin = claim.margin ?? evidence.noise;
  const pairs = claim.parts.flatMap(part => pairsOf(part, ablation)).map(pair => evaluatePair(pair, ablation, margin, evidence));
  return {
    ablation,
    name: claim.name,
    sentence: oneLine(claim.sentence),
    source: claim.source === undefined ? undefined : oneLine(claim.source),
    note: claim.note === undefined ? undefined : oneLine(claim.note),
    ...compose(pairs),
    published: composePublished(pairs),
    pairs,
  };
}

function evaluatePair(pair: Pair, ablation: string, publishedMargin: number, evidence: Evidence): PairResult {
  const { type, arm, than } = pair;
  const margin = tidy(publishedMargin / scale(1, evidence.unit));
  const values = (name: ArmName): Replicates => evidence.replicates.get(armNameText(name)) ?? NOTHING;
  const published = (name: ArmName): Published | undefined => evidence.declared.get(armNameText(name))?.published;
  return {
    ...judge(type, values(arm), values(than), margin),
    type,
    arm: { ...arm, label: armLabel(arm, ablation, evidence) },
    than: { ...than, label: armLabel(than, ablation, evidence) },
    margin,
    missing: (['arm', 'than'] as const).filter(side => values(pair[side]).size === 0),
    test: testOf(pair, margin, evidence),
    published: publishedGap(type, published(arm), published(than), Math.max(publishedMargin, evidence.noise)),
  };
}

function armLabel(name: ArmName, ablation: string, { declared }: Evidence): string {
  const declaration = declared.get(armNameText(name));
  if (declaration === undefined) return oneLine(armNameText(name));
  const label = oneLine(declaration.label);
  return name.ablation === ablation ? label : `${oneLine(name.ablation)}: ${label}`;
}

function publishedGap(type: Pair['type'], arm: Published | undefined, than: Published | undefined, noise: number): PairResult['published'] {
  if (arm === undefined || than === undefined || arm.unit !== than.unit) return undefined;
  const gap = publishedDifference(arm.value, than.value);
  const size = Math.abs(gap);
  // A loss of just the margin is not more than the margin.
  if (gap === 0 || size < noise || (type === 'not-worse' && size === noise)) return { gap, outcome: 'within noise' };
  return { gap, outcome: gap > 0 ? 'supports' : 'contradicts' };
}

/** A claim needs all its parts: one that is missing leaves it open, one that is contradicted contradicts it. @internal */
export function compose(parts: readonly Pick<Judgement, 'verdict' | 'direction'>[]): Pick<ClaimResult, 'verdict' | 'direction'> {
  const has = (verdict: Verdict): boolean => parts.some(part => part.verdict === verdict);
  if (has('not run')) return { verdict: 'not run', direction: undefined };
  if (has('contradicted')) return { verdict: 'contradicted', direction: undefined };
  if (!has('undecided')) return { verdict: 'reproduced', direction: undefined };
  const undecided = parts.flatMap(part => part.direction ?? []);
  const direction = undecided.includes('disagrees') ? 'disagrees' : undecided.includes('within noise') ? 'within noise' : 'agrees';
  return { verdict: 'undecided', direction };
}

function composePublished(pairs: readonly PairResult[]): PublishedOutcome | undefined {
  const outcomes = pairs.map(pair => pair.published?.outcome);
  if (outcomes.includes('contradicts')) return 'contradicts';
  if (outcomes.includes(undefined)) return undefined;
  return outcomes.includes('within noise') ? 'within noise' : 'supports';
}

/** Two claims that make the same comparison test it once, also where one of them names an arm that takes over the other's. */
function testOf({ type, arm, than }: Pair, margin: number, { declared }: Evidence): string {
  const run = (name: ArmName): string => declared.get(armNameText(name))?.sameAs ?? armNameText(name);
  return `${run(arm)} ${type} ${run(than)} ${margin}`;
}

/** Comparisons by what they test. */
const distinct = (claims: readonly Pick<ClaimResult, 'pairs'>[]): PairResult[] => [...new Map(claims.flatMap(({ pairs }) => pairs).map(pair => [pair.test, pair])).values()];

function withHolm(claims: readonly UntestedClaim[]): ClaimResult[] {
  const tTests = adjusted(claims.map(({ pairs }) => largest(pairs.map(pair => pair.pValue))));
  const signFlips = adjusted(claims.map(({ pairs }) => largest(pairs.map(pair => pair.signFlipPValue))));
  return claims.map((claim, i) => ({ ...claim, tTest: tTests[i], signFlip: signFlips[i] }));
}

/** Undefined unless there are values, and all of them. */
function largest(pValues: readonly (number | undefined)[]): number | undefined {
  const known = pValues.filter(p => p !== undefined);
  return known.length === 0 || known.length < pValues.length ? undefined : Math.max(...known);
}

function adjusted(pValues: readonly (number | undefined)[]): (AdjustedP | undefined)[] {
  const all = holmAdjusted(pValues.filter(p => p !== undefined));
  let next = 0;
  return pValues.map(value => (value === undefined ? undefined : { value, adjusted: all[next++]! }));
}

/** Whether a p-value is still significant with Holm's correction. */
export const survives = (p: AdjustedP | undefined): boolean => p !== undefined && p.adjusted <= ALPHA;

export function countClaims(claims: readonly Pick<ClaimResult, 'verdict' | 'direction'>[]): ClaimCount {
  const verdicts = (verdict: Verdict): number => claims.filter(claim => claim.verdict === verdict).length;
  const directions = (direction: Direction): number => claims.filter(claim => claim.direction === direction).length;
  return {
    total: claims.length,
    reproduced: verdicts('reproduced'),
    contradicted: verdicts('contradicted'),
    agrees: directions('agrees'),
    disagrees: directions('disagrees'),
    withinNoise: directions('within noise'),
    notRun: verdicts('not run'),
  };
}

export function countComparisons(claims: readonly ClaimResult[]): ComparisonCount {
  const pairs = distinct(claims);
  return {
    total: pairs.length,
    tested: pairs.filter(pair => pair.pValue !== undefined).length,
    reproduced: pairs.filter(pair => pair.verdict === 'reproduced').length,
    contradicted: pairs.filter(pair => pair.verdict === 'contradicted').length,
  };
}
