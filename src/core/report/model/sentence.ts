/** What came out, in a sentence or two for the first screen: counts of claims, and the strongest by their own sentence as long as they fit. */
import { capitalised, plural } from '../../text/format.ts';
import { decidable, type OrderCount } from '../statistics/compare.ts';
import { FEWEST_SEEDS, type Direction, type Verdict } from '../statistics/verdict.ts';
import { countClaims, type ClaimResult } from './claims.ts';
import type { ArmCount, Report } from './model.ts';
import { byOrigin, claimNoun, verdictWord, type Origin } from './words.ts';
import { beforeCorrectionText } from './wording.ts';

/** Words of all sentences together; counts alone never take as many. @internal */
export const MOST_WORDS = 60;

export interface SentenceInput {
  readonly claims: readonly ClaimResult[];
  readonly arms: ArmCount;
  readonly seeds: Pick<Report['seeds'], 'declared' | 'measured'>;
  /** Told only where nothing is claimed. */
  readonly order: OrderCount;
}

/**
 * One to three sentences: what is decided, or why nothing is, then how many claims came out how. Claims of the paper are counted apart from hypotheses;
 * those of ablations that have too few seeds for a verdict, beside others, are only counted.
 */
export function verdictSentences(input: SentenceInput): string[] {
  const isJudged = ({ seeds }: ClaimResult): boolean => seeds.declared >= FEWEST_SEEDS;
  const [judged, others] = [input.claims.filter(isJudged), input.claims.filter(claim => !isJudged(claim))];
  if (judged.length === 0 || others.length === 0) return sentencesOf(input);
  return [...sentencesOf({ ...input, claims: judged }), othersSentence(others)];
}

/** How many of these are run, with how many seeds, and how many are not. */
function othersSentence(others: readonly ClaimResult[]): string {
  const run = others.filter(({ verdict }) => verdict !== 'not run'),
    left = others.length - run.length;
  const seeds = [...new Set(run.map(({ seeds: { declared } }) => declared))].map(declared => (declared === 1 ? 'one seed' : plural(declared, 'seed'))).join(' or ');
  const counts = [
    ...(run.length > 0 ? [`${run.length} more ${run.length === 1 ? 'has' : 'have'} ${seeds} and no verdict`] : []),
    ...(left > 0 ? [`${left} ${run.length > 0 ? '' : 'more '}${left === 1 ? 'is' : 'are'} not run`] : []),
  ];
  return `${counts.join(', ')}.`;
}

function sentencesOf(input: SentenceInput): string[] {
  const { claims, arms } = input;
  if (claims.length === 0) return withoutClaims(input);
  const measured = arms.done + arms.partial;
  if (claims.every(({ verdict }) => verdict === 'not run')) {
    const open = byOrigin(claims).map(({ origin, claims: { length } }) => `${length} ${claimNoun(origin, length)}`);
    return [`${measured === 0 ? 'Nothing is run yet' : 'Nothing can be judged yet'}: ${open.join(' and ')} ${claims.length === 1 ? 'waits' : 'wait'} for arms that are not measured.`];
  }
  const isDecided = claims.some(hasVerdict);
  const start = isDecided ? [] : [undecidedSentence(claims)];
  const lead = isDecided ? '' : claims.some(({ verdict }) => verdict === 'interim') ? 'so far ' : seedsLead(claims);
  const render = (named: ReadonlySet<ClaimResult>): string[] => [
    ...start,
    ...byOrigin(claims).map((group, i) => capitalised(`${i === 0 ? lead : ''}${groupText(group.origin, group.claims, isDecided, named)}.`)),
  ];
  const named = new Set<ClaimResult>();
  for (const claim of candidates(claims, isDecided)) if (wordsIn(render(new Set([...named, claim]))) <= MOST_WORDS) named.add(claim);
  return render(named);
}

/** What was run, and how the arms are ordered where they are published. */
function withoutClaims({ arms, seeds, order }: SentenceInput): string[] {
  const measured = arms.done + arms.partial;
  if (measured === 0) return ['Nothing is run yet, and nothing is claimed.'];
  const pairs = decidable(order);
  // Arms that lack seeds may lack different ones.
  const share = arms.partial > 0 && seeds.measured.length > 1 ? `some of ${plural(seeds.declared.length, 'seed')}` : seedsText([seeds.measured.length], seeds.declared.length);
  return [
    `Nothing is claimed: ${measured} of ${plural(arms.total, 'arm')} ${measured === 1 ? 'is' : 'are'} measured, with ${share}.`,
    ...(pairs === 0 ? [] : [`${order.same} of ${plural(pairs, 'pair')} of arms that are published apart ${order.same === 1 ? 'is' : 'are'} ordered as published.`]),
  ];
}

const wordsIn = (sentences: readonly string[]): number => sentences.join(' ').split(/\s+/).length;

const hasVerdict = ({ verdict }: Pick<ClaimResult, 'verdict'>): boolean => verdict === 'reproduced' || verdict === 'contradicted';

/** Why there is no verdict among claims of which some are run. */
function undecidedSentence(claims: readonly ClaimResult[]): string {
  const run = claims.filter(({ verdict }) => verdict !== 'not run');
  const has = (verdict: Verdict): boolean => run.some(claim => claim.verdict === verdict);
  const of = (verdict: Verdict): ClaimResult['seeds'][] => run.flatMap(claim => (claim.verdict === verdict ? [claim.seeds] : []));
  const seedsOf = (verdict: Verdict): string =>
    seedsText(
      of(verdict).map(({ n }) => n),
      Math.max(...of(verdict).map(({ declared }) => declared)),
    );
  if (has('no verdict')) return 'This profile gives no verdicts.';
  if (has('interim')) return `Nothing is decided yet: ${seedsOf('interim')}.`;
  if (has('undecided')) return `Nothing is decided, with ${seedsOf('undecided')}.`;
  return 'Nothing is decided: only seeds beyond the declared ones are measured.';
}

/** Where no seeds are waited for: how many there are. */
function seedsLead(claims: readonly ClaimResult[]): string {
  const open = claims.filter(({ verdict }) => verdict === 'no verdict');
  if (open.length === 0) return '';
  return `with ${seedsText(
    open.map(({ seeds }) => seeds.n),
    Math.max(...open.map(({ seeds }) => seeds.declared)),
  )}, `;
}

/** `1 of 5 seeds`, `1 to 3 of 5 seeds`, `all 5 seeds`, `one seed`. */
function seedsText(measured: readonly number[], declared: number): string {
  const [fewest, most] = [Math.min(...measured), Math.max(...measured)];
  if (fewest >= declared) return declared === 1 ? 'one seed' : `all ${declared} seeds`;
  return `${fewest === most ? fewest : `${fewest} to ${most}`} of ${plural(declared, 'seed')}`;
}

/** What is counted. Where something is decided, the directions of what is not are no news. */
type Outcome = 'reproduced' | 'contradicted' | 'undecided' | 'open' | Direction | 'not run';

const OUTCOMES: readonly Outcome[] = ['reproduced', 'contradicted', 'agrees', 'disagrees', 'within noise', 'undecided', 'open', 'not run'];

/** Those that are told by an example. */
const TELLING: readonly Outcome[] = ['reproduced', 'contradicted', 'agrees', 'disagrees'];

function outcomeOf({ verdict, direction }: ClaimResult, isDecided: boolean): Outcome {
  if (verdict === 'reproduced' || verdict === 'contradicted' || verdict === 'not run') return verdict;
  if (!isDecided) return direction ?? 'within noise';
  return verdict === 'undecided' ? verdict : 'open';
}

function groupText(origin: Origin, claims: readonly ClaimResult[], isDecided: boolean, named: ReadonlySet<ClaimResult>): string {
  const counted = OUTCOMES.flatMap(outcome => {
    const of = claims.filter(claim => outcomeOf(claim, isDecided) === outcome);
    return of.length === 0 ? [] : [{ outcome, of, example: of.find(claim => named.has(claim)) }];
  });
  if (counted.length === 1 && counted[0]!.outcome === 'not run' && claims.length > 1) return `none of the ${claims.length} ${claimNoun(origin, claims.length)} is run`;
  const items = counted.map(
    ({ outcome, of, example }, i) => `${i === 0 ? subject(origin, of.length, claims.length) : of.length} ${predicate(outcome, origin, of.length)}${exampleText(example, of.length)}`,
  );
  const before = beforeCorrectionText(countClaims(claims), origin);
  return `${items.join('; ')}${before === undefined ? '' : ` (${before})`}`;
}

function subject(origin: Origin, count: number, total: number): string {
  if (total === 1) return `the one ${claimNoun(origin, 1)}`;
  if (count === total) return `${count === 2 ? 'both' : `all ${count}`} ${claimNoun(origin, count)}`;
  return `${count} of ${total} ${claimNoun(origin, total)}`;
}

function predicate(outcome: Outcome, origin: Origin, count: number): string {
  if (outcome === 'agrees' || outcome === 'disagrees') return count === 1 ? outcome : outcome.slice(0, -1);
  const word = outcome === 'reproduced' || outcome === 'contradicted' ? verdictWord(outcome, origin) : outcome;
  return `${count === 1 ? 'is' : 'are'} ${word}`;
}

const exampleText = (claim: ClaimResult | undefined, count: number): string => (claim === undefined ? '' : `${count === 1 ? ':' : ', above all'} \u201c${claim.sentence.replace(/[.\s]+$/, '')}\u201d`);

/** The strongest claim of each origin and outcome; verdicts before directions, short before long, so that as many as can be are named. */
function candidates(claims: readonly ClaimResult[], isDecided: boolean): ClaimResult[] {
  const strongest = byOrigin(claims).flatMap(group =>
    TELLING.flatMap(outcome => {
      const [first] = group.claims.filter(claim => outcomeOf(claim, isDecided) === outcome).sort(byStrength);
      return first === undefined ? [] : [first];
    }),
  );
  const rank = (claim: ClaimResult): number => (claim.origin === 'published' ? 0 : 1);
  return strongest.sort((a, b) => rank(a) - rank(b) || wordsIn([a.sentence]) - wordsIn([b.sentence]));
}

/** What the paper\u2019s own table denies is no example of what it says; then by p, and without one by the difference of the comparison that decides. */
function byStrength(a: ClaimResult, b: ClaimResult): number {
  const denied = (claim: ClaimResult): number => Number(claim.published === 'contradicts');
  const p = (claim: ClaimResult): number => claim.p?.adjusted ?? 1;
  const size = ({ deciding }: ClaimResult): number => Math.abs(deciding?.delta ?? 0);
  return denied(a) - denied(b) || p(a) - p(b) || size(b) - size(a);
}
